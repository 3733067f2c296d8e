import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { commitOf } from "./commits-write.ts";
import { notFound, unprocessable } from "./errors.ts";
import { type GitHub, paginate, parse, requireViewer } from "./http.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { runUrls, startRun } from "./runs.ts";
import { instant, type Repository } from "./state.ts";
import { listTree } from "./trees-read.ts";
import { checkInputs, readWorkflow, type Workflow } from "./workflow-file.ts";

/** A workflow's identity, kept from when its file was first seen on. */
interface WorkflowRecord {
  readonly id: number;
  readonly path: string;
  readonly state: "active" | "disabled_manually";
  readonly createdAt: number;
}

/** Whether workflows run at all, and what their tokens may do. */
interface Permissions {
  readonly enabled: boolean;
  readonly allowed_actions: "all" | "local_only" | "selected";
  readonly default_workflow_permissions: "read" | "write";
  readonly can_approve_pull_request_reviews: boolean;
}

type Route = { Params: { owner: string; repo: string; workflow: string } };
const base = "/repos/:owner/:repo/actions/workflows";
const kind = "github-actions";
const folder = ".github/workflows/";

/** Workflows as files say them; a dispatch makes a run that nothing executes. */
export function workflowRoutes(api: Service, github: GitHub): void {
  const { cloud, git } = github;
  const body = (repository: Repository, { record, workflow }: FoundWorkflow) => ({
    id: record.id,
    node_id: nodeId("W", record.id),
    name: workflow?.name ?? record.path,
    path: record.path,
    state: record.state,
    created_at: instant(record.createdAt),
    updated_at: instant(record.createdAt),
    url: `${apiUrl(repository)}/actions/workflows/${record.id}`,
    html_url: `${htmlUrl(repository)}/blob/${repository.defaultBranch}/${record.path}`,
    badge_url: `${htmlUrl(repository)}/workflows/${encodeURIComponent(workflow?.name ?? record.path)}/badge.svg`,
  });
  const find = async (request: FastifyRequest<Route>): Promise<FoundWorkflow> => {
    const { workflow } = request.params;
    const all = await workflowsAt(github, request.repository, request.repository.defaultBranch);
    const found = all.find(
      ({ record }) => String(record.id) === workflow || record.path === `${folder}${workflow}`,
    );
    if (found === undefined) throw notFound();
    return found;
  };

  api.get<Route>(
    base,
    { config: { docs: "actions/workflows#list-repository-workflows" } },
    async (request, reply) => {
      const { repository } = request;
      const all = await workflowsAt(github, repository, repository.defaultBranch);
      const shown = paginate(request, reply, all).map((each) => body(repository, each));
      return { total_count: all.length, workflows: shown };
    },
  );
  api.get<Route>(
    `${base}/:workflow`,
    { config: { docs: "actions/workflows#get-a-workflow" } },
    async (request) => body(request.repository, await find(request)),
  );
  for (const [verb, state] of [
    ["enable", "active"],
    ["disable", "disabled_manually"],
  ] as const) {
    api.put<Route>(
      `${base}/:workflow/${verb}`,
      { config: { docs: `actions/workflows#${verb}-a-workflow`, needs: "write" } },
      async (request, reply) => {
        const { record } = await find(request);
        const key = recordKey(request.repository, record.path);
        cloud.store.collection<WorkflowRecord>(kind).put(key, { ...record, state });
        return reply.code(204).send();
      },
    );
  }

  api.post<Route>(
    `${base}/:workflow/dispatches`,
    { config: { docs: "actions/workflows#create-a-workflow-dispatch-event", needs: "write" } },
    async (request, reply) => {
      const { repository } = request;
      const schema = z.object({
        ref: z.string(),
        inputs: z.record(z.string(), z.unknown()).default({}),
        return_run_details: z.boolean().default(false),
      });
      const wanted = parse(schema, request.body);
      const { record } = await find(request);
      if (record.state !== "active")
        throw unprocessable("Cannot trigger a 'workflow_dispatch' on a disabled workflow");
      const ref = await fullRef(repository, wanted.ref);
      if (ref === undefined) throw unprocessable(`No ref found for: ${wanted.ref}`);
      const there = (await workflowsAt(github, repository, ref.name)).find(
        (each) => each.record.path === record.path,
      );
      if (there === undefined) throw notFound();
      if (there.workflow === undefined) throw unprocessable(`failed to parse workflow: ${there.problem}`);
      const checked = checkInputs(there.workflow, wanted.inputs);
      if ("problem" in checked) throw unprocessable(checked.problem);
      const run = startRun(github, repository, requireViewer(request), {
        ...startOf(there.workflow, record),
        event: "workflow_dispatch",
        ref: ref.name,
        sha: ref.sha,
        inputs: checked.inputs,
      });
      if (!wanted.return_run_details) return reply.code(204).send();
      const { url, html_url } = runUrls(repository, run);
      return { workflow_run_id: run.id, run_url: url, html_url };
    },
  );

  async function fullRef(
    repository: Repository,
    ref: string,
  ): Promise<{ name: string; sha: string } | undefined> {
    for (const name of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`].filter((each) =>
      each.startsWith("refs/"),
    )) {
      const sha = await commitOf(git, repository.id, name);
      if (sha !== undefined) return { name, sha };
    }
    return undefined;
  }

  permissionRoutes(api, github);
}

interface FoundWorkflow {
  readonly record: WorkflowRecord;
  /** Undefined when the file is no workflow. */
  readonly workflow: Workflow | undefined;
  readonly problem?: string;
}

/** What a run of a workflow takes from it. */
export function startOf(workflow: Workflow, record: { id: number; path: string }) {
  return {
    workflowId: record.id,
    name: workflow.name ?? record.path,
    path: record.path,
    jobs: workflow.jobs.map(({ name }) => name),
  };
}

/** The workflows that the files of a commit say there are. */
export async function workflowsAt(
  github: GitHub,
  repository: Repository,
  ref: string,
): Promise<FoundWorkflow[]> {
  const { git } = github;
  const { id } = repository;
  await git.ensure(id, repository.defaultBranch);
  const commit = await commitOf(git, id, ref);
  if (commit === undefined) return [];
  const entries = await listTree(git, id, commit, { path: folder });
  const files = entries.filter(({ path, type }) => type === "blob" && /\.ya?ml$/.test(path));
  return Promise.all(
    files.map(async ({ path, sha }) => {
      const text = await git.text(id, ["cat-file", "blob", sha]);
      const read = readWorkflow(text);
      const record = recordOf(github, repository, path);
      return "problem" in read
        ? { record, workflow: undefined, problem: read.problem }
        : { record, workflow: read };
    }),
  );
}

function recordOf({ cloud, repositories }: GitHub, repository: Repository, path: string): WorkflowRecord {
  const all = cloud.store.collection<WorkflowRecord>(kind);
  const key = recordKey(repository, path);
  const known = all.get(key);
  if (known !== undefined) return known;
  const made: WorkflowRecord = {
    id: repositories.nextId(),
    path,
    state: "active",
    createdAt: cloud.clock.now(),
  };
  all.put(key, made);
  return made;
}

function recordKey(repository: Repository, path: string): string {
  return `${repository.id}/workflow/${path}`;
}

const defaultPermissions: Permissions = {
  enabled: true,
  allowed_actions: "all",
  default_workflow_permissions: "read",
  can_approve_pull_request_reviews: false,
};

export function permissionsOf({ cloud }: GitHub, repository: Repository): Permissions {
  return cloud.store.collection<Permissions>(kind).get(`${repository.id}/permissions`) ?? defaultPermissions;
}

function permissionRoutes(api: Service, github: GitHub): void {
  const { cloud } = github;
  const put = (repository: Repository, change: Partial<Permissions>) =>
    cloud.store
      .collection<Permissions>(kind)
      .put(`${repository.id}/permissions`, { ...permissionsOf(github, repository), ...change });
  const path = "/repos/:owner/:repo/actions/permissions";
  const config = (docs: string) => ({
    config: { docs: `actions/permissions#${docs}`, needs: "admin" as const },
  });

  api.get<Route>(path, config("get-github-actions-permissions-for-a-repository"), async ({ repository }) => {
    const { enabled, allowed_actions } = permissionsOf(github, repository);
    return enabled ? { enabled, allowed_actions, sha_pinning_required: false } : { enabled };
  });
  api.put<Route>(path, config("set-github-actions-permissions-for-a-repository"), async (request, reply) => {
    const schema = z.object({
      enabled: z.boolean(),
      allowed_actions: z.enum(["all", "local_only", "selected"]).optional(),
    });
    const { enabled, allowed_actions } = parse(schema, request.body);
    put(request.repository, { enabled, ...(allowed_actions === undefined ? {} : { allowed_actions }) });
    return reply.code(204).send();
  });
  api.get<Route>(
    `${path}/workflow`,
    config("get-default-workflow-permissions-for-a-repository"),
    async ({ repository }) => {
      const { default_workflow_permissions, can_approve_pull_request_reviews } = permissionsOf(
        github,
        repository,
      );
      return { default_workflow_permissions, can_approve_pull_request_reviews };
    },
  );
  api.put<Route>(
    `${path}/workflow`,
    config("set-default-workflow-permissions-for-a-repository"),
    async (request, reply) => {
      const schema = z.object({
        default_workflow_permissions: z.enum(["read", "write"]).optional(),
        can_approve_pull_request_reviews: z.boolean().optional(),
      });
      const wanted = parse(schema, request.body);
      const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
      put(request.repository, Object.fromEntries(given));
      return reply.code(204).send();
    },
  );
}
