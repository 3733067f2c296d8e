import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { below, type Environment, requireEnvironment } from "./environments.ts";
import { GitHubError, notFound } from "./errors.ts";
import { type GitHub, idOf, paginate, parse } from "./http.ts";
import { isGuarded } from "./rules-in-force.ts";
import { matchesPattern } from "./ruleset-match.ts";
import type { Repository } from "./state.ts";

/** Which branches or tags may deploy to an environment. */
export interface BranchPolicy {
  readonly id: number;
  /** A pattern, such as `release/*`. */
  readonly name: string;
  readonly type: "branch" | "tag";
}

type Route = { Params: { owner: string; repo: string; environment: string; id: string } };
const base = "/repos/:owner/:repo/environments/:environment/deployment-branch-policies";
const docs = "deployments/branch-policies";
const kind = "github-branch-policies";

/** The custom branch policies of environments that have such. */
export function branchPolicyRoutes(api: Service, { cloud, repositories }: GitHub): void {
  const environmentOf = (request: FastifyRequest<Route>): Environment =>
    requireEnvironment(repositories, request.repository, request.params.environment);
  const policies = (request: FastifyRequest<Route>) =>
    repositories.children<BranchPolicy>(kind, request.repository.id, below(environmentOf(request).name));
  const find = (request: FastifyRequest<Route>): [string, BranchPolicy] => {
    const id = idOf(request.params.id);
    const found = policies(request).find(([, policy]) => policy.id === id);
    if (found === undefined) throw notFound();
    return found;
  };

  api.get<Route>(
    base,
    { config: { docs: `${docs}#list-deployment-branch-policies` } },
    async (request, reply) => {
      const all = policies(request);
      const shown = paginate(request, reply, all).map(([, policy]) => policyBody(policy));
      return { total_count: all.length, branch_policies: shown };
    },
  );
  api.post<Route>(
    base,
    { config: { docs: `${docs}#create-a-deployment-branch-policy` } },
    async (request) => {
      const schema = z.object({ name: z.string().min(1), type: z.enum(["branch", "tag"]).default("branch") });
      const { name, type } = parse(schema, request.body);
      const environment = environmentOf(request);
      if (environment.branchPolicy?.custom !== true) {
        throw notFound("Not Found: the environment has no custom branch policies");
      }
      const same = policies(request).find(([, each]) => each.name === name && each.type === type)?.[1];
      if (same !== undefined) {
        const location = `https://api.github.com${request.originalUrl}/${same.id}`;
        throw new GitHubError(303, "See Other", { headers: { location } });
      }
      const made: BranchPolicy = { id: repositories.nextId(), name, type };
      const key = `${request.repository.id}/${below(environment.name)}${made.id}`;
      cloud.store.collection<BranchPolicy>(kind).put(key, made);
      return policyBody(made);
    },
  );
  api.get<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#get-a-deployment-branch-policy` } },
    async (request) => policyBody(find(request)[1]),
  );
  api.put<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#update-a-deployment-branch-policy` } },
    async (request) => {
      const { name } = parse(z.object({ name: z.string().min(1) }), request.body);
      const [key, policy] = find(request);
      const changed = { ...policy, name };
      cloud.store.collection<BranchPolicy>(kind).put(key, changed);
      return policyBody(changed);
    },
  );
  api.delete<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#delete-a-deployment-branch-policy` } },
    async (request, reply) => {
      cloud.store.collection<BranchPolicy>(kind).delete(find(request)[0]);
      return reply.code(204).send();
    },
  );
}

/** Whether a ref may deploy to an environment. Without a policy all may. */
export function mayDeploy(
  github: GitHub,
  repository: Repository,
  environment: Environment,
  ref: string,
): boolean {
  const { branchPolicy, name } = environment;
  if (branchPolicy === null) return true;
  if (branchPolicy.protected) return isGuarded(github, repository, ref);
  return github.repositories
    .children<BranchPolicy>(kind, repository.id, below(name))
    .some(([, policy]) =>
      matchesPattern(ref, `refs/${policy.type === "tag" ? "tags" : "heads"}/${policy.name}`),
    );
}

function policyBody(policy: BranchPolicy): object {
  return { id: policy.id, node_id: nodeId("GA", policy.id), name: policy.name, type: policy.type };
}
