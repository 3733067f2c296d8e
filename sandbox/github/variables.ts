import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { below, requireEnvironment } from "./environments.ts";
import { GitHubError, notFound, unprocessable } from "./errors.ts";
import { type GitHub, paginate, parse } from "./http.ts";
import { instant, type Repositories } from "./state.ts";

/** A configuration variable of a repository or of one of its environments. */
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Route = { Params: { owner: string; repo: string; environment?: string; name: string } };
const docs = "actions/variables";
const kind = "github-variables";

/** Source: docs.github.com, "Variables reference": 48 KB a value, 500 a repository, 100 an environment. */
const longestValue = 48 * 1024;
const mostOf = { repository: 500, environment: 100 };

export function variableRoutes(api: Service, github: GitHub): void {
  const { cloud, repositories } = github;
  const all = cloud.store.collection<Variable>(kind);

  for (const [base, what] of [
    ["/repos/:owner/:repo/actions/variables", "a-repository"],
    ["/repos/:owner/:repo/environments/:environment/variables", "an-environment"],
  ] as const) {
    const config = (verb: string) => ({
      config: { docs: `${docs}#${verb}-${what}-variable`, needs: "write" as const },
    });
    const list = (request: FastifyRequest<Route>) => {
      const scope = scopeOf(repositories, request);
      const children = repositories.children<Variable>(kind, request.repository.id, scope.below);
      return children.sort(([a], [b]) => a.localeCompare(b)).map(([, variable]) => variable);
    };
    const find = (request: FastifyRequest<Route>): { key: string; variable: Variable } => {
      const key = keyOf(repositories, request, request.params.name);
      const variable = all.get(key);
      if (variable === undefined) throw notFound();
      return { key, variable };
    };

    api.get<Route>(base, config("list"), async (request, reply) => {
      const variables = list(request);
      const shown = paginate(request, reply, variables, { usual: 10, most: 30 }).map(variableBody);
      return { total_count: variables.length, variables: shown };
    });
    api.post<Route>(base, config("create"), async (request, reply) => {
      const { name, value } = parse(z.object({ name: z.string(), value: z.string() }), request.body);
      const key = keyOf(repositories, request, checkedName(name, "Variable"));
      if (all.get(key) !== undefined) throw new GitHubError(409, "Already exists - Variable already exists");
      const most = request.params.environment === undefined ? mostOf.repository : mostOf.environment;
      if (list(request).length >= most) throw unprocessable(`There can be no more than ${most} variables.`);
      const now = cloud.clock.now();
      all.put(key, { name: name.toUpperCase(), value: checkedValue(value), createdAt: now, updatedAt: now });
      return reply.code(201).send({});
    });
    api.get<Route>(`${base}/:name`, config("get"), async (request) => variableBody(find(request).variable));
    api.patch<Route>(`${base}/:name`, config("update"), async (request, reply) => {
      const schema = z.object({ name: z.string().optional(), value: z.string().optional() });
      const { name, value } = parse(schema, request.body);
      const { key, variable } = find(request);
      const renamed = name === undefined ? key : keyOf(repositories, request, checkedName(name, "Variable"));
      if (renamed !== key && all.get(renamed) !== undefined) {
        throw new GitHubError(409, "Already exists - Variable already exists");
      }
      cloud.store.transaction(() => {
        if (renamed !== key) all.delete(key);
        all.put(renamed, {
          ...variable,
          ...(name === undefined ? {} : { name: name.toUpperCase() }),
          ...(value === undefined ? {} : { value: checkedValue(value) }),
          updatedAt: cloud.clock.now(),
        });
      });
      return reply.code(204).send();
    });
    api.delete<Route>(`${base}/:name`, config("delete"), async (request, reply) => {
      all.delete(find(request).key);
      return reply.code(204).send();
    });
  }
}

/**
 * Where the settings of a path are kept: those of an environment below its name, the repository's own below `%`, which
 * is no encoded name.
 * @throws GitHubError 404 when it has no such environment
 */
export function scopeOf(
  repositories: Repositories,
  request: Pick<FastifyRequest, "repository"> & { params: { environment?: string } },
): { below: string } {
  const { environment } = request.params;
  if (environment === undefined) return { below: "%/" };
  return { below: below(requireEnvironment(repositories, request.repository, environment).name) };
}

/** Names of variables and secrets have no case. */
export function keyOf(
  repositories: Repositories,
  request: Pick<FastifyRequest, "repository"> & { params: { environment?: string } },
  name: string,
): string {
  return `${request.repository.id}/${scopeOf(repositories, request).below}${name.toUpperCase()}`;
}

/** @throws GitHubError 422 for a name that GitHub does not take */
export function checkedName(name: string, what: "Variable" | "Secret"): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw unprocessable(
      `${what} name is invalid. Names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces are not allowed. They must start with a letter ([a-z], [A-Z]) or underscores (_).`,
    );
  }
  if (/^GITHUB_/i.test(name)) throw unprocessable(`${what} names must not start with GITHUB_.`);
  return name;
}

function checkedValue(value: string): string {
  if (value === "") throw unprocessable("Variable value cannot be blank.");
  if (Buffer.byteLength(value) > longestValue)
    throw unprocessable("Variable value is too long (48 KB at most).");
  return value;
}

function variableBody(variable: Variable): object {
  return {
    name: variable.name,
    value: variable.value,
    created_at: instant(variable.createdAt),
    updated_at: instant(variable.updatedAt),
  };
}
