import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { findAccountById, nodeId, simpleAccount } from "./accounts.ts";
import { commitBody, readCommits } from "./commits-read.ts";
import { commitOf } from "./commits-write.ts";
import { GitHubError, invalid, notFound } from "./errors.ts";
import { accessOf, type GitHub, idOf, paginate, parse, requireViewer } from "./http.ts";
import { mergePull } from "./pull-merge.ts";
import { findPull, openFrom, type PullRequest, pullsOf, putPull } from "./pulls-state.ts";
import { changedFiles, pullRequestHappened, pushed } from "./pushes.ts";
import { apiUrl, htmlUrl, repositoryBody } from "./repository-body.ts";
import { instant, type Repository } from "./state.ts";

type Route = {
  Params: { owner: string; repo: string; number: string };
  Querystring: { state?: string; head?: string; base?: string };
};
const base = "/repos/:owner/:repo/pulls";
const docs = "pulls/pulls";

const createSchema = z.object({
  title: z.string().min(1),
  head: z.string().min(1),
  base: z.string().min(1),
  body: z.string().nullish(),
  draft: z.boolean().default(false),
});
const changeSchema = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
});
const mergeSchema = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).default("merge"),
});

/** Pull requests between branches of one repository: opened, changed, merged. There are no forks and no reviews. */
export function pullRoutes(api: Service, github: GitHub): void {
  const { git, cloud, repositories } = github;
  const find = (request: FastifyRequest<Route>): PullRequest => {
    const found = findPull(github, request.repository, idOf(request.params.number));
    if (found === undefined) throw notFound();
    return found;
  };
  const show = (request: FastifyRequest<Route>, pull: PullRequest) =>
    pullBody(
      request.repository,
      pull,
      repositoryBody(request.repository, accessOf(request.viewer, request.repository), undefined),
    );

  api.post<Route>(
    base,
    { config: { docs: `${docs}#create-a-pull-request`, needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const viewer = requireViewer(request);
      const wanted = parse(createSchema, request.body);
      await git.ensure(repository.id, repository.defaultBranch);
      const head = wanted.head.replace(new RegExp(`^${repository.owner}:`, "i"), "");
      const headSha = await commitOf(git, repository.id, `refs/heads/${head}`);
      const baseSha = await commitOf(git, repository.id, `refs/heads/${wanted.base}`);
      const problem = (field: string) => invalid({ resource: "PullRequest", field, code: "invalid" });
      if (headSha === undefined) throw problem("head");
      if (baseSha === undefined) throw problem("base");
      const custom = (message: string) => invalid({ resource: "PullRequest", code: "custom", message });
      if (openFrom(github, repository, head).some((each) => each.base === wanted.base)) {
        throw custom(`A pull request already exists for ${repository.owner}:${head}.`);
      }
      const ahead = await readCommits(git, repository.id, `${baseSha}..${headSha}`, { limit: 1 });
      if (ahead.length === 0) throw custom(`No commits between ${wanted.base} and ${head}`);
      const now = cloud.clock.now();
      const made = putPull(github, repository, {
        id: repositories.nextId(),
        number: (pullsOf(github, repository)[0]?.number ?? 0) + 1,
        title: wanted.title,
        body: wanted.body ?? null,
        draft: wanted.draft,
        state: "open",
        authorId: viewer.account.id,
        head,
        base: wanted.base,
        headSha,
        baseSha,
        createdAt: now,
        updatedAt: now,
      });
      await git.run(repository.id, ["update-ref", `refs/pull/${made.number}/head`, headSha]);
      await pullRequestHappened(github, repository, viewer, made, "opened");
      return reply.code(201).send(show(request, made));
    },
  );
  api.get<Route>(base, { config: { docs: `${docs}#list-pull-requests` } }, async (request, reply) => {
    const { state = "open", head, base: onto } = request.query;
    const branch = head?.split(":").at(-1);
    const wanted = pullsOf(github, request.repository)
      .filter((pull) => state === "all" || pull.state === state)
      .filter((pull) => branch === undefined || pull.head === branch)
      .filter((pull) => onto === undefined || pull.base === onto);
    return paginate(request, reply, wanted).map((pull) => show(request, pull));
  });
  api.get<Route>(`${base}/:number`, { config: { docs: `${docs}#get-a-pull-request` } }, async (request) =>
    show(request, find(request)),
  );
  api.patch<Route>(
    `${base}/:number`,
    { config: { docs: `${docs}#update-a-pull-request`, needs: "write" } },
    async (request) => {
      const { title, body, state } = parse(changeSchema, request.body);
      const old = find(request);
      if (state === "open" && old.merged !== undefined) {
        throw invalid({ resource: "PullRequest", field: "state", code: "invalid" });
      }
      const now = cloud.clock.now();
      const { closedAt: _, ...rest } = old;
      const changed = putPull(github, request.repository, {
        ...(state === "open" ? rest : old),
        ...(title === undefined ? {} : { title }),
        ...(body === undefined ? {} : { body }),
        ...(state === undefined ? {} : { state }),
        ...(state === "closed" && old.state === "open" ? { closedAt: now } : {}),
        updatedAt: now,
      });
      if (changed.state !== old.state) {
        const action = changed.state === "closed" ? "closed" : "reopened";
        await pullRequestHappened(github, request.repository, requireViewer(request), changed, action);
      }
      return show(request, changed);
    },
  );
  api.get<Route>(
    `${base}/:number/commits`,
    { config: { docs: `${docs}#list-commits-on-a-pull-request` } },
    async (request, reply) => {
      const { baseSha, headSha } = find(request);
      const commits = await readCommits(git, request.repository.id, `${baseSha}..${headSha}`);
      const shown = commits.reverse().map((commit) => commitBody(request.repository, commit));
      return paginate(request, reply, shown);
    },
  );
  api.get<Route>(
    `${base}/:number/files`,
    { config: { docs: `${docs}#list-pull-requests-files` } },
    async (request, reply) => {
      const { headSha, baseSha } = find(request);
      const push = { ref: "", before: baseSha, after: headSha };
      const files = await changedFiles(github, request.repository, push);
      return paginate(request, reply, files).map((filename) => ({ filename }));
    },
  );
  api.get<Route>(
    `${base}/:number/merge`,
    { config: { docs: `${docs}#check-if-a-pull-request-has-been-merged` } },
    async (request, reply) => {
      if (find(request).merged === undefined) throw notFound();
      return reply.code(204).send();
    },
  );
  api.put<Route>(
    `${base}/:number/merge`,
    { config: { docs: `${docs}#merge-a-pull-request`, needs: "write" } },
    async (request) => {
      const { repository } = request;
      const viewer = requireViewer(request);
      const wanted = parse(mergeSchema, request.body);
      return git.inTurn(repository.id, async () => {
        const pull = find(request);
        if (wanted.sha !== undefined && wanted.sha !== pull.headSha) {
          throw new GitHubError(409, "Head branch was modified. Review and try the merge again.");
        }
        const merged = await mergePull(github, repository, viewer, pull, {
          method: wanted.merge_method,
          title: wanted.commit_title,
          message: wanted.commit_message,
        });
        const ref = `refs/heads/${pull.base}`;
        await pushed(github, repository, viewer, { ref, before: merged.before, after: merged.sha });
        await pullRequestHappened(github, repository, viewer, merged.pull, "closed");
        return { sha: merged.sha, merged: true, message: "Pull Request successfully merged" };
      });
    },
  );
}

function pullBody(repository: Repository, pull: PullRequest, whole: object): object {
  const url = `${apiUrl(repository)}/pulls/${pull.number}`;
  const issue = `${apiUrl(repository)}/issues/${pull.number}`;
  const html = `${htmlUrl(repository)}/pull/${pull.number}`;
  const author = findAccountById(pull.authorId);
  const user = author === undefined ? null : simpleAccount(author);
  const merger = pull.merged === undefined ? undefined : findAccountById(pull.merged.byId);
  const side = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: (whole as { owner?: object }).owner,
    repo: whole,
  });
  return {
    id: pull.id,
    node_id: nodeId("PR", pull.id),
    number: pull.number,
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: `${url}/commits`,
    comments_url: `${issue}/comments`,
    state: pull.state,
    locked: false,
    title: pull.title,
    body: pull.body,
    user,
    draft: pull.draft,
    labels: [],
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    milestone: null,
    head: side(pull.head, pull.headSha),
    base: side(pull.base, pull.baseSha),
    author_association: "MEMBER",
    auto_merge: null,
    merged: pull.merged !== undefined,
    merged_by: merger === undefined ? null : simpleAccount(merger),
    merge_commit_sha: pull.merged?.sha ?? null,
    mergeable: pull.state === "open" ? true : null,
    created_at: instant(pull.createdAt),
    updated_at: instant(pull.updatedAt),
    closed_at: pull.closedAt === undefined ? null : instant(pull.closedAt),
    merged_at: pull.merged === undefined ? null : instant(pull.merged.at),
  };
}
