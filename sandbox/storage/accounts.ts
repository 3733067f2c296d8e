import { createHash } from "node:crypto";
import { z } from "zod";
import {
  type ArmModule,
  answerOperation,
  apiVersionOf,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
  trackedSchema,
} from "../arm/http.ts";
import { readRoutes, removeRoute } from "../arm/tracked.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import { blobServices } from "./blob-services.ts";
import { accountKeys, keysOf, newKeys } from "./keys.ts";

export const storageType = "Microsoft.Storage/storageAccounts";
const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${storageType}`;

type Route = { Params: { group: string; name: string } };

const skus = [
  "Standard_LRS",
  "Standard_GRS",
  "Standard_RAGRS",
  "Standard_ZRS",
  "Standard_GZRS",
  "Standard_RAGZRS",
  "Premium_LRS",
  "Premium_ZRS",
  "StandardV2_LRS",
  "StandardV2_GRS",
  "StandardV2_ZRS",
  "StandardV2_GZRS",
] as const;
const kinds = ["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"] as const;

const skuSchema = z.looseObject({ name: z.enum(skus) });
const propertiesSchema = z.looseObject({
  accessTier: z.enum(["Hot", "Cool", "Cold", "Premium"]).nullish(),
  allowBlobPublicAccess: z.boolean().nullish(),
  allowSharedKeyAccess: z.boolean().nullish(),
  defaultToOAuthAuthentication: z.boolean().nullish(),
  minimumTlsVersion: z.enum(["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"]).nullish(),
  publicNetworkAccess: z.enum(["Enabled", "Disabled", "SecuredByPerimeter"]).nullish(),
  supportsHttpsTrafficOnly: z.boolean().nullish(),
  isHnsEnabled: z.boolean().nullish(),
});
const putSchema = trackedSchema.extend({
  sku: skuSchema,
  kind: z.enum(kinds),
  properties: propertiesSchema.nullish(),
});
const patchSchema = z.looseObject({
  sku: skuSchema.nullish(),
  kind: z.enum(kinds).nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  properties: propertiesSchema.nullish(),
});
const availabilitySchema = z.looseObject({ name: z.string(), type: z.string() });

/** What an account has before anybody says otherwise. Source: Microsoft.Storage 2024-01-01. */
const defaults: JsonObject = {
  accessTier: "Hot",
  allowBlobPublicAccess: false,
  allowCrossTenantReplication: false,
  minimumTlsVersion: "TLS1_0",
  supportsHttpsTrafficOnly: true,
  dnsEndpointType: "Standard",
  networkAcls: { bypass: "AzureServices", virtualNetworkRules: [], ipRules: [], defaultAction: "Allow" },
  privateEndpointConnections: [],
  encryption: {
    services: {
      file: { keyType: "Account", enabled: true },
      blob: { keyType: "Account", enabled: true },
    },
    keySource: "Microsoft.Storage",
  },
};

/** What no request changes; `isHnsEnabled` only at creation. */
const readOnly = [
  "provisioningState",
  "primaryEndpoints",
  "primaryLocation",
  "creationTime",
  "keyCreationTime",
];

/** `Microsoft.Storage`: storage accounts and their keys. Their data plane is not served. */
export const storage: ArmModule = (arm, cloud) => {
  const idOf = (params: Route["Params"]) =>
    `${groupId(cloud, params.group)}/providers/${storageType}/${params.name}`;
  const show = (account: Resource) => showAccount(cloud, account);
  const names = cloud.store.collection<string>("storage-names");

  cloud.operations.on("storage.create", () => undefined);
  cloud.resources.onRemove(storageType, (account) => {
    names.delete(account.name);
  });

  arm.put<Route>(`${collection}/:name`, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const { name } = request.params;
    if (!isAccountName(name)) throw invalidName(name);
    const body = parseBody(putSchema, request.body);
    const location = normalLocation(body.location, storageType);
    const id = idOf(request.params);
    const existing = cloud.resources.get(id);
    const asked = createHash("sha256").update(JSON.stringify(request.body)).digest("hex");
    const at = { namespace: "Microsoft.Storage", location, apiVersion: apiVersionOf(request) };
    const pending = cloud.operations.pendingOn(id);
    if (existing !== undefined && pending !== undefined) {
      if ((pending.data as { asked?: string } | undefined)?.asked !== asked) throw busy(existing);
      return answerOperation(cloud, reply, pending, at, { running: 202, done: 200 });
    }
    refuseMove(existing, location);
    const holder = names.get(name);
    if (holder !== undefined && holder !== id.toLowerCase()) {
      throw new CloudError(
        409,
        "StorageAccountAlreadyTaken",
        `The storage account named ${name} is already taken.`,
      );
    }
    const before = existing?.body.properties as JsonObject | undefined;
    if (existing !== undefined && existing.body.kind !== body.kind && body.kind !== "StorageV2") {
      throw new CloudError(
        409,
        "Conflict",
        `The kind of storage account '${name}' can only change to StorageV2.`,
      );
    }
    const operation = cloud.store.transaction(() => {
      cloud.resources.put({
        id: existing?.id ?? id,
        type: storageType,
        name: existing?.name ?? name,
        resourceGroup: group.name,
        location,
        tags: body.tags ?? existing?.tags ?? {},
        body: {
          kind: body.kind,
          sku: skuOf(body.sku.name),
          properties: merged(before, body.properties),
          ...(body.identity === undefined ? {} : { identity: body.identity as JsonObject }),
        },
        hidden: existing?.hidden ?? { keys: newKeys(cloud, id) },
        createdAt: existing?.createdAt ?? cloud.clock.now(),
      });
      names.put(name, id.toLowerCase());
      if (existing !== undefined) return undefined;
      return cloud.operations.start("storage.create", id, cloud.timings().storageCreate, { asked });
    });
    const made = cloud.resources.require(id);
    if (operation === undefined) return reply.code(200).send(show(made));
    // Source: Microsoft.Storage: 202 without a body while it is made, polled by Location.
    const done = operation.status === "Succeeded" ? { body: show(made) } : {};
    return answerOperation(cloud, reply, operation, at, { running: 202, done: 200, ...done });
  });

  arm.patch<Route>(`${collection}/:name`, async (request) => {
    const existing = cloud.resources.require(idOf(request.params));
    if (cloud.operations.pendingOn(existing.id) !== undefined) throw busy(existing);
    const body = parseBody(patchSchema, request.body);
    return show(
      cloud.resources.put({
        ...existing,
        ...(body.tags ? { tags: body.tags } : {}),
        body: {
          ...existing.body,
          ...(body.kind ? { kind: body.kind } : {}),
          ...(body.sku ? { sku: skuOf(body.sku.name) } : {}),
          properties: merged(existing.body.properties as JsonObject, body.properties),
        },
      }),
    );
  });

  readRoutes(arm, cloud, storageType, show);
  removeRoute(arm, cloud, storageType, (account) =>
    cloud.operations.pendingOn(account.id) === undefined ? undefined : busy(account),
  );

  arm.post(
    "/subscriptions/:subscription/providers/Microsoft.Storage/checkNameAvailability",
    async (request) => {
      const { name } = parseBody(availabilitySchema, request.body);
      if (!isAccountName(name))
        return { nameAvailable: false, reason: "AccountNameInvalid", message: invalidName(name).message };
      return names.get(name) === undefined
        ? { nameAvailable: true }
        : {
            nameAvailable: false,
            reason: "AlreadyExists",
            message: `The storage account named ${name} is already taken.`,
          };
    },
  );

  accountKeys(arm, cloud);
  blobServices(arm, cloud);
};

function merged(
  before: JsonObject | undefined,
  wanted: z.infer<typeof propertiesSchema> | null | undefined,
): JsonObject {
  const given = Object.entries(wanted ?? {}).filter(
    ([field, value]) => value !== undefined && value !== null && !readOnly.includes(field),
  );
  const kept = { ...(before ?? defaults), ...Object.fromEntries(given) } as JsonObject;
  return before === undefined ? kept : { ...kept, isHnsEnabled: before.isHnsEnabled };
}

function showAccount(cloud: Cloud, account: Resource): JsonObject {
  const endpoint = (service: string) => `https://${account.name}.${service}.core.windows.net/`;
  const creating = cloud.operations.pendingOn(account.id) !== undefined;
  const keys = keysOf(account);
  return {
    ...envelope(account),
    properties: {
      ...(account.body.properties as JsonObject),
      provisioningState: creating ? "Creating" : "Succeeded",
      creationTime: cloud.clock.iso(account.createdAt),
      keyCreationTime: {
        key1: cloud.clock.iso(keys.key1?.createdAt),
        key2: cloud.clock.iso(keys.key2?.createdAt),
      },
      primaryLocation: account.location,
      statusOfPrimary: "available",
      primaryEndpoints: {
        blob: endpoint("blob"),
        dfs: endpoint("dfs"),
        file: endpoint("file"),
        queue: endpoint("queue"),
        table: endpoint("table"),
        web: endpoint("web"),
      },
    },
  };
}

function skuOf(name: string): JsonObject {
  return { name, tier: name.startsWith("Premium") ? "Premium" : "Standard" };
}

function isAccountName(name: string): boolean {
  return /^[a-z0-9]{3,24}$/.test(name);
}

function invalidName(name: string): CloudError {
  return new CloudError(
    400,
    "AccountNameInvalid",
    `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`,
  );
}

function busy(account: Resource): CloudError {
  return new CloudError(
    409,
    "StorageAccountOperationInProgress",
    `An operation is currently performing on this storage account '${account.name}' that requires exclusive access.`,
  );
}
