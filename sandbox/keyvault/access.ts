import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Principal } from "../core/principals.ts";
import type { Resource } from "../core/resources.ts";
import { vaultProperties } from "./state.ts";

/** What a data-plane request does, by the names of Key Vault's access policies. */
export type SecretPermission =
  | "get"
  | "list"
  | "set"
  | "update"
  | "delete"
  | "getDeleted"
  | "backup"
  | "restore"
  | "recover"
  | "purge";

/** Per permission: the RBAC data action, and what an access policy must grant. Source: Key Vault's documentation. */
const permissions: Record<SecretPermission, { action: string; policy: string }> = {
  get: { action: "getSecret/action", policy: "get" },
  list: { action: "readMetadata/action", policy: "list" },
  set: { action: "setSecret/action", policy: "set" },
  update: { action: "update/action", policy: "set" },
  delete: { action: "delete", policy: "delete" },
  getDeleted: { action: "readMetadata/action", policy: "get" },
  backup: { action: "backup/action", policy: "backup" },
  restore: { action: "restore/action", policy: "restore" },
  recover: { action: "recover/action", policy: "recover" },
  purge: { action: "purge/action", policy: "purge" },
};

/**
 * Whether this principal may do this in the vault: its network first, then RBAC or access policies, whichever the vault
 * goes by.
 * @param secret name of the secret, where the request names one
 * @throws CloudError 403 `Forbidden` with `ForbiddenByConnection`, `ForbiddenByFirewall`, `ForbiddenByRbac` or `AccessDenied`
 */
export function authorize(
  cloud: Cloud,
  vault: Resource,
  principal: Principal,
  permission: SecretPermission,
  secret?: string,
): void {
  requireNetwork(vault);
  const { enableRbacAuthorization } = vaultProperties(vault);
  if (enableRbacAuthorization) requireRole(cloud, vault, principal, permission, secret);
  else requirePolicy(cloud, vault, principal, permission);
}

/** Everyone here comes from the public network. */
function requireNetwork(vault: Resource): void {
  const { publicNetworkAccess, networkAcls } = vaultProperties(vault);
  if (publicNetworkAccess.toLowerCase() === "disabled") {
    throw new CloudError(
      403,
      "Forbidden",
      `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n${label(vault)}`,
      { innerCode: "ForbiddenByConnection" },
    );
  }
  if (networkAcls?.defaultAction?.toLowerCase() === "deny") {
    throw new CloudError(
      403,
      "Forbidden",
      `Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\n${label(vault)}`,
      { innerCode: "ForbiddenByFirewall" },
    );
  }
}

function requireRole(
  cloud: Cloud,
  vault: Resource,
  principal: Principal,
  permission: SecretPermission,
  secret: string | undefined,
): void {
  const action = `Microsoft.KeyVault/vaults/secrets/${permissions[permission].action}`;
  const scope = secret === undefined ? vault.id : `${vault.id}/secrets/${secret}`;
  if (cloud.rbac.allows(principal.objectId, action, scope, "data")) return;
  throw new CloudError(
    403,
    "Forbidden",
    [
      "Caller is not authorized to perform action on resource.",
      "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
      `Caller: ${caller(cloud, principal)}`,
      `Action: '${action}'`,
      `Resource: '${scope.toLowerCase()}'`,
      "Assignment: (not found)",
      "DenyAssignmentId: null",
      "DecisionReason: null ",
      `${label(vault)}\r\n`,
    ].join("\r\n"),
    { innerCode: "ForbiddenByRbac" },
  );
}

function requirePolicy(
  cloud: Cloud,
  vault: Resource,
  principal: Principal,
  permission: SecretPermission,
): void {
  const wanted = permissions[permission].policy;
  const granted = vaultProperties(vault)
    .accessPolicies.filter((policy) => policy.objectId.toLowerCase() === principal.objectId)
    .flatMap((policy) => policy.permissions.secrets ?? [])
    .map((each) => each.toLowerCase());
  if (granted.includes(wanted) || granted.includes("all")) return;
  throw new CloudError(
    403,
    "Forbidden",
    `The user, group or application '${caller(cloud, principal)}' does not have secrets ${wanted} permission on key vault '${vault.name};location=${vault.location}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
    { innerCode: "AccessDenied" },
  );
}

function caller(cloud: Cloud, principal: Principal): string {
  return `appid=${principal.clientId};oid=${principal.objectId};iss=https://sts.windows.net/${cloud.tenantId}/`;
}

export function label(vault: Resource): string {
  return `Vault: ${vault.name};location=${vault.location}`;
}
