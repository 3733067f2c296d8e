import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { commitOf } from "./commits-write.ts";
import { GitHubError, notFound, unprocessable } from "./errors.ts";
import { GitError } from "./git-store.ts";
import { type GitHub, paginate, parse, requireViewer } from "./http.ts";
import { pushed } from "./pushes.ts";
import { apiUrl } from "./repository-body.ts";
import { rulesInForce } from "./rules-in-force.ts";
import type { Repository } from "./state.ts";

interface Ref {
  readonly name: string;
  readonly sha: string;
  readonly type: string;
}

type Route = { Params: { owner: string; repo: string; "*": string } };
const docs = "git/refs";
const nothing = "0".repeat(40);

/** Branches and tags by their full names. */
export function refRoutes(api: Service, github: GitHub): void {
  const { git } = github;

  async function matching(repository: Repository, prefix: string): Promise<Ref[]> {
    await requireContent(github, repository);
    return (await listRefs(github, repository)).filter(({ name }) => name.startsWith(prefix));
  }

  api.get<Route>("/repos/:owner/:repo/git/refs", { config: { docs } }, async (request, reply) => {
    const refs = await matching(request.repository, "refs/");
    return paginate(request, reply, refs).map((ref) => refBody(request.repository, ref));
  });
  api.get<Route>(
    "/repos/:owner/:repo/git/matching-refs/*",
    { config: { docs: `${docs}#list-matching-references` } },
    async (request, reply) => {
      const refs = await matching(request.repository, `refs/${request.params["*"]}`);
      return paginate(request, reply, refs).map((ref) => refBody(request.repository, ref));
    },
  );
  for (const path of ["ref", "refs"]) {
    api.get<Route>(
      `/repos/:owner/:repo/git/${path}/*`,
      { config: { docs: `${docs}#get-a-reference` } },
      async (request) => {
        const name = fullRef(request.params["*"]);
        const found = (await matching(request.repository, name)).find((ref) => ref.name === name);
        if (found === undefined) throw notFound();
        return refBody(request.repository, found);
      },
    );
  }

  api.post<Route>(
    "/repos/:owner/:repo/git/refs",
    { config: { docs: `${docs}#create-a-reference`, needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const viewer = requireViewer(request);
      const { ref, sha } = parse(z.object({ ref: z.string(), sha: z.string() }), request.body);
      if (!/^refs\/[^/]+\/./.test(ref)) {
        throw unprocessable(`Reference name must start with 'refs' and have at least two slashes.`);
      }
      await requireContent(github, repository);
      return git.inTurn(repository.id, async () => {
        const object = await requireObject(github, repository, sha);
        if ((await listRefs(github, repository)).some(({ name }) => name === ref)) {
          throw unprocessable("Reference already exists");
        }
        requireRules(github, repository, ref, "creation");
        await updateRef(github, repository, ref, object, nothing);
        await pushed(github, repository, viewer, { ref, before: undefined, after: object });
        reply.header("location", `${apiUrl(repository)}/git/${ref}`);
        const made = (await listRefs(github, repository)).find(({ name }) => name === ref);
        return reply.code(201).send(refBody(repository, made ?? { name: ref, sha: object, type: "commit" }));
      });
    },
  );
  api.patch<Route>(
    "/repos/:owner/:repo/git/refs/*",
    { config: { docs: `${docs}#update-a-reference`, needs: "write" } },
    async (request) => {
      const { repository } = request;
      const viewer = requireViewer(request);
      const schema = z.object({ sha: z.string(), force: z.boolean().default(false) });
      const { sha, force } = parse(schema, request.body);
      const name = fullRef(request.params["*"]);
      await requireContent(github, repository);
      return git.inTurn(repository.id, async () => {
        const before = (await listRefs(github, repository)).find((ref) => ref.name === name);
        if (before === undefined) throw unprocessable("Reference does not exist");
        const object = await requireObject(github, repository, sha);
        const forward = await isAncestor(github, repository, before.sha, object);
        if (!forward && !force) throw unprocessable("Update is not a fast forward");
        for (const change of ["update", "pull_request"] as const)
          requireRules(github, repository, name, change);
        if (!forward) requireRules(github, repository, name, "non_fast_forward");
        await updateRef(github, repository, name, object, before.sha);
        await pushed(github, repository, viewer, { ref: name, before: before.sha, after: object });
        return refBody(repository, { name, sha: object, type: "commit" });
      });
    },
  );
  api.delete<Route>(
    "/repos/:owner/:repo/git/refs/*",
    { config: { docs: `${docs}#delete-a-reference`, needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const name = fullRef(request.params["*"]);
      await requireContent(github, repository);
      return git.inTurn(repository.id, async () => {
        const found = (await listRefs(github, repository)).find((ref) => ref.name === name);
        if (found === undefined) throw unprocessable("Reference does not exist");
        if (name === `refs/heads/${repository.defaultBranch}`) {
          throw unprocessable("Cannot delete the default branch");
        }
        requireRules(github, repository, name, "deletion");
        await git.run(repository.id, ["update-ref", "-d", name, found.sha]);
        return reply.code(204).send();
      });
    },
  );
}

/** @throws GitHubError 422 when a ruleset forbids it */
export function requireRules(
  github: GitHub,
  repository: Repository,
  ref: string,
  change: "creation" | "update" | "deletion" | "non_fast_forward" | "pull_request",
): void {
  const violated = rulesInForce(github, repository, ref).find(({ type }) => type === change);
  if (violated === undefined) return;
  const why =
    change === "pull_request"
      ? `Changes to ${ref} must be made through a pull request.`
      : `${change} of ${ref} is forbidden by a ruleset.`;
  throw new GitHubError(409, `Repository rule violations found\n\n${why}`);
}

function fullRef(name: string): string {
  return name.startsWith("refs/") ? name : `refs/${name}`;
}

export async function listRefs({ git }: GitHub, repository: Repository): Promise<Ref[]> {
  await git.ensure(repository.id, repository.defaultBranch);
  const out = await git.text(repository.id, [
    "for-each-ref",
    "--format=%(refname)%00%(objectname)%00%(objecttype)",
  ]);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", sha = "", type = ""] = line.split("\0");
      return { name, sha, type };
    });
}

/** @throws GitHubError 409 when nothing was ever committed */
export async function requireContent(github: GitHub, repository: Repository): Promise<void> {
  if ((await listRefs(github, repository)).length === 0) {
    throw new GitHubError(409, "Git Repository is empty.");
  }
}

async function requireObject({ git }: GitHub, repository: Repository, sha: string): Promise<string> {
  const found = /^[0-9a-f]{40}$/.test(sha) ? await commitOf(git, repository.id, sha) : undefined;
  if (found === undefined) throw unprocessable("Object does not exist");
  return sha;
}

export async function isAncestor(
  { git }: GitHub,
  repository: Repository,
  older: string,
  newer: string,
): Promise<boolean> {
  try {
    await git.run(repository.id, ["merge-base", "--is-ancestor", older, newer]);
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}

async function updateRef(
  { git, repositories, cloud }: GitHub,
  repository: Repository,
  ref: string,
  sha: string,
  before: string,
): Promise<void> {
  try {
    await git.run(repository.id, ["update-ref", ref, sha, before]);
  } catch (error) {
    if (error instanceof GitError) throw unprocessable(error.message);
    throw error;
  }
  repositories.update(repository.id, { pushedAt: cloud.clock.now() });
}

function refBody(repository: Repository, ref: Ref): object {
  const url = apiUrl(repository);
  return {
    ref: ref.name,
    node_id: nodeId("REF", repository.id),
    url: `${url}/git/${ref.name}`,
    object: { sha: ref.sha, type: ref.type, url: `${url}/git/${ref.type}s/${ref.sha}` },
  };
}
