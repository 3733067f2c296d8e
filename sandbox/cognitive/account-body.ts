import { randomUUID } from "node:crypto";
import { z } from "zod";
import { trackedSchema } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";

export const accountKinds = ["OpenAI", "AIServices", "CognitiveServices"] as const;

const identitySchema = z.object({
  type: z
    .string()
    .refine(
      (type) =>
        identityParts(type).every((part) => ["systemassigned", "userassigned", "none"].includes(part)),
      "one of None, SystemAssigned, UserAssigned, 'SystemAssigned, UserAssigned'",
    ),
  userAssignedIdentities: z.record(z.string(), z.unknown()).nullish(),
});
type IdentityRequest = z.infer<typeof identitySchema>;

const propertiesSchema = z.looseObject({
  customSubDomainName: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$/, "2 to 64 letters, digits and '-'")
    .nullish(),
  disableLocalAuth: z.boolean().nullish(),
  publicNetworkAccess: z.enum(["Enabled", "Disabled"]).nullish(),
  networkAcls: z.looseObject({ defaultAction: z.enum(["Allow", "Deny"]).nullish() }).nullish(),
  restore: z.boolean().nullish(),
});

export const accountSchema = trackedSchema.extend({
  kind: z.string().min(1).nullish(),
  sku: z.looseObject({ name: z.string().min(1) }).nullish(),
  identity: identitySchema.nullish(),
  properties: propertiesSchema.nullish(),
});
export type AccountRequest = z.infer<typeof accountSchema>;

export const accountPatchSchema = accountSchema.extend({ location: z.string().nullish() });

/** Properties that the service owns: a client may send back what it read, and they are passed over. */
const owned = [
  "provisioningState",
  "endpoint",
  "endpoints",
  "internalId",
  "dateCreated",
  "capabilities",
  "callRateLimit",
  "isMigrated",
  "skuChangeInfo",
  "quotaLimit",
  "privateEndpointConnections",
  "deletionDate",
  "scheduledPurgeDate",
  "restore",
  "commitmentPlanAssociations",
  "abusePenalty",
];

/** What a request sets, without what the service owns and without nulls. */
export function wantedProperties(request: AccountRequest["properties"]): JsonObject {
  const wanted = Object.entries(request ?? {}).filter(
    ([name, value]) => !owned.includes(name) && value !== null && value !== undefined,
  );
  return Object.fromEntries(wanted) as JsonObject;
}

/** What the service says of an account beside what was asked for. */
export function serviceProperties(kind: string, location: string, subdomain: string | undefined): JsonObject {
  const base =
    subdomain === undefined
      ? `https://${location}.api.cognitive.microsoft.com/`
      : `https://${subdomain}.${kind === "OpenAI" ? "openai" : "cognitiveservices"}.azure.com/`;
  const openAi = subdomain === undefined ? base : `https://${subdomain}.openai.azure.com/`;
  const names = [
    "OpenAI Language Model Instance API",
    "OpenAI Dall-E API",
    "OpenAI Sora API",
    "OpenAI Moderations API",
    "OpenAI Whisper API",
    "OpenAI Model Scaleset API",
    "OpenAI Realtime API",
  ];
  return {
    endpoint: base,
    endpoints: { ...Object.fromEntries(names.map((name) => [name, openAi])), "Token Service API": base },
    capabilities: [
      { name: "VirtualNetworks" },
      { name: "CustomerManagedKey" },
      { name: "MaxFineTuneCount", value: "500" },
      { name: "MaxRunningFineTuneCount", value: "1" },
      { name: "MaxUserFileCount", value: "100" },
      { name: "MaxTrainingFileSize", value: "512000000" },
      { name: "MaxUserFileImportDurationInHours", value: "1" },
      { name: "MaxFineTuneJobDurationInHours", value: "720" },
      { name: "TrustedServices", value: "Microsoft.CognitiveServices,Microsoft.MachineLearningServices" },
    ],
    callRateLimit: {
      rules: [
        {
          key: "default",
          renewalPeriod: 1,
          count: 30,
          matchPatterns: [{ path: "*", method: "*" }],
        },
      ],
    },
    isMigrated: false,
    privateEndpointConnections: [],
  };
}

/** The identity that a request asks for, made; `clientId` is the system-assigned one's. */
export function makeIdentity(
  cloud: Cloud,
  accountId: string,
  request: IdentityRequest | null | undefined,
  present: { clientId?: string | undefined },
): { shown: JsonObject | undefined; clientId: string | undefined } {
  const parts = identityParts(request?.type ?? "none");
  const assigned = parts.includes("userassigned")
    ? Object.keys(request?.userAssignedIdentities ?? {}).map(
        (id) => [id, assignedIdentity(cloud, id)] as const,
      )
    : [];
  const wantsSystem = parts.includes("systemassigned");
  const kept = present.clientId === undefined ? undefined : cloud.principals.byClientId(present.clientId);
  if (!wantsSystem && kept !== undefined) cloud.principals.remove(kept.clientId);
  const system = wantsSystem
    ? (kept ??
      cloud.principals.createManagedIdentity(
        accountId,
        cloud.clock.now() + cloud.timings().identityReplication,
      ))
    : undefined;
  if (request === null || request === undefined) return { shown: undefined, clientId: undefined };
  const type = [wantsSystem ? "SystemAssigned" : "", assigned.length > 0 ? "UserAssigned" : ""].filter(
    (part) => part !== "",
  );
  return {
    shown: {
      type: type.length === 0 ? "None" : type.join(", "),
      ...(system === undefined ? {} : { principalId: system.objectId, tenantId: cloud.tenantId }),
      ...(assigned.length === 0 ? {} : { userAssignedIdentities: Object.fromEntries(assigned) }),
    },
    clientId: system?.clientId,
  };
}

function assignedIdentity(cloud: Cloud, id: string): JsonObject {
  const identity = cloud.resources.get(id);
  if (identity === undefined || !/userAssignedIdentities$/i.test(identity.type)) {
    throw new CloudError(
      400,
      "FailedIdentityOperation",
      `Identity operation for resource failed with error 'Failed to perform resource identity operation. Status: 'NotFound'. Response: the user-assigned identity '${id}' was not found.'`,
    );
  }
  const { principalId, clientId } = identity.body.properties as { principalId: string; clientId: string };
  return { principalId, clientId };
}

function identityParts(type: string): string[] {
  return type
    .toLowerCase()
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A new revision of a resource: its etag and who wrote it when. */
export function stamp(cloud: Cloud, writer: string, before: Resource | undefined): JsonObject {
  const now = cloud.clock.iso();
  const created = before?.body.systemData as JsonObject | undefined;
  return {
    etag: `"${randomUUID()}"`,
    systemData: {
      createdBy: created?.createdBy ?? writer,
      createdByType: "Application",
      createdAt: created?.createdAt ?? now,
      lastModifiedBy: writer,
      lastModifiedByType: "Application",
      lastModifiedAt: now,
    },
  };
}
