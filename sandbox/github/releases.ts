import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { commitOf, requireBranchName } from "./commits-write.ts";
import { invalid, notFound } from "./errors.ts";
import { type GitHub, idOf, paginate, parse, requireViewer } from "./http.ts";
import { pushed } from "./pushes.ts";
import { listRefs, requireContent } from "./refs.ts";
import { assetBody, releaseBody } from "./release-body.ts";
import { dropContent, dropRelease, putRelease, type Release, releasesOf } from "./releases-state.ts";
import { apiUrl } from "./repository-body.ts";
import type { Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

type Route = { Params: { owner: string; repo: string; id: string; "*": string } };
const base = "/repos/:owner/:repo/releases";
const docs = "releases/releases";
const nothing = "0".repeat(40);

const shapes = {
  tag_name: z.string().min(1),
  target_commitish: z.string().optional(),
  name: z.string().nullish(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
};
const createSchema = z.object({ ...shapes, generate_release_notes: z.boolean().default(false) });
const changeSchema = z.object(shapes).partial();

/** Releases of tags, and the tags themselves. A release makes its tag where there is none. */
export function releaseRoutes(api: Service, github: GitHub): void {
  const { cloud, repositories } = github;
  const find = (request: FastifyRequest<Route>): Release => {
    const id = idOf(request.params.id);
    const found = releasesOf(github, request.repository).find((release) => release.id === id);
    if (found === undefined) throw notFound();
    return found;
  };
  const show = (request: FastifyRequest<Route>, release: Release) => releaseBody(request.repository, release);
  const published = (request: FastifyRequest<Route>) =>
    releasesOf(github, request.repository).filter(({ draft }) => !draft);

  api.get<Route>(
    "/repos/:owner/:repo/tags",
    { config: { docs: "repos/repos#list-repository-tags" } },
    async (request, reply) => {
      const { repository } = request;
      const refs = await listRefs(github, repository);
      const tags = refs.filter(({ name }) => name.startsWith("refs/tags/")).reverse();
      return Promise.all(
        paginate(request, reply, tags).map(async ({ name: ref }) => {
          const sha = await commitOf(github.git, repository.id, ref);
          const name = ref.slice("refs/tags/".length);
          return {
            name,
            commit: { sha, url: `${apiUrl(repository)}/commits/${sha}` },
            zipball_url: `${apiUrl(repository)}/zipball/${ref}`,
            tarball_url: `${apiUrl(repository)}/tarball/${ref}`,
            node_id: nodeId("REF", repository.id),
          };
        }),
      );
    },
  );

  api.get<Route>(base, { config: { docs: `${docs}#list-releases` } }, async (request, reply) =>
    paginate(request, reply, releasesOf(github, request.repository)).map((each) => show(request, each)),
  );
  api.get<Route>(
    `${base}/latest`,
    { config: { docs: `${docs}#get-the-latest-release` } },
    async (request) => {
      const latest = published(request).find(({ prerelease }) => !prerelease);
      if (latest === undefined) throw notFound();
      return show(request, latest);
    },
  );
  api.get<Route>(
    `${base}/tags/*`,
    { config: { docs: `${docs}#get-a-release-by-tag-name` } },
    async (request) => {
      const found = published(request).find(({ tag }) => tag === request.params["*"]);
      if (found === undefined) throw notFound();
      return show(request, found);
    },
  );
  api.get<Route>(`${base}/:id`, { config: { docs: `${docs}#get-a-release` } }, async (request) =>
    show(request, find(request)),
  );

  api.post<Route>(
    base,
    { config: { docs: `${docs}#create-a-release`, needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const viewer = requireViewer(request);
      const wanted = parse(createSchema, request.body);
      await requireContent(github, repository);
      requireFree(repository, wanted.tag_name);
      const target = wanted.target_commitish ?? repository.defaultBranch;
      const draft = wanted.draft ?? false;
      if (!draft) await ensureTag(repository, viewer, wanted.tag_name, target);
      const now = cloud.clock.now();
      const made = putRelease(github, repository, {
        id: repositories.nextId(),
        tag: wanted.tag_name,
        target,
        name: wanted.name ?? (wanted.generate_release_notes ? wanted.tag_name : null),
        body: wanted.body ?? null,
        draft,
        prerelease: wanted.prerelease ?? false,
        authorId: viewer.account.id,
        assets: [],
        createdAt: now,
        ...(draft ? {} : { publishedAt: now }),
      });
      reply.header("location", `${apiUrl(repository)}/releases/${made.id}`);
      return reply.code(201).send(show(request, made));
    },
  );
  api.patch<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#update-a-release`, needs: "write" } },
    async (request) => {
      const { repository } = request;
      const wanted = parse(changeSchema, request.body);
      const old = find(request);
      const tag = wanted.tag_name ?? old.tag;
      if (tag !== old.tag) requireFree(repository, tag);
      const target = wanted.target_commitish ?? old.target;
      const draft = wanted.draft ?? old.draft;
      if (!draft) await ensureTag(repository, requireViewer(request), tag, target);
      const publishedAt = draft ? undefined : (old.publishedAt ?? cloud.clock.now());
      const { publishedAt: _, ...rest } = old;
      const changed = putRelease(github, repository, {
        ...rest,
        tag,
        target,
        draft,
        ...(wanted.name === undefined ? {} : { name: wanted.name }),
        ...(wanted.body === undefined ? {} : { body: wanted.body }),
        ...(wanted.prerelease === undefined ? {} : { prerelease: wanted.prerelease }),
        ...(publishedAt === undefined ? {} : { publishedAt }),
      });
      return show(request, changed);
    },
  );
  api.delete<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#delete-a-release`, needs: "write" } },
    async (request, reply) => {
      dropRelease(github, request.repository, find(request));
      return reply.code(204).send();
    },
  );

  /** Drafts may share a tag, releases may not. */
  function requireFree(repository: Repository, tag: string): void {
    if (!releasesOf(github, repository).some((each) => !each.draft && each.tag === tag)) return;
    throw invalid({ resource: "Release", field: "tag_name", code: "already_exists" });
  }

  async function ensureTag(
    repository: Repository,
    viewer: Viewer,
    tag: string,
    target: string,
  ): Promise<void> {
    const { git } = github;
    const ref = `refs/tags/${tag}`;
    await requireBranchName(git, repository.id, tag);
    await git.inTurn(repository.id, async () => {
      if ((await commitOf(git, repository.id, ref)) !== undefined) return;
      const sha = await commitOf(git, repository.id, target);
      if (sha === undefined) {
        throw invalid({ resource: "Release", field: "target_commitish", code: "invalid" });
      }
      await git.run(repository.id, ["update-ref", ref, sha, nothing]);
      await pushed(github, repository, viewer, { ref, before: undefined, after: sha });
    });
  }

  assetRoutes(api, github, find);
}

function assetRoutes(
  api: Service,
  github: GitHub,
  findRelease: (request: FastifyRequest<Route>) => Release,
): void {
  const docs = "releases/assets";
  const find = (request: FastifyRequest<Route>) => {
    const id = idOf(request.params.id);
    for (const release of releasesOf(github, request.repository)) {
      const asset = release.assets.find((each) => each.id === id);
      if (asset !== undefined) return { release, asset };
    }
    throw notFound();
  };
  api.get<Route>(
    `${base}/:id/assets`,
    { config: { docs: `${docs}#list-release-assets` } },
    async (request, reply) => {
      const release = findRelease(request);
      const shown = release.assets.map((asset) => assetBody(request.repository, release, asset));
      return paginate(request, reply, shown);
    },
  );
  api.get<Route>(
    `${base}/assets/:id`,
    { config: { docs: `${docs}#get-a-release-asset` } },
    async (request, reply) => {
      const { release, asset } = find(request);
      const body = assetBody(request.repository, release, asset);
      if (request.headers.accept !== "application/octet-stream") return body;
      return reply.redirect((body as { browser_download_url: string }).browser_download_url);
    },
  );
  api.delete<Route>(
    `${base}/assets/:id`,
    { config: { docs: `${docs}#delete-a-release-asset`, needs: "write" } },
    async (request, reply) => {
      const { release, asset } = find(request);
      const assets = release.assets.filter((each) => each.id !== asset.id);
      putRelease(github, request.repository, { ...release, assets });
      dropContent(github, request.repository, asset);
      return reply.code(204).send();
    },
  );
}
