import type { FastifyRequest } from "fastify";
import type { Service } from "../core/service.ts";
import { actionsBot, findAccountById, nodeId, simpleAccount } from "./accounts.ts";
import { GitHubError, notFound } from "./errors.ts";
import { type GitHub, idOf, paginate } from "./http.ts";
import { apiUrl, htmlUrl, simpleRepository } from "./repository-body.ts";
import { instant, type Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

/** A run of a workflow. The sandbox executes no jobs: it stays queued until it is cancelled. */
export interface Run {
  readonly id: number;
  readonly number: number;
  readonly workflowId: number;
  readonly name: string;
  readonly path: string;
  readonly event: string;
  readonly ref: string;
  readonly sha: string;
  readonly actorId: number;
  readonly inputs: Readonly<Record<string, string>>;
  readonly jobs: readonly { readonly id: number; readonly name: string }[];
  readonly status: "queued" | "completed";
  readonly conclusion: "cancelled" | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Route = {
  Params: { owner: string; repo: string; id: string };
  Querystring: { event?: string; status?: string; branch?: string; actor?: string };
};
const base = "/repos/:owner/:repo/actions/runs";
const docs = "actions/workflow-runs";
const kind = "github-runs";

/** Notes that a workflow was started. */
export function startRun(
  { cloud, repositories }: GitHub,
  repository: Repository,
  viewer: Viewer,
  started: Pick<Run, "workflowId" | "name" | "path" | "event" | "ref" | "sha" | "inputs"> & {
    jobs: readonly string[];
  },
): Run {
  const { jobs, ...rest } = started;
  const before = repositories
    .children<Run>(kind, repository.id)
    .filter(([, run]) => run.workflowId === started.workflowId).length;
  const now = cloud.clock.now();
  const run: Run = {
    ...rest,
    id: repositories.nextId(),
    number: before + 1,
    actorId: viewer.account.id,
    jobs: jobs.map((name) => ({ id: repositories.nextId(), name })),
    status: "queued",
    conclusion: null,
    createdAt: now,
    updatedAt: now,
  };
  cloud.store.collection<Run>(kind).put(`${repository.id}/${run.id}`, run);
  return run;
}

/** Runs and their jobs, newest first. */
export function runRoutes(api: Service, github: GitHub): void {
  const { cloud, repositories } = github;
  const all = cloud.store.collection<Run>(kind);
  const list = (request: FastifyRequest<Route>, workflowId?: number): Run[] => {
    const { event, status, branch, actor } = request.query;
    return repositories
      .children<Run>(kind, request.repository.id)
      .map(([, run]) => run)
      .filter((run) => workflowId === undefined || run.workflowId === workflowId)
      .filter((run) => event === undefined || run.event === event)
      .filter((run) => status === undefined || run.status === status || run.conclusion === status)
      .filter((run) => branch === undefined || run.ref === `refs/heads/${branch}`)
      .filter((run) => actor === undefined || findAccountById(run.actorId)?.login === actor)
      .sort((a, b) => b.id - a.id);
  };
  const find = (request: FastifyRequest<Route>): Run => {
    const run = all.get(`${request.repository.id}/${idOf(request.params.id)}`);
    if (run === undefined) throw notFound();
    return run;
  };
  const show = (request: FastifyRequest<Route>, run: Run) => runBody(request.repository, run);

  api.get<Route>(
    base,
    { config: { docs: `${docs}#list-workflow-runs-for-a-repository` } },
    async (request, reply) => {
      const runs = list(request);
      return {
        total_count: runs.length,
        workflow_runs: paginate(request, reply, runs).map((run) => show(request, run)),
      };
    },
  );
  api.get<Route>(`${base}/:id`, { config: { docs: `${docs}#get-a-workflow-run` } }, async (request) =>
    show(request, find(request)),
  );
  api.delete<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#delete-a-workflow-run`, needs: "write" } },
    async (request, reply) => {
      const run = find(request);
      if (run.status !== "completed") throw new GitHubError(403, "Workflow run is still queued.");
      all.delete(`${request.repository.id}/${run.id}`);
      return reply.code(204).send();
    },
  );
  api.post<Route>(
    `${base}/:id/cancel`,
    { config: { docs: `${docs}#cancel-a-workflow-run`, needs: "write" } },
    async (request, reply) => {
      const run = find(request);
      if (run.status === "completed") {
        throw new GitHubError(409, "Cannot cancel a workflow run that is completed.");
      }
      const updatedAt = cloud.clock.now();
      all.put(`${request.repository.id}/${run.id}`, {
        ...run,
        status: "completed",
        conclusion: "cancelled",
        updatedAt,
      });
      return reply.code(202).send({});
    },
  );
  api.get<Route>(
    `${base}/:id/jobs`,
    { config: { docs: "actions/workflow-jobs#list-jobs-for-a-workflow-run" } },
    async (request, reply) => {
      const run = find(request);
      const jobs = run.jobs.map((job) => jobBody(request.repository, run, job));
      return { total_count: jobs.length, jobs: paginate(request, reply, jobs) };
    },
  );
  api.get<Route>(
    `${base}/:id/logs`,
    { config: { docs: `${docs}#download-workflow-run-logs` } },
    async (request) => {
      find(request);
      throw notFound("Not Found: the sandbox executes no jobs, so that there are no logs");
    },
  );
  api.get<Route>(
    "/repos/:owner/:repo/actions/workflows/:id/runs",
    { config: { docs: `${docs}#list-workflow-runs-for-a-workflow` } },
    async (request, reply) => {
      const { id } = request.params;
      const wanted = repositories
        .children<{ id: number; path: string }>("github-actions", request.repository.id, "workflow/")
        .map(([, workflow]) => workflow)
        .find((each) => String(each.id) === id || each.path === `.github/workflows/${id}`);
      if (wanted === undefined) throw notFound();
      const runs = list(request, wanted.id);
      return {
        total_count: runs.length,
        workflow_runs: paginate(request, reply, runs).map((run) => show(request, run)),
      };
    },
  );
}

export function runUrls(repository: Repository, run: Run): { url: string; html_url: string } {
  return {
    url: `${apiUrl(repository)}/actions/runs/${run.id}`,
    html_url: `${htmlUrl(repository)}/actions/runs/${run.id}`,
  };
}

function runBody(repository: Repository, run: Run): object {
  const actor = simpleAccount(findAccountById(run.actorId) ?? actionsBot);
  const { url, html_url } = runUrls(repository, run);
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("WFR", run.id),
    head_branch: run.ref.replace(/^refs\/(heads|tags)\//, ""),
    head_sha: run.sha,
    path: run.path,
    display_title: run.name,
    run_number: run.number,
    run_attempt: 1,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflowId,
    url,
    html_url,
    pull_requests: [],
    created_at: instant(run.createdAt),
    updated_at: instant(run.updatedAt),
    run_started_at: instant(run.createdAt),
    actor,
    triggering_actor: actor,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    artifacts_url: `${url}/artifacts`,
    workflow_url: `${apiUrl(repository)}/actions/workflows/${run.workflowId}`,
    repository: simpleRepository(repository),
    head_repository: simpleRepository(repository),
  };
}

function jobBody(repository: Repository, run: Run, job: Run["jobs"][number]): object {
  const { url, html_url } = runUrls(repository, run);
  return {
    id: job.id,
    run_id: run.id,
    run_url: url,
    run_attempt: 1,
    node_id: nodeId("CR", job.id),
    head_sha: run.sha,
    url: `${apiUrl(repository)}/actions/jobs/${job.id}`,
    html_url: `${html_url}/job/${job.id}`,
    status: run.status,
    conclusion: run.conclusion,
    created_at: instant(run.createdAt),
    started_at: instant(run.createdAt),
    completed_at: run.status === "completed" ? instant(run.updatedAt) : null,
    name: job.name,
    steps: [],
    labels: [],
    runner_id: null,
    runner_name: null,
    workflow_name: run.name,
  };
}
