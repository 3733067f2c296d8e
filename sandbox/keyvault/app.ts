import type { FastifyRequest } from "fastify";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Principal } from "../core/principals.ts";
import type { Resource } from "../core/resources.ts";
import { bearerOf, createService, pathOf, type Service } from "../core/service.ts";
import { authorize, label, type SecretPermission } from "./access.ts";
import { openBackup, sealBackup } from "./backup.ts";
import { page } from "./paging.ts";
import { badParameter, parseBlob, parseSet, parseUpdate, requireSecretName } from "./secret-body.ts";
import { recovery, type SecretRecord, type SecretVersion, secretNotFound } from "./secret-model.ts";
import { VaultSecrets } from "./secrets.ts";
import { hostOf, vaultOfHost, vaultProperties } from "./state.ts";

export { vaultExists } from "./state.ts";

const audience = "https://vault.azure.net";

/** `7.4`, `7.6-preview.1`, `2025-07-01`. */
const apiVersion = /^(?:7\.\d(?:-preview\.\d)?|20\d\d-\d\d-\d\d(?:-preview(?:\.\d)?)?)$/;

/** Who asks what of which vault, once every check has passed. */
interface Visit {
  readonly vault: Resource;
  readonly secrets: VaultSecrets;
}

type Named = { Params: { name: string; version?: string } };

/** `{vault}.vault.azure.net`: the secrets of every vault; which one is told by the host name. */
export function createVault(cloud: Cloud): Service {
  const app = createService(cloud, {
    notFound: (request) =>
      new CloudError(
        404,
        "NotFound",
        `The sandbox has nothing at ${request.method} '${pathOf(request)}': of a key vault it serves the secrets.`,
      ),
  });

  app.addHook("onRequest", async (_request, reply) => {
    reply.header("x-ms-keyvault-service-version", "1.9.2000.1");
    reply.header("x-content-type-options", "nosniff");
  });

  const visit = async (
    request: FastifyRequest,
    permission: SecretPermission,
    secret?: string,
  ): Promise<Visit> => {
    const principal = await authenticate(cloud, request);
    const vault = vaultOfHost(cloud, request.host);
    // Nothing gets here by the front door: the name of an absent vault does not resolve.
    if (vault === undefined) {
      throw new CloudError(404, "VaultNotFound", `There is no key vault at '${request.host}'.`);
    }
    requireApiVersion(request);
    if (secret !== undefined) requireSecretName(secret);
    authorize(cloud, vault, principal, permission, secret);
    return { vault, secrets: new VaultSecrets(cloud, vault) };
  };

  app.put<Named>("/secrets/:name", async (request) => {
    const { vault, secrets } = await visit(request, "set", request.params.name);
    const { value, fields } = parseSet(request.body);
    return bundle(vault, secrets, secrets.set(request.params.name, value, fields), "with value");
  });

  const read = async (request: FastifyRequest<Named>) => {
    const { name, version } = request.params;
    const { vault, secrets } = await visit(request, "get", name);
    const secret = secrets.get(name, version);
    if (!secret.enabled) {
      throw new CloudError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", {
        innerCode: "SecretDisabled",
      });
    }
    return bundle(vault, secrets, secret, "with value");
  };
  app.get<Named>("/secrets/:name", read);
  app.get<Named>("/secrets/:name/:version", read);

  const update = async (request: FastifyRequest<Named>) => {
    const { name, version } = request.params;
    const { vault, secrets } = await visit(request, "update", name);
    return bundle(vault, secrets, secrets.update(name, version, parseUpdate(request.body)), "without value");
  };
  app.patch<Named>("/secrets/:name", update);
  app.patch<Named>("/secrets/:name/:version", update);

  app.get("/secrets", async (request) => {
    const { vault, secrets } = await visit(request, "list");
    return page(request, secrets.list(), (record) => {
      const { id: _versioned, ...item } = bundle(vault, secrets, secrets.current(record), "without value");
      return { id: secrets.uri(record.name), ...item };
    });
  });

  app.get<Named>("/secrets/:name/versions", async (request) => {
    const { name } = request.params;
    const { vault, secrets } = await visit(request, "list", name);
    return page(request, secrets.versions(name), (each) => bundle(vault, secrets, each, "without value"));
  });

  app.delete<Named>("/secrets/:name", async (request) => {
    const { name } = request.params;
    const { vault, secrets } = await visit(request, "delete", name);
    return deletedBundle(cloud, vault, secrets, secrets.delete(name));
  });

  app.post<Named>("/secrets/:name/backup", async (request) => {
    const { name } = request.params;
    const { secrets } = await visit(request, "backup", name);
    return { value: sealBackup(cloud, secrets.versions(name)) };
  });

  app.post("/secrets/restore", async (request) => {
    const { vault, secrets } = await visit(request, "restore");
    const versions = openBackup(cloud, parseBlob(request.body));
    const name = versions[0]?.name;
    if (name === undefined) throw badParameter("Backup blob holds no secret.");
    return bundle(vault, secrets, secrets.restore(name, versions), "without value");
  });

  deletedRoutes(app, cloud, visit);
  return app;
}

function deletedRoutes(
  app: Service,
  cloud: Cloud,
  visit: (request: FastifyRequest, permission: SecretPermission, secret?: string) => Promise<Visit>,
): void {
  app.get("/deletedsecrets", async (request) => {
    const { vault, secrets } = await visit(request, "list");
    return page(request, secrets.listDeleted(), (record) => {
      const { id: _versioned, ...item } = deletedBundle(cloud, vault, secrets, record);
      return { id: secrets.uri(record.name), ...item };
    });
  });

  app.get<Named>("/deletedsecrets/:name", async (request) => {
    const { name } = request.params;
    const { vault, secrets } = await visit(request, "getDeleted", name);
    return deletedBundle(cloud, vault, secrets, secrets.getDeleted(name));
  });

  app.post<Named>("/deletedsecrets/:name/recover", async (request) => {
    const { name } = request.params;
    const { vault, secrets } = await visit(request, "recover", name);
    return bundle(vault, secrets, secrets.current(secrets.recover(name)), "without value");
  });

  app.delete<Named>("/deletedsecrets/:name", async (request, reply) => {
    const { name } = request.params;
    const { vault, secrets } = await visit(request, "purge", name);
    if (vaultProperties(vault).enablePurgeProtection === true) {
      throw new CloudError(
        403,
        "Forbidden",
        `Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\n${label(vault)}`,
        { innerCode: "ForbiddenByPolicy" },
      );
    }
    secrets.purge(name);
    return reply.code(204).send();
  });
}

/** @throws CloudError 401 with the challenge that tells clients which token to bring */
async function authenticate(cloud: Cloud, request: FastifyRequest): Promise<Principal> {
  const token = bearerOf(request);
  if (token === undefined) throw unauthorized(cloud, "AKV10000: Request is missing a Bearer or PoP token.");
  const verdict = await cloud.tokens.verify(token, [audience]);
  if ("problem" in verdict) {
    const message = {
      malformed: "AKV10001: Error validating token: the signature or the content is not valid.",
      expired: "AKV10001: Error validating token: the lifetime of the token is over.",
      audience: `AKV10022: Invalid audience. Expected ${audience}.`,
    }[verdict.problem];
    throw unauthorized(cloud, message);
  }
  const principal = cloud.principals.byObjectId(verdict.principal);
  if (principal === undefined) {
    throw unauthorized(cloud, "AKV10001: Error validating token: its principal no longer exists.");
  }
  return principal;
}

function unauthorized(cloud: Cloud, message: string): CloudError {
  return new CloudError(401, "Unauthorized", message, {
    headers: {
      "www-authenticate": `Bearer authorization="https://login.microsoftonline.com/${cloud.tenantId}", resource="${audience}"`,
    },
  });
}

function requireApiVersion(request: FastifyRequest): void {
  const version = (request.query as Record<string, string | undefined>)["api-version"];
  if (version === undefined || version === "") throw badParameter("api-version must be specified");
  if (!apiVersion.test(version)) {
    throw badParameter(
      `The specified version '${version}' is not recognized. Consider using 7.6 or 2025-07-01.`,
    );
  }
}

interface Bundle {
  readonly id: string;
  readonly [field: string]: unknown;
}

function bundle(
  vault: Resource,
  secrets: VaultSecrets,
  secret: SecretVersion,
  how: "with value" | "without value",
): Bundle {
  const { name, version, value, contentType, tags, enabled, nbf, exp, created, updated } = secret;
  return {
    ...(how === "with value" ? { value } : {}),
    ...(contentType === undefined ? {} : { contentType }),
    id: secrets.uri(name, version),
    attributes: {
      enabled,
      ...(nbf === undefined ? {} : { nbf }),
      ...(exp === undefined ? {} : { exp }),
      created,
      updated,
      ...recovery(vault),
    },
    ...(tags === undefined ? {} : { tags }),
  };
}

function deletedBundle(cloud: Cloud, vault: Resource, secrets: VaultSecrets, record: SecretRecord): Bundle {
  if (record.deleted === undefined) throw secretNotFound(record.name);
  return {
    recoveryId: `https://${hostOf(vault)}/deletedsecrets/${record.name}`,
    deletedDate: cloud.clock.seconds(record.deleted.at),
    scheduledPurgeDate: cloud.clock.seconds(record.deleted.purgesAt),
    ...bundle(vault, secrets, secrets.current(record), "without value"),
  };
}
