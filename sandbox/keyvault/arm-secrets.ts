import { z } from "zod";
import { parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { requireSecretName, requireSecretValue } from "./secret-body.ts";
import type { SecretFields, SecretVersion } from "./secret-model.ts";
import { VaultSecrets } from "./secrets.ts";
import { vaultType } from "./state.ts";
import { requireVault, type VaultRoute, vaultPath } from "./vaults.ts";

type Route = { Params: VaultRoute["Params"] & { secret: string } };

const propertiesSchema = z.looseObject({
  value: z.string().nullish(),
  contentType: z.string().max(255).nullish(),
  attributes: z
    .looseObject({
      enabled: z.boolean().nullish(),
      nbf: z.number().int().nullish(),
      exp: z.number().int().nullish(),
    })
    .nullish(),
});
const bodySchema = z.looseObject({
  tags: z.record(z.string(), z.string()).nullish(),
  properties: propertiesSchema,
});

/** `vaults/{v}/secrets`: secrets as ARM resources. It takes values in and never gives one out. */
export function armSecretRoutes(arm: Service, cloud: Cloud): void {
  const one = `${vaultPath}/secrets/:secret`;

  arm.put<Route>(one, async (request, reply) => {
    const vault = requireVault(cloud, request.params);
    requireSecretName(request.params.secret);
    const body = parseBody(bodySchema, request.body);
    const secrets = new VaultSecrets(cloud, vault);
    const value = requireSecretValue(body.properties.value);
    const isNew = !secrets
      .list()
      .some((each) => each.name.toLowerCase() === request.params.secret.toLowerCase());
    const made = secrets.set(request.params.secret, value, fieldsOf(body));
    return reply.code(isNew ? 201 : 200).send(show(vault, secrets, made));
  });

  arm.patch<Route>(one, async (request) => {
    const vault = requireVault(cloud, request.params);
    const body = parseBody(bodySchema.extend({ properties: propertiesSchema.default({}) }), request.body);
    const secrets = new VaultSecrets(cloud, vault);
    const { secret } = request.params;
    const value = body.properties.value ?? undefined;
    const changed =
      value === undefined
        ? secrets.update(secret, undefined, fieldsOf(body))
        : secrets.set(secret, requireSecretValue(value), fieldsOf(body));
    return show(vault, secrets, changed);
  });

  arm.get<Route>(one, async (request) => {
    const vault = requireVault(cloud, request.params);
    const secrets = new VaultSecrets(cloud, vault);
    const { secret } = request.params;
    const record = secrets.list().find((each) => each.name.toLowerCase() === secret.toLowerCase());
    if (record === undefined) {
      throw new CloudError(
        404,
        "ResourceNotFound",
        `The Resource '${vaultType}/${vault.name}/secrets/${secret}' under resource group '${vault.resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
      );
    }
    return show(vault, secrets, secrets.current(record));
  });

  arm.get<VaultRoute>(`${vaultPath}/secrets`, async (request) => {
    const vault = requireVault(cloud, request.params);
    const secrets = new VaultSecrets(cloud, vault);
    return { value: secrets.list().map((record) => show(vault, secrets, secrets.current(record))) };
  });
}

function fieldsOf(body: z.infer<typeof bodySchema>): SecretFields {
  const { contentType, attributes } = body.properties;
  return {
    contentType: contentType ?? undefined,
    tags: body.tags ?? undefined,
    enabled: attributes?.enabled ?? undefined,
    nbf: attributes?.nbf ?? undefined,
    exp: attributes?.exp ?? undefined,
  };
}

function show(vault: Resource, secrets: VaultSecrets, secret: SecretVersion): object {
  const { name, version, contentType, enabled, nbf, exp, created, updated } = secret;
  return {
    id: `${vault.id}/secrets/${name}`,
    name,
    type: `${vaultType}/secrets`,
    location: vault.location,
    tags: secret.tags ?? {},
    properties: {
      ...(contentType === undefined ? {} : { contentType }),
      attributes: {
        enabled,
        ...(nbf === undefined ? {} : { nbf }),
        ...(exp === undefined ? {} : { exp }),
        created,
        updated,
      },
      secretUri: secrets.uri(name),
      secretUriWithVersion: secrets.uri(name, version),
    },
  };
}
