import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { nodeId } from "./accounts.ts";
import { invalid, notFound, unprocessable } from "./errors.ts";
import { type GitHub, idOf, paginate, parse } from "./http.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { type Ruleset, rulesFor } from "./ruleset-match.ts";
import { fullName, instant, type Repository } from "./state.ts";

type Route = { Params: { owner: string; repo: string; id: string; "*": string } };
const base = "/repos/:owner/:repo/rulesets";
const kind = "github-rulesets";
const docs = "repos/rules";

const ruleTypes = [
  "creation",
  "update",
  "deletion",
  "required_linear_history",
  "required_deployments",
  "required_signatures",
  "pull_request",
  "required_status_checks",
  "non_fast_forward",
  "commit_message_pattern",
  "commit_author_email_pattern",
  "committer_email_pattern",
  "branch_name_pattern",
  "tag_name_pattern",
  "merge_queue",
  "workflows",
  "code_scanning",
  "copilot_code_review",
  "file_path_restriction",
  "max_file_path_length",
  "file_extension_restriction",
  "max_file_size",
] as const;

const shapes = {
  name: z.string().min(1),
  target: z.enum(["branch", "tag", "push"]),
  enforcement: z.enum(["active", "disabled", "evaluate"]),
  bypass_actors: z.array(z.record(z.string(), z.unknown())),
  conditions: z
    .object({
      ref_name: z.object({ include: z.array(z.string()), exclude: z.array(z.string()) }).optional(),
    })
    .nullable(),
  rules: z.array(
    z.object({ type: z.enum(ruleTypes), parameters: z.record(z.string(), z.unknown()).optional() }),
  ),
};
const createSchema = z.object({
  ...shapes,
  target: shapes.target.default("branch"),
  bypass_actors: shapes.bypass_actors.default([]),
  conditions: shapes.conditions.default({}),
  rules: shapes.rules.default([]),
});
const changeSchema = z.object(shapes).partial();

/**
 * Rulesets of a repository. They are kept whole; enforced are those against creating, moving, deleting and rewinding
 * refs, and a required pull request against direct commits.
 */
export function rulesetRoutes(api: Service, { cloud, repositories, git }: GitHub): void {
  const github = { cloud, repositories, git };
  const all = cloud.store.collection<Ruleset>(kind);
  const key = (repository: Repository, id: number) => `${repository.id}/${id}`;
  const list = (repository: Repository) =>
    repositories.children<Ruleset>(kind, repository.id).map(([, ruleset]) => ruleset);
  const find = (request: FastifyRequest<Route>): Ruleset => {
    const found = all.get(key(request.repository, idOf(request.params.id)));
    if (found === undefined) throw notFound();
    return found;
  };
  const requireName = (repository: Repository, name: string, own?: number) => {
    if (list(repository).some((each) => each.name === name && each.id !== own)) {
      throw invalid({ resource: "Ruleset", field: "name", code: "custom", message: "Name must be unique" });
    }
  };

  api.get<Route>(base, { config: { docs: `${docs}#get-all-repository-rulesets` } }, async (request, reply) =>
    paginate(request, reply, list(request.repository)).map((each) => rulesetBody(request.repository, each)),
  );
  api.post<Route>(
    base,
    { config: { docs: `${docs}#create-a-repository-ruleset` } },
    async (request, reply) => {
      const body = parse(createSchema, request.body);
      const { repository } = request;
      requireName(repository, body.name);
      if (body.target !== "push" && body.conditions?.ref_name === undefined) {
        throw unprocessable("Invalid request.\n\nconditions.ref_name wasn't supplied.");
      }
      const now = cloud.clock.now();
      const made = {
        id: repositories.nextId(),
        name: body.name,
        target: body.target,
        enforcement: body.enforcement,
        bypassActors: body.bypass_actors,
        conditions: body.conditions ?? {},
        rules: body.rules,
        createdAt: now,
        updatedAt: now,
      } as Ruleset;
      all.put(key(repository, made.id), made);
      return reply.code(201).send(rulesetBody(repository, made));
    },
  );
  api.get<Route>(`${base}/:id`, { config: { docs: `${docs}#get-a-repository-ruleset` } }, async (request) =>
    rulesetBody(request.repository, find(request)),
  );
  api.put<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#update-a-repository-ruleset` } },
    async (request) => {
      const body = parse(changeSchema, request.body);
      const old = find(request);
      if (body.name !== undefined) requireName(request.repository, body.name, old.id);
      const changed = {
        ...old,
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.target === undefined ? {} : { target: body.target }),
        ...(body.enforcement === undefined ? {} : { enforcement: body.enforcement }),
        ...(body.bypass_actors === undefined ? {} : { bypassActors: body.bypass_actors }),
        ...(body.conditions === undefined ? {} : { conditions: body.conditions ?? {} }),
        ...(body.rules === undefined ? {} : { rules: body.rules }),
        updatedAt: cloud.clock.now(),
      } as Ruleset;
      all.put(key(request.repository, old.id), changed);
      return rulesetBody(request.repository, changed);
    },
  );
  api.delete<Route>(
    `${base}/:id`,
    { config: { docs: `${docs}#delete-a-repository-ruleset` } },
    async (request, reply) => {
      all.delete(key(request.repository, find(request).id));
      return reply.code(204).send();
    },
  );
  api.get<Route>(
    "/repos/:owner/:repo/rules/branches/*",
    { config: { docs: `${docs}#get-rules-for-a-branch` } },
    async (request) => rulesFor(github, request.repository, `refs/heads/${request.params["*"]}`),
  );
}

function rulesetBody(repository: Repository, ruleset: Ruleset): object {
  return {
    id: ruleset.id,
    node_id: nodeId("RRS", ruleset.id),
    name: ruleset.name,
    target: ruleset.target,
    source_type: "Repository",
    source: fullName(repository),
    enforcement: ruleset.enforcement,
    bypass_actors: ruleset.bypassActors,
    current_user_can_bypass: "never",
    conditions: ruleset.conditions,
    rules: ruleset.rules,
    created_at: instant(ruleset.createdAt),
    updated_at: instant(ruleset.updatedAt),
    _links: {
      self: { href: `${apiUrl(repository)}/rulesets/${ruleset.id}` },
      html: { href: `${htmlUrl(repository)}/rules/${ruleset.id}` },
    },
  };
}
