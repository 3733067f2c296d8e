import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Service } from "../core/service.ts";
import { notFound, unprocessable } from "./errors.ts";
import { type GitHub, paginate, parse } from "./http.ts";
import { publicKeyOf, unseal } from "./sealed.ts";
import { fullName, instant } from "./state.ts";
import { checkedName, keyOf, scopeOf } from "./variables.ts";

/** A secret of a repository or of one of its environments; the value is never shown. */
interface Secret {
  readonly name: string;
  readonly value: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type Route = { Params: { owner: string; repo: string; environment?: string; name: string } };
const kind = "github-secrets";
const docs = "actions/secrets";

/** Source: docs.github.com, "Secrets reference". */
const longestValue = 48 * 1024;
const mostSecrets = 100;

/** Secrets, sealed by the client for the repository's public key and opened here. */
export function secretRoutes(api: Service, github: GitHub): void {
  const { cloud, repositories } = github;
  const all = cloud.store.collection<Secret>(kind);

  for (const [base, what] of [
    ["/repos/:owner/:repo/actions/secrets", "a-repository"],
    ["/repos/:owner/:repo/environments/:environment/secrets", "an-environment"],
  ] as const) {
    const config = (verb: string) => ({
      config: { docs: `${docs}#${verb}-${what}-secret`, needs: "write" as const },
    });
    const list = (request: FastifyRequest<Route>) =>
      repositories
        .children<Secret>(kind, request.repository.id, scopeOf(repositories, request).below)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([, secret]) => secret);
    const find = (request: FastifyRequest<Route>): [string, Secret] => {
      const key = keyOf(repositories, request, request.params.name);
      const secret = all.get(key);
      if (secret === undefined) throw notFound();
      return [key, secret];
    };

    api.get<Route>(base, config("list"), async (request, reply) => {
      const secrets = list(request);
      return {
        total_count: secrets.length,
        secrets: paginate(request, reply, secrets).map(secretBody),
      };
    });
    api.get<Route>(`${base}/public-key`, config("get-public-key-for"), async (request) => {
      scopeOf(repositories, request);
      return publicKeyOf(cloud, request.repository);
    });
    api.get<Route>(`${base}/:name`, config("get"), async (request) => secretBody(find(request)[1]));
    api.put<Route>(`${base}/:name`, config("create-or-update"), async (request, reply) => {
      const { repository, params } = request;
      const schema = z.object({ encrypted_value: z.string(), key_id: z.string() });
      const body = parse(schema, request.body);
      const key = keyOf(repositories, request, checkedName(params.name, "Secret"));
      const sealed = { keyId: body.key_id, value: body.encrypted_value };
      const value = await unseal(cloud, repository, sealed);
      if (value === undefined) {
        throw unprocessable(
          "Bad request - The secret was not encrypted for this repository's public key: fetch the key, seal the value for it, and send its key_id.",
        );
      }
      if (Buffer.byteLength(value) > longestValue)
        throw unprocessable("Secrets are limited to 48 KB in size.");
      const old = all.get(key);
      if (old === undefined && list(request).length >= mostSecrets) {
        throw unprocessable(`There can be no more than ${mostSecrets} secrets.`);
      }
      const name = params.name.toUpperCase();
      const where = params.environment === undefined ? "" : ` in ${params.environment}`;
      if (value !== "") {
        cloud.mint.remember(value, "github-secret", `${fullName(repository)} ${name}${where}`);
      }
      const now = cloud.clock.now();
      all.put(key, { name, value, createdAt: old?.createdAt ?? now, updatedAt: now });
      return old === undefined ? reply.code(201).send({}) : reply.code(204).send();
    });
    api.delete<Route>(`${base}/:name`, config("delete"), async (request, reply) => {
      all.delete(find(request)[0]);
      return reply.code(204).send();
    });
  }
}

function secretBody(secret: Secret): object {
  return {
    name: secret.name,
    created_at: instant(secret.createdAt),
    updated_at: instant(secret.updatedAt),
  };
}
