import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { headerOf, type Service } from "../core/service.ts";
import { gitCommitBody, readCommit } from "./commits-read.ts";
import { commitFiles, commitOf } from "./commits-write.ts";
import { GitHubError, notFound, unprocessable } from "./errors.ts";
import { type GitHub, parse, requireViewer } from "./http.ts";
import { pushed } from "./pushes.ts";
import { requireRules } from "./refs.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import type { Repository } from "./state.ts";
import { type Entry, entryAt, listTree } from "./trees-read.ts";

type Route = { Params: { owner: string; repo: string; "*": string }; Querystring: { ref?: string } };

const person = z.object({ name: z.string(), email: z.string(), date: z.string().optional() }).optional();
const deleteSchema = z.object({
  message: z.string(),
  sha: z.string(),
  branch: z.string().optional(),
  author: person,
  committer: person,
});
const putSchema = deleteSchema.extend({ content: z.string(), sha: z.string().optional() });

const docs = {
  get: "repos/contents#get-repository-content",
  put: "repos/contents#create-or-update-file-contents",
  delete: "repos/contents#delete-a-file",
};

/** Files by path: each change is a commit of its own on a branch. */
export function contentRoutes(api: Service, github: GitHub): void {
  const { git } = github;

  async function get(request: FastifyRequest<Route>, reply: FastifyReply) {
    const { repository } = request;
    const path = (request.params["*"] ?? "").replace(/\/+$/, "");
    const ref = request.query.ref ?? repository.defaultBranch;
    await git.ensure(repository.id, repository.defaultBranch);
    const commit = await commitOf(git, repository.id, ref);
    if (commit === undefined) {
      throw notFound(
        request.query.ref === undefined ? "This repository is empty." : `No commit found for the ref ${ref}`,
      );
    }
    const entry = await entryAt(git, repository.id, commit, path);
    if (entry === undefined) throw notFound();
    if (entry.type === "tree") {
      const entries = await listTree(git, repository.id, entry.sha);
      return entries.map((each) =>
        contentBody(repository, ref, { ...each, path: path === "" ? each.path : `${path}/${each.path}` }),
      );
    }
    const content = await git.run(repository.id, ["cat-file", "blob", entry.sha]);
    if (wantsRaw(request)) return reply.type("application/vnd.github.raw; charset=utf-8").send(content);
    return { ...contentBody(repository, ref, entry), encoding: "base64", content: lines(content) };
  }
  const config = { docs: docs.get };
  api.get<Route>("/repos/:owner/:repo/contents", { config }, get);
  api.get<Route>("/repos/:owner/:repo/contents/*", { config }, get);
  api.get<Route>(
    "/repos/:owner/:repo/readme",
    { config: { docs: "repos/contents#get-a-repository-readme" } },
    async (request, reply) => {
      request.params["*"] = "README.md";
      return get(request, reply);
    },
  );

  async function change(
    request: FastifyRequest<Route>,
    asked: z.infer<typeof deleteSchema> | z.infer<typeof putSchema>,
  ) {
    const viewer = requireViewer(request);
    const { repository } = request;
    const { id } = repository;
    const path = request.params["*"];
    const branch = (asked.branch ?? repository.defaultBranch).replace(/^refs\/heads\//, "");
    if (viewer.job !== undefined && path.startsWith(".github/workflows/")) {
      throw new GitHubError(
        403,
        `refusing to allow a GitHub App to create or update workflow \`${path}\` without \`workflows\` permission`,
      );
    }
    await git.ensure(id, repository.defaultBranch);
    return git.inTurn(id, async () => {
      const ref = `refs/heads/${branch}`;
      const head = await commitOf(git, id, ref);
      const isEmpty = head === undefined && branch === repository.defaultBranch;
      if (head === undefined && !isEmpty) throw notFound(`Branch ${branch} not found`);
      if (!isEmpty) requireRules(github, repository, ref, "pull_request");
      const entry = head === undefined ? undefined : await entryAt(git, id, head, path);
      checkSha(path, entry, asked.sha);
      const content = "content" in asked ? decoded(asked.content) : undefined;
      if (content === undefined && entry === undefined) throw notFound();
      const sha = await commitFiles(github, repository, viewer, {
        branch,
        message: asked.message,
        files: [{ path, content }],
        author: asked.author ?? asked.committer,
        committer: asked.committer,
      });
      await pushed(github, repository, viewer, { ref, before: head, after: sha });
      const written = content === undefined ? undefined : await entryAt(git, id, sha, path);
      return {
        created: entry === undefined,
        body: {
          content: written === undefined ? null : contentBody(repository, branch, written),
          commit: gitCommitBody(repository, await readCommit(git, id, sha)),
        },
      };
    });
  }
  api.put<Route>(
    "/repos/:owner/:repo/contents/*",
    { config: { docs: docs.put, needs: "write" } },
    async (request, reply) => {
      const { created, body } = await change(request, parse(putSchema, request.body));
      return reply.code(created ? 201 : 200).send(body);
    },
  );
  api.delete<Route>(
    "/repos/:owner/:repo/contents/*",
    { config: { docs: docs.delete, needs: "write" } },
    async (request) => {
      // octokit sends a DELETE's parameters as its body, others in the query.
      const given = { ...(request.query as object), ...((request.body as object | undefined) ?? {}) };
      return (await change(request, parse(deleteSchema, given))).body;
    },
  );
}

/** @throws GitHubError 422 when a file is there and none was named, 409 when another one is there */
function checkSha(path: string, entry: Entry | undefined, sha: string | undefined): void {
  if (entry === undefined) {
    if (sha !== undefined) throw new GitHubError(409, `${path} does not match ${sha}`);
    return;
  }
  if (entry.type === "tree") throw unprocessable(`${path} is a directory.`);
  if (sha === undefined) throw unprocessable(`Invalid request.\n\n"sha" wasn't supplied.`);
  if (sha !== entry.sha) throw new GitHubError(409, `${path} does not match ${sha}`);
}

/** @throws GitHubError 422 */
function decoded(content: string): Buffer {
  const bare = content.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) throw unprocessable("content is not valid Base64");
  return Buffer.from(bare, "base64");
}

/** GitHub breaks base64 into lines of 60. */
export function lines(content: Buffer): string {
  return content.toString("base64").replaceAll(/.{1,60}/g, "$&\n");
}

function wantsRaw(request: FastifyRequest): boolean {
  return /application\/vnd\.github(\.v3)?\.raw/.test(headerOf(request, "accept") ?? "");
}

const kinds = { blob: "file", tree: "dir", commit: "submodule" } as const;

function contentBody(repository: Repository, ref: string, entry: Entry): Record<string, unknown> {
  const type = entry.mode === "120000" ? "symlink" : kinds[entry.type];
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  const url = `${apiUrl(repository)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const gitUrl = `${apiUrl(repository)}/git/${entry.type}s/${entry.sha}`;
  const view = `${htmlUrl(repository)}/${entry.type}/${ref}/${path}`;
  return {
    name: entry.path.split("/").at(-1),
    path: entry.path,
    sha: entry.sha,
    size: entry.size,
    url,
    html_url: view,
    git_url: gitUrl,
    download_url:
      type === "file"
        ? `https://raw.githubusercontent.com/${repository.owner}/${repository.name}/${ref}/${path}`
        : null,
    type,
    _links: { self: url, git: gitUrl, html: view },
  };
}
