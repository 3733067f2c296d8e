import { z } from "zod";
import type { Service } from "../core/service.ts";
import { commitBody, readCommit, readCommits } from "./commits-read.ts";
import { commitOf, requireBranchName } from "./commits-write.ts";
import { GitHubError, notFound, unprocessable } from "./errors.ts";
import { type GitHub, paginate, parse } from "./http.ts";
import { listRefs } from "./refs.ts";
import { apiUrl } from "./repository-body.ts";
import { isGuarded } from "./rules-in-force.ts";
import type { Repository } from "./state.ts";

type Route = {
  Params: { owner: string; repo: string; "*": string };
  Querystring: { sha?: string; path?: string; since?: string; until?: string };
};

/** Branches and their commits. */
export function branchRoutes(api: Service, github: GitHub): void {
  const { git, repositories } = github;
  const summary = (repository: Repository, name: string, sha: string) => ({
    name,
    commit: { sha, url: `${apiUrl(repository)}/commits/${sha}` },
    protected: isGuarded(github, repository, `refs/heads/${name}`),
  });
  const branches = async (repository: Repository) =>
    (await listRefs(github, repository))
      .filter(({ name }) => name.startsWith("refs/heads/"))
      .map((ref) => ({ ...ref, name: ref.name.slice("refs/heads/".length) }));

  api.get<Route>(
    "/repos/:owner/:repo/branches",
    { config: { docs: "branches/branches#list-branches" } },
    async (request, reply) => {
      const { repository } = request;
      const all = await branches(repository);
      return paginate(request, reply, all).map(({ name, sha }) => summary(repository, name, sha));
    },
  );
  api.get<Route>(
    "/repos/:owner/:repo/branches/*",
    { config: { docs: "branches/branches#get-a-branch" } },
    async (request) => {
      const { repository } = request;
      const name = request.params["*"];
      const found = (await branches(repository)).find((branch) => branch.name === name);
      if (found === undefined) throw notFound("Branch not found");
      const url = `${apiUrl(repository)}/branches/${name}`;
      return {
        ...summary(repository, name, found.sha),
        commit: commitBody(repository, await readCommit(git, repository.id, found.sha)),
        _links: { self: url, html: `https://github.com/${repository.owner}/${repository.name}/tree/${name}` },
        protection: {
          enabled: false,
          required_status_checks: { enforcement_level: "off", contexts: [], checks: [] },
        },
        protection_url: `${url}/protection`,
      };
    },
  );
  api.post<Route>(
    "/repos/:owner/:repo/branches/*",
    { config: { docs: "branches/branches#rename-a-branch" } },
    async (request, reply) => {
      const { repository } = request;
      const [, old] = /^(.+)\/rename$/.exec(request.params["*"]) ?? [];
      if (old === undefined) throw notFound();
      const { new_name: name } = parse(z.object({ new_name: z.string() }), request.body);
      await requireBranchName(git, repository.id, name);
      return git.inTurn(repository.id, async () => {
        const all = await branches(repository);
        const found = all.find((branch) => branch.name === old);
        if (found === undefined) throw notFound("Branch not found");
        if (all.some((branch) => branch.name === name)) throw unprocessable(`Branch ${name} already exists`);
        await git.run(repository.id, ["branch", "-m", "--", old, name]);
        if (repository.defaultBranch === old) {
          await git.run(repository.id, ["symbolic-ref", "HEAD", `refs/heads/${name}`]);
          repositories.update(repository.id, { defaultBranch: name });
        }
        return reply.code(201).send(summary(repository, name, found.sha));
      });
    },
  );

  api.get<Route>(
    "/repos/:owner/:repo/commits",
    { config: { docs: "commits/commits#list-commits" } },
    async (request, reply) => {
      const { repository, query } = request;
      if ((await listRefs(github, repository)).length === 0) {
        throw new GitHubError(409, "Git Repository is empty.");
      }
      const from = await commitOf(git, repository.id, query.sha ?? repository.defaultBranch);
      if (from === undefined) throw notFound();
      const { path, since, until } = query;
      const commits = await readCommits(git, repository.id, from, {
        ...(path === undefined ? {} : { path }),
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
      });
      return paginate(request, reply, commits).map((commit) => commitBody(repository, commit));
    },
  );
  api.get<Route>(
    "/repos/:owner/:repo/commits/*",
    { config: { docs: "commits/commits#get-a-commit" } },
    async (request) => {
      const { repository } = request;
      const ref = request.params["*"];
      await git.ensure(repository.id, repository.defaultBranch);
      const sha = await commitOf(git, repository.id, ref);
      if (sha === undefined) throw unprocessable(`No commit found for SHA: ${ref}`);
      const commit = await readCommit(git, repository.id, sha);
      return { ...commitBody(repository, commit), files: await changedFiles(repository, sha) };
    },
  );

  async function changedFiles(repository: Repository, sha: string): Promise<object[]> {
    const out = await git.text(repository.id, [
      "diff-tree",
      "--no-commit-id",
      "-r",
      "-z",
      "--root",
      "-m",
      "--first-parent",
      sha,
    ]);
    const parts = out.split("\0").filter((part) => part !== "");
    const status: Readonly<Record<string, string>> = {
      A: "added",
      D: "removed",
      M: "modified",
      T: "changed",
    };
    return Array.from({ length: Math.floor(parts.length / 2) }, (_, index) => {
      const [, , , blob = "", letter = ""] = (parts[index * 2] ?? "").split(" ");
      return { sha: blob, filename: parts[index * 2 + 1], status: status[letter] ?? "changed" };
    });
  }
}
