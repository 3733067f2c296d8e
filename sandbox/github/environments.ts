import { z } from "zod";
import type { Service } from "../core/service.ts";
import { type Account, accessIn, findAccountById, nodeId, reaches, simpleAccount } from "./accounts.ts";
import { notFound, unprocessable } from "./errors.ts";
import { type GitHub, paginate, parse } from "./http.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { instant, type Repositories, type Repository } from "./state.ts";
import { findTeamById, teamBody } from "./teams.ts";

interface Reviewer {
  readonly type: "User" | "Team";
  readonly id: number;
}

/** A deployment environment of a repository, as the sandbox keeps it. */
export interface Environment {
  readonly id: number;
  readonly name: string;
  /** Minutes. */
  readonly waitTimer: number;
  readonly preventSelfReview: boolean;
  readonly canAdminsBypass: boolean;
  readonly reviewers: readonly Reviewer[];
  readonly branchPolicy: { readonly protected: boolean; readonly custom: boolean } | null;
  /** Ids of the rules, given when each first came up. */
  readonly ruleIds: { readonly wait: number; readonly reviewers: number; readonly branches: number };
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Route = { Params: { owner: string; repo: string; environment: string } };
const base = "/repos/:owner/:repo/environments";

const putSchema = z
  .object({
    wait_timer: z.number().int().optional(),
    prevent_self_review: z.boolean().optional(),
    can_admins_bypass: z.boolean().optional(),
    reviewers: z.array(z.object({ type: z.enum(["User", "Team"]), id: z.number().int() })).nullish(),
    deployment_branch_policy: z
      .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
      .nullish(),
  })
  .nullish();

/** 30 days. Source: docs.github.com, managing environments for deployment. */
const longestWait = 43_200;

/** Environments with their protection rules. Each PUT says everything: what it leaves out is off. */
export function environmentRoutes(api: Service, github: GitHub): void {
  const { repositories } = github;

  api.get<Route>(
    base,
    { config: { docs: "deployments/environments#list-environments" } },
    async (request, reply) => {
      const all = repositories.children<Environment>("github-environments", request.repository.id);
      const shown = paginate(request, reply, all).map(([, each]) =>
        environmentBody(request.repository, each),
      );
      return { total_count: all.length, environments: shown };
    },
  );
  api.get<Route>(
    `${base}/:environment`,
    { config: { docs: "deployments/environments#get-an-environment" } },
    async (request) =>
      environmentBody(
        request.repository,
        requireEnvironment(repositories, request.repository, request.params.environment),
      ),
  );
  api.put<Route>(
    `${base}/:environment`,
    { config: { docs: "deployments/environments#create-or-update-an-environment" } },
    async (request) => {
      const { repository, params } = request;
      const body = parse(putSchema, request.body) ?? {};
      const reviewers = body.reviewers ?? [];
      checkName(params.environment);
      checkRules(repository, body.wait_timer ?? 0, reviewers, body.deployment_branch_policy ?? undefined);
      const policy = body.deployment_branch_policy;
      const now = github.cloud.clock.now();
      const made = putEnvironment(github, repository, params.environment, {
        waitTimer: body.wait_timer ?? 0,
        preventSelfReview: body.prevent_self_review ?? false,
        canAdminsBypass: body.can_admins_bypass ?? true,
        reviewers,
        branchPolicy: policy
          ? { protected: policy.protected_branches, custom: policy.custom_branch_policies }
          : null,
        updatedAt: now,
      });
      return environmentBody(repository, made);
    },
  );
  api.delete<Route>(
    `${base}/:environment`,
    { config: { docs: "deployments/environments#delete-an-environment" } },
    async (request, reply) => {
      const { repository } = request;
      const found = requireEnvironment(repositories, repository, request.params.environment);
      github.cloud.store.transaction(() => {
        github.cloud.store.collection("github-environments").delete(key(repository, found.name));
        for (const kind of ["github-branch-policies", "github-variables", "github-secrets"] as const) {
          for (const [child] of repositories.children(kind, repository.id, below(found.name)))
            github.cloud.store.collection(kind).delete(child);
        }
      });
      return reply.code(204).send();
    },
  );
}

/** Makes an environment, or gives one that is there other rules. */
export function putEnvironment(
  { cloud, repositories }: GitHub,
  repository: Repository,
  name: string,
  rules: Omit<Environment, "id" | "name" | "ruleIds" | "createdAt">,
): Environment {
  const environments = cloud.store.collection<Environment>("github-environments");
  const old = environments.get(key(repository, name));
  const next = () => repositories.nextId();
  const made: Environment = {
    id: old?.id ?? next(),
    name: old?.name ?? name,
    createdAt: old?.createdAt ?? cloud.clock.now(),
    ruleIds: old?.ruleIds ?? { wait: next(), reviewers: next(), branches: next() },
    ...rules,
  };
  environments.put(key(repository, name), made);
  return made;
}

/** An environment that a workflow names springs into being, without any protection. */
export function springIntoBeing(github: GitHub, repository: Repository, name: string): Environment {
  const found = findEnvironment(github.repositories, repository, name);
  if (found !== undefined) return found;
  return putEnvironment(github, repository, name, {
    waitTimer: 0,
    preventSelfReview: false,
    canAdminsBypass: true,
    reviewers: [],
    branchPolicy: null,
    updatedAt: github.cloud.clock.now(),
  });
}

/** Names of environments have no case. */
export function findEnvironment(
  repositories: Repositories,
  repository: Repository,
  name: string,
): Environment | undefined {
  const wanted = key(repository, name);
  return repositories
    .children<Environment>("github-environments", repository.id)
    .find(([each]) => each === wanted)?.[1];
}

/** @throws GitHubError 404 */
export function requireEnvironment(
  repositories: Repositories,
  repository: Repository,
  name: string,
): Environment {
  const found = findEnvironment(repositories, repository, name);
  if (found === undefined) throw notFound();
  return found;
}

/** Where what belongs to an environment is kept, below its repository. */
export function below(environment: string): string {
  return `${encodeURIComponent(environment.toLowerCase())}/`;
}

function key(repository: Repository, name: string): string {
  return `${repository.id}/${name.toLowerCase()}`;
}

function checkName(name: string): void {
  if (name.length > 255 || name.trim() === "" || /[\p{Cc}'"`,;\\]/u.test(name)) {
    throw unprocessable(`Validation Failed: the environment's name is not valid: ${JSON.stringify(name)}`);
  }
}

function checkRules(
  repository: Repository,
  waitTimer: number,
  reviewers: readonly Reviewer[],
  policy: { protected_branches: boolean; custom_branch_policies: boolean } | undefined,
): void {
  if (waitTimer < 0 || waitTimer > longestWait) {
    throw unprocessable(`Validation Failed: wait_timer must be between 0 and ${longestWait} minutes.`);
  }
  if (reviewers.length > 6) throw unprocessable("Validation Failed: there can be up to six reviewers.");
  for (const each of reviewers) {
    const known =
      each.type === "Team"
        ? findTeamById(each.id) !== undefined
        : canReview(repository, findAccountById(each.id));
    if (!known) {
      throw unprocessable(
        `Validation Failed: the ${each.type.toLowerCase()} ${each.id} does not exist or has no access to the repository.`,
      );
    }
  }
  if (policy !== undefined && policy.protected_branches === policy.custom_branch_policies) {
    throw unprocessable(
      "Validation Failed: protected_branches and custom_branch_policies cannot have the same value.",
    );
  }
}

function canReview(repository: Repository, account: Account | undefined): boolean {
  return account?.type === "User" && reaches(accessIn(repository.owner, account.login), "read");
}

export function environmentBody(repository: Repository, environment: Environment): object {
  const { ruleIds, branchPolicy, reviewers } = environment;
  const rule = (id: number, type: string) => ({ id, node_id: nodeId("GA", id), type });
  const path = encodeURIComponent(environment.name);
  return {
    id: environment.id,
    node_id: nodeId("EN", environment.id),
    name: environment.name,
    url: `${apiUrl(repository)}/environments/${path}`,
    html_url: `${htmlUrl(repository)}/deployments/activity_log?environments_filter=${path}`,
    created_at: instant(environment.createdAt),
    updated_at: instant(environment.updatedAt),
    can_admins_bypass: environment.canAdminsBypass,
    protection_rules: [
      ...(environment.waitTimer > 0
        ? [{ ...rule(ruleIds.wait, "wait_timer"), wait_timer: environment.waitTimer }]
        : []),
      ...(reviewers.length > 0
        ? [
            {
              ...rule(ruleIds.reviewers, "required_reviewers"),
              prevent_self_review: environment.preventSelfReview,
              reviewers: reviewers.map(reviewerBody),
            },
          ]
        : []),
      ...(branchPolicy === null ? [] : [rule(ruleIds.branches, "branch_policy")]),
    ],
    deployment_branch_policy:
      branchPolicy === null
        ? null
        : { protected_branches: branchPolicy.protected, custom_branch_policies: branchPolicy.custom },
  };
}

function reviewerBody({ type, id }: Reviewer): object {
  if (type === "Team") {
    const team = findTeamById(id);
    return { type, reviewer: team === undefined ? null : teamBody(team) };
  }
  const account = findAccountById(id);
  return { type, reviewer: account === undefined ? null : simpleAccount(account) };
}
