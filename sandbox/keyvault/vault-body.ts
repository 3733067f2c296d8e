import { z } from "zod";
import { trackedSchema } from "../arm/http.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";
import type { VaultProperties } from "./state.ts";

const permissionNames = z.array(z.string().min(1)).nullish();

export const accessPolicySchema = z.object({
  tenantId: z.string().min(1),
  objectId: z.string().min(1),
  applicationId: z.string().nullish(),
  permissions: z.object({
    keys: permissionNames,
    secrets: permissionNames,
    certificates: permissionNames,
    storage: permissionNames,
  }),
});
export type AccessPolicyRequest = z.infer<typeof accessPolicySchema>;

const propertiesSchema = z.looseObject({
  tenantId: z.string().nullish(),
  sku: z.looseObject({ family: z.string().nullish(), name: z.string() }).nullish(),
  accessPolicies: z.array(accessPolicySchema).max(1024).nullish(),
  createMode: z.enum(["default", "recover"]).nullish(),
  enableSoftDelete: z.boolean().nullish(),
  softDeleteRetentionInDays: z.number().int().nullish(),
  enablePurgeProtection: z.boolean().nullish(),
  enableRbacAuthorization: z.boolean().nullish(),
  enabledForDeployment: z.boolean().nullish(),
  enabledForDiskEncryption: z.boolean().nullish(),
  enabledForTemplateDeployment: z.boolean().nullish(),
  publicNetworkAccess: z.string().nullish(),
  networkAcls: z
    .looseObject({
      bypass: z.enum(["AzureServices", "None"]).nullish(),
      defaultAction: z.enum(["Allow", "Deny"]).nullish(),
    })
    .nullish(),
});
export type VaultPropertiesRequest = z.infer<typeof propertiesSchema>;

export const vaultSchema = trackedSchema.extend({ properties: propertiesSchema });
export const vaultPatchSchema = z.looseObject({
  tags: z.record(z.string(), z.string()).nullish(),
  properties: propertiesSchema.nullish(),
});

/**
 * The properties that a vault has after a request, or why it cannot have them.
 * @param before what it has now; undefined for a new vault
 * @param how whether what the request leaves out goes back to its default (PUT) or stays (PATCH)
 * @throws CloudError 400
 */
export function vaultPropertiesAfter(
  request: VaultPropertiesRequest,
  at: { tenantId: string; vaultUri: string; provisioningState: string },
  before: VaultProperties | undefined,
  how: "replace" | "merge",
): JsonObject {
  const present = (before ?? {}) as JsonObject;
  const kept = how === "merge" ? present : {};
  const asked = Object.fromEntries(
    Object.entries(request).filter(
      ([name, value]) => value !== null && value !== undefined && !owned.includes(name),
    ),
  ) as JsonObject;
  requireTenant(request, at.tenantId, before === undefined);
  requireSku(request, before === undefined);
  requireSoftDelete(request, before);
  requirePolicies(request, at.tenantId);
  const protection = request.enablePurgeProtection ?? before?.enablePurgeProtection;
  const { enablePurgeProtection: _shown, ...rest } = { ...kept, ...asked };
  return {
    accessPolicies: [],
    enabledForDeployment: false,
    enableRbacAuthorization: false,
    publicNetworkAccess: "Enabled",
    ...rest,
    tenantId: at.tenantId,
    sku: {
      family: "A",
      name: (request.sku?.name ?? (present.sku as { name?: string } | undefined)?.name ?? "").toLowerCase(),
    },
    enableSoftDelete: true,
    softDeleteRetentionInDays: request.softDeleteRetentionInDays ?? before?.softDeleteRetentionInDays ?? 90,
    ...(protection === true ? { enablePurgeProtection: true } : {}),
    vaultUri: at.vaultUri,
    provisioningState: at.provisioningState,
  };
}

/** What the service says itself, or what only steers the request. */
const owned = [
  "createMode",
  "vaultUri",
  "provisioningState",
  "hsmPoolResourceId",
  "privateEndpointConnections",
];

function requireTenant(request: VaultPropertiesRequest, tenantId: string, isNew: boolean): void {
  if (request.tenantId?.toLowerCase() === tenantId) return;
  if ((request.tenantId === null || request.tenantId === undefined) && !isNew) return;
  throw new CloudError(
    400,
    "BadRequest",
    `An invalid value was provided for 'tenantId': the subscription is in tenant '${tenantId}'.`,
  );
}

function requireSku(request: VaultPropertiesRequest, isNew: boolean): void {
  const name = request.sku?.name.toLowerCase();
  if (name === "standard" || name === "premium" || (name === undefined && !isNew)) return;
  throw new CloudError(
    400,
    "BadRequest",
    "An invalid value was provided for 'sku': family 'A' and name 'standard' or 'premium'.",
  );
}

function requireSoftDelete(request: VaultPropertiesRequest, before: VaultProperties | undefined): void {
  const bad = (message: string) => new CloudError(400, "BadRequest", message);
  if (request.enableSoftDelete === false) {
    throw bad(
      `The property "enableSoftDelete" cannot be set to false. Enabling the 'soft delete' functionality for a vault is an irreversible action.`,
    );
  }
  const days = request.softDeleteRetentionInDays ?? undefined;
  if (days !== undefined && (days < 7 || days > 90)) {
    throw bad(
      `The property "softDeleteRetentionInDays" has the invalid value ${days}: it is at least 7 and at most 90 days.`,
    );
  }
  if (days !== undefined && before !== undefined && days !== before.softDeleteRetentionInDays) {
    throw bad(
      `The property "softDeleteRetentionInDays" has been set already and it can't be modified (${before.softDeleteRetentionInDays} days).`,
    );
  }
  if (
    request.enablePurgeProtection === false &&
    (before === undefined || before.enablePurgeProtection === true)
  ) {
    throw bad(
      `The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.`,
    );
  }
}

function requirePolicies(request: VaultPropertiesRequest, tenantId: string): void {
  const foreign = request.accessPolicies?.find((policy) => policy.tenantId.toLowerCase() !== tenantId);
  if (foreign === undefined) return;
  throw new CloudError(
    400,
    "BadRequest",
    `An invalid value was provided for 'accessPolicies': the policy of object '${foreign.objectId}' names tenant '${foreign.tenantId}', not the vault's.`,
  );
}
