import { rmSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { gitCommitBody, readCommit } from "./commits-read.ts";
import { commitOf, personOf, requirePath, treeOf, writeBlob, writeCommit } from "./commits-write.ts";
import { lines } from "./contents.ts";
import { notFound, unprocessable } from "./errors.ts";
import { GitError } from "./git-store.ts";
import { type GitHub, parse, requireViewer } from "./http.ts";
import { requireContent } from "./refs.ts";
import { apiUrl } from "./repository-body.ts";
import { instant, type Repository } from "./state.ts";
import { listTree } from "./trees-read.ts";

type Route = {
  Params: { owner: string; repo: string; sha: string };
  Querystring: { recursive?: string };
};

/** Only ids come in here: a name could be read as one of git's options. */
const sha = z.string().regex(/^[0-9a-f]{40}$/, "must be a SHA");
const person = z.object({ name: z.string(), email: z.string(), date: z.string().optional() });
const treeSchema = z.object({
  base_tree: sha.optional(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.enum(["100644", "100755", "040000", "160000", "120000"]),
      type: z.enum(["blob", "tree", "commit"]).optional(),
      sha: sha.nullish(),
      content: z.string().optional(),
    }),
  ),
});
const commitSchema = z.object({
  message: z.string(),
  tree: sha,
  parents: z.array(sha).default([]),
  author: person.optional(),
  committer: person.optional(),
});

const line = z.string().regex(/^[^\n\0<>]+$/, "must be one line");
const tagSchema = z.object({
  tag: line,
  message: z.string(),
  object: sha,
  type: z.enum(["commit", "tree", "blob"]),
  tagger: z.object({ name: line, email: line, date: z.iso.datetime({ offset: true }).optional() }).optional(),
});

let drafts = 0;

/** Git's own objects: blobs, trees and commits, written without a branch knowing of them. */
export function gitDataRoutes(api: Service, github: GitHub): void {
  const { git, cloud } = github;
  const base = "/repos/:owner/:repo/git";

  api.post<Route>(
    `${base}/blobs`,
    { config: { docs: "git/blobs#create-a-blob", needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const schema = z.object({
        content: z.string(),
        encoding: z.enum(["utf-8", "base64"]).default("utf-8"),
      });
      const { content, encoding } = parse(schema, request.body);
      await requireContent(github, repository);
      const bytes = Buffer.from(content, encoding === "base64" ? "base64" : "utf8");
      const sha = await writeBlob(git, repository.id, bytes);
      return reply.code(201).send({ sha, url: `${apiUrl(repository)}/git/blobs/${sha}` });
    },
  );
  api.get<Route>(`${base}/blobs/:sha`, { config: { docs: "git/blobs#get-a-blob" } }, async (request) => {
    const { repository, params } = request;
    const content = await object(repository, "blob", params.sha);
    return {
      sha: params.sha,
      node_id: nodeId("B", repository.id),
      size: content.length,
      url: `${apiUrl(repository)}/git/blobs/${params.sha}`,
      encoding: "base64",
      content: lines(content),
    };
  });

  api.get<Route>(`${base}/trees/:sha`, { config: { docs: "git/trees#get-a-tree" } }, async (request) => {
    const { repository, params, query } = request;
    await requireContent(github, repository);
    const tree = await treeOf(git, repository.id, params.sha);
    if (tree === undefined) throw notFound();
    return treeBody(repository, tree, query.recursive !== undefined);
  });
  api.post<Route>(
    `${base}/trees`,
    { config: { docs: "git/trees#create-a-tree", needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const body = parse(treeSchema, request.body);
      await requireContent(github, repository);
      const sha = await writeTree(repository, body);
      return reply.code(201).send(await treeBody(repository, sha, false));
    },
  );

  api.get<Route>(
    `${base}/commits/:sha`,
    { config: { docs: "git/commits#get-a-commit-object" } },
    async (request) => {
      const { repository, params } = request;
      await requireContent(github, repository);
      const isId = /^[0-9a-f]{40}$/.test(params.sha);
      const sha = isId ? await commitOf(git, repository.id, params.sha) : undefined;
      if (sha === undefined) throw notFound();
      return gitCommitBody(repository, await readCommit(git, repository.id, sha));
    },
  );
  api.post<Route>(
    `${base}/commits`,
    { config: { docs: "git/commits#create-a-commit", needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const { message, tree, parents, author, committer } = parse(commitSchema, request.body);
      await requireContent(github, repository);
      if ((await treeOf(git, repository.id, tree)) === undefined) {
        throw unprocessable("Tree SHA does not exist");
      }
      for (const parent of parents) {
        if ((await commitOf(git, repository.id, parent)) === undefined) {
          throw unprocessable("Parent SHA does not exist or is not a commit object");
        }
      }
      const by = committer ?? author ?? personOf(requireViewer(request).account);
      const sha = await writeCommit(git, repository.id, {
        tree,
        parents,
        message,
        author: author ?? by,
        committer: by,
        now: cloud.clock.iso(),
      });
      return reply.code(201).send(gitCommitBody(repository, await readCommit(git, repository.id, sha)));
    },
  );

  api.post<Route>(
    `${base}/tags`,
    { config: { docs: "git/tags#create-a-tag-object", needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const wanted = parse(tagSchema, request.body);
      await requireContent(github, repository);
      const tagger = wanted.tagger ?? personOf(requireViewer(request).account);
      const seconds = Math.floor(Date.parse(tagger.date ?? cloud.clock.iso()) / 1000);
      const text = [
        `object ${wanted.object}`,
        `type ${wanted.type}`,
        `tag ${wanted.tag}`,
        `tagger ${tagger.name} <${tagger.email}> ${seconds} +0000`,
        "",
        `${wanted.message}\n`,
      ].join("\n");
      try {
        const made = (await git.text(repository.id, ["mktag"], { input: text })).trim();
        return reply.code(201).send(await tagBody(repository, made));
      } catch (error) {
        if (error instanceof GitError) throw unprocessable(error.message);
        throw error;
      }
    },
  );
  api.get<Route>(`${base}/tags/:sha`, { config: { docs: "git/tags#get-a-tag" } }, async (request) =>
    tagBody(request.repository, request.params.sha),
  );

  async function tagBody(repository: Repository, sha: string): Promise<object> {
    const [head = "", ...rest] = (await object(repository, "tag", sha)).toString("utf8").split("\n\n");
    const field = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(head)?.[1] ?? "";
    const [, name, email, seconds] = /^(.*) <(.*)> (\d+)/.exec(field("tagger")) ?? [];
    const type = field("type");
    const url = `${apiUrl(repository)}/git`;
    return {
      node_id: nodeId("TA", repository.id),
      sha,
      url: `${url}/tags/${sha}`,
      tag: field("tag"),
      message: rest.join("\n\n").replace(/\n$/, ""),
      tagger: { name, email, date: instant(Number(seconds) * 1000) },
      object: { type, sha: field("object"), url: `${url}/${type}s/${field("object")}` },
      verification: {
        verified: false,
        reason: "unsigned",
        signature: null,
        payload: null,
        verified_at: null,
      },
    };
  }

  async function object(repository: Repository, type: string, sha: string): Promise<Buffer> {
    await requireContent(github, repository);
    if (!/^[0-9a-f]{40}$/.test(sha)) throw notFound();
    try {
      return await git.run(repository.id, ["cat-file", type, sha]);
    } catch (error) {
      if (error instanceof GitError) throw notFound();
      throw error;
    }
  }

  async function writeTree(repository: Repository, body: z.infer<typeof treeSchema>): Promise<string> {
    const { id } = repository;
    const index = path.join(git.dir(id), `tree.${process.pid}.${++drafts}`);
    const env = { GIT_INDEX_FILE: index };
    try {
      const from = body.base_tree;
      await git.run(id, from === undefined ? ["read-tree", "--empty"] : ["read-tree", from], { env });
      for (const entry of body.tree) {
        requirePath(entry.path);
        await stage(id, env, entry);
      }
      return (await git.text(id, ["write-tree"], { env })).trim();
    } catch (error) {
      if (error instanceof GitError) throw unprocessable(error.message);
      throw error;
    } finally {
      rmSync(index, { force: true });
    }
  }

  async function stage(
    id: number,
    env: Readonly<Record<string, string>>,
    entry: z.infer<typeof treeSchema>["tree"][number],
  ): Promise<void> {
    const { path: at, mode, sha, content } = entry;
    if (sha === null) {
      await git.run(id, ["rm", "--quiet", "--cached", "-r", "--ignore-unmatch", "--", at], { env });
      return;
    }
    if (mode === "040000") {
      if (sha === undefined) throw unprocessable("tree.sha is missing for a tree");
      await git.run(id, ["read-tree", `--prefix=${at}/`, sha], { env });
      return;
    }
    const blob = sha ?? (await writeBlob(git, id, Buffer.from(content ?? "")));
    await git.run(id, ["update-index", "--add", "--cacheinfo", `${mode},${blob},${at}`], { env });
  }

  async function treeBody(repository: Repository, sha: string, recursive: boolean): Promise<object> {
    const url = `${apiUrl(repository)}/git`;
    const entries = await listTree(git, repository.id, sha, { recursive });
    return {
      sha,
      url: `${url}/trees/${sha}`,
      tree: entries.map((entry) => ({
        path: entry.path,
        mode: entry.mode,
        type: entry.type,
        sha: entry.sha,
        ...(entry.type === "blob" ? { size: entry.size } : {}),
        url: `${url}/${entry.type}s/${entry.sha}`,
      })),
      truncated: false,
    };
  }
}
