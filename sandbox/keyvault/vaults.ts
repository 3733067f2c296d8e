import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  answerOperation,
  apiVersionOf,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
} from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import type { DeletedVaults } from "./deleted-vaults.ts";
import { namespace, type VaultHidden, vaultByName, vaultNames, vaultProperties, vaultType } from "./state.ts";
import { vaultPatchSchema, vaultPropertiesAfter, vaultSchema } from "./vault-body.ts";

const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${vaultType}`;
export const vaultPath = `${collection}/:vault`;

export type VaultRoute = { Params: { group: string; vault: string } };

type VaultRequest = z.infer<typeof vaultSchema>;

const nameSchema = z.object({ name: z.string(), type: z.string().nullish() });

export function vaultIdOf(cloud: Cloud, params: VaultRoute["Params"]): string {
  return `${groupId(cloud, params.group)}/providers/${vaultType}/${params.vault}`;
}

/** @throws CloudError 404 `ResourceNotFound` */
export function requireVault(cloud: Cloud, params: VaultRoute["Params"]): Resource {
  return cloud.resources.require(vaultIdOf(cloud, params));
}

/** Vaults themselves: create, recover, change, read, list, delete. */
export function vaultRoutes(arm: Service, cloud: Cloud, deleted: DeletedVaults): void {
  cloud.operations.on("vault.create", (operation) => {
    cloud.resources.update(operation.target, (vault) => withState(vault, "Succeeded"));
  });

  arm.put<VaultRoute>(vaultPath, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const body = parseBody(vaultSchema, request.body);
    const location = normalLocation(body.location, vaultType);
    requireName(request.params.vault);
    const existing = cloud.resources.get(vaultIdOf(cloud, request.params));
    refuseMove(existing, location);
    if (existing !== undefined) {
      return envelope(change(cloud, existing, body, request.caller.clientId, "replace"));
    }
    const id = vaultIdOf(cloud, { group: group.name, vault: request.params.vault });
    return begin(cloud, deleted, { request, reply, id, group: group.name, location, body });
  });

  arm.patch<VaultRoute>(vaultPath, async (request) => {
    const existing = requireVault(cloud, request.params);
    const { tags, properties } = parseBody(vaultPatchSchema, request.body);
    const body = { location: existing.location ?? "", tags, properties: properties ?? {} };
    return envelope(change(cloud, existing, body, request.caller.clientId, "merge"));
  });

  arm.get<VaultRoute>(vaultPath, async (request) => envelope(requireVault(cloud, request.params)));

  arm.get<VaultRoute>(collection, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    const all = cloud.resources.ofType(vaultType);
    return { value: all.filter((each) => each.resourceGroup === group.name).map(envelope) };
  });
  arm.get(`/subscriptions/:subscription/providers/${vaultType}`, async () => ({
    value: cloud.resources.ofType(vaultType).map(envelope),
  }));

  // One call without polling in Azure: the request itself takes the time.
  arm.delete<VaultRoute>(vaultPath, async (request, reply) => {
    const takes = cloud.timings().vaultDelete / cloud.clock.scale;
    if (takes > 0) await delay(takes);
    const existing = cloud.resources.get(vaultIdOf(cloud, request.params));
    if (existing === undefined) return reply.code(204).send();
    cloud.store.transaction(() => cloud.resources.remove(existing.id));
    return reply.code(200).send();
  });

  arm.post(`/subscriptions/:subscription/providers/${namespace}/checkNameAvailability`, async (request) => {
    const { name } = parseBody(nameSchema, request.body);
    if (!validName(name)) return { nameAvailable: false, reason: "AccountNameInvalid", message: nameRule };
    const taken = vaultByName(cloud, name) !== undefined || deleted.get(name) !== undefined;
    return taken
      ? { nameAvailable: false, reason: "AlreadyExists", message: inUse(name) }
      : { nameAvailable: true };
  });
}

interface Beginning {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly id: string;
  readonly group: string;
  readonly location: string;
  readonly body: VaultRequest;
}

/** A PUT of a name that has no live vault here: a new one, or a deleted one to be recovered. */
function begin(cloud: Cloud, deleted: DeletedVaults, beginning: Beginning): FastifyReply {
  const { request, reply, id, location, body } = beginning;
  const name = id.split("/").at(-1) ?? "";
  if (vaultByName(cloud, name) !== undefined) throw new CloudError(409, "VaultAlreadyExists", inUse(name));
  const gone = deleted.get(name);
  const recovers = body.properties.createMode === "recover";
  if (gone !== undefined && !recovers) {
    throw new CloudError(
      409,
      "ConflictError",
      "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
    );
  }
  if (recovers) requireRecoverable(gone?.vault, id, name, location);
  const operation = cloud.store.transaction(() => {
    if (recovers) deleted.take(name);
    const vault =
      gone === undefined ? create(cloud, beginning, name) : withState(gone.vault, "RegisteringDns");
    cloud.resources.put(vault);
    vaultNames(cloud).put(name.toLowerCase(), vault.id);
    return cloud.operations.start("vault.create", vault.id, cloud.timings().vaultCreate);
  });
  return answerOperation(
    cloud,
    reply,
    operation,
    { namespace, location, apiVersion: apiVersionOf(request) },
    { running: 201, done: 201, body: envelope(cloud.resources.require(operation.target)) },
  );
}

/** A vault comes back where it was: same group, same region. */
function requireRecoverable(vault: Resource | undefined, id: string, name: string, location: string): void {
  if (vault === undefined || vault.location !== location) {
    throw new CloudError(
      404,
      "DeletedVaultNotFound",
      `The specified deleted vault '${name}' does not exist in location '${location}'.`,
    );
  }
  if (vault.id.toLowerCase() !== id.toLowerCase()) {
    throw new CloudError(
      409,
      "ConflictError",
      `The deleted vault '${name}' can be recovered only as '${vault.id}'.`,
    );
  }
}

function create(cloud: Cloud, { request, id, group, location, body }: Beginning, name: string): Resource {
  const hidden: VaultHidden = { instance: randomUUID() };
  return {
    id,
    type: vaultType,
    name,
    resourceGroup: group,
    location,
    tags: body.tags ?? {},
    body: {
      systemData: stamp(cloud, request.caller.clientId, undefined),
      properties: vaultPropertiesAfter(
        body.properties,
        {
          tenantId: cloud.tenantId,
          vaultUri: `https://${name.toLowerCase()}.vault.azure.net/`,
          provisioningState: "RegisteringDns",
        },
        undefined,
        "replace",
      ),
    },
    hidden,
    createdAt: cloud.clock.now(),
  };
}

/** A PUT or PATCH of a live vault. Nothing of it takes time. */
function change(
  cloud: Cloud,
  existing: Resource,
  body: VaultRequest,
  writer: string,
  how: "replace" | "merge",
): Resource {
  const before = vaultProperties(existing);
  return cloud.resources.put({
    ...existing,
    tags: body.tags ?? (how === "merge" ? (existing.tags ?? {}) : {}),
    body: {
      ...existing.body,
      systemData: stamp(cloud, writer, existing),
      properties: vaultPropertiesAfter(body.properties, { ...before, tenantId: cloud.tenantId }, before, how),
    },
  });
}

const nameRule =
  "Vault name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.";

function validName(name: string): boolean {
  return /^[a-z](?:-?[a-z0-9])+$/i.test(name) && name.length >= 3 && name.length <= 24;
}

function requireName(name: string): void {
  if (!validName(name)) {
    throw new CloudError(400, "VaultNameNotValid", `The vault name '${name}' is invalid. ${nameRule}`);
  }
}

function inUse(name: string): string {
  return `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information on soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740.`;
}

function withState(vault: Resource, provisioningState: string): Resource {
  return {
    ...vault,
    body: {
      ...vault.body,
      properties: { ...(vault.body.properties as JsonObject), provisioningState },
    },
  };
}

function stamp(cloud: Cloud, writer: string, before: Resource | undefined): JsonObject {
  const created = before?.body.systemData as JsonObject | undefined;
  return {
    createdBy: created?.createdBy ?? writer,
    createdByType: "Application",
    createdAt: created?.createdAt ?? cloud.clock.iso(),
    lastModifiedBy: writer,
    lastModifiedByType: "Application",
    lastModifiedAt: cloud.clock.iso(),
  };
}
