import { z } from "zod";
import { forbidden } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Principal } from "../core/principals.ts";
import type { JsonObject } from "../core/resources.ts";

/** The `identity` of a resource. A PATCH removes a user-assigned identity by naming it with null. */
export const identitySchema = z.looseObject({
  type: z
    .string()
    .transform((type) => type.split(",").map((part) => part.trim().toLowerCase()))
    .pipe(z.array(z.enum(["none", "systemassigned", "userassigned"])).min(1)),
  userAssignedIdentities: z.record(z.string(), z.unknown()).nullish(),
});

interface Shown {
  readonly type?: string;
  readonly principalId?: string;
  readonly tenantId?: string;
  readonly userAssignedIdentities?: Readonly<Record<string, JsonObject>>;
}

/**
 * What a site's identity becomes: makes or removes the system-assigned principal, and looks up the user-assigned ones,
 * which the caller must be allowed to assign.
 * @throws CloudError 400 when an identity does not exist, 403 when the caller may not assign it
 */
export function assignIdentity(
  cloud: Cloud,
  site: { id: string; identity: JsonObject | undefined },
  wanted: z.infer<typeof identitySchema> | null | undefined,
  caller: Principal,
  how: "replace" | "merge",
): JsonObject | undefined {
  if (wanted === undefined || wanted === null) return site.identity;
  const before = (site.identity ?? {}) as Shown;
  const system = wanted.type.includes("systemassigned");
  const user = wanted.type.includes("userassigned");
  const ids = user ? assignedIds(before, wanted.userAssignedIdentities ?? {}, how) : [];
  if (user && ids.length === 0) {
    throw new CloudError(
      400,
      "InvalidIdentityValues",
      "The identity type 'UserAssigned' needs at least one id in 'userAssignedIdentities'.",
    );
  }
  const held = Object.keys(before.userAssignedIdentities ?? {}).map((id) => id.toLowerCase());
  const userAssigned = ids.map(
    (id) => [id, lookUp(cloud, id, held.includes(id.toLowerCase()) ? undefined : caller)] as const,
  );
  if (!system) removeSystemIdentity(cloud, site.identity);
  if (!system && !user) return undefined;
  return {
    type: [system ? "SystemAssigned" : [], user ? "UserAssigned" : []].flat().join(", "),
    ...(system
      ? { principalId: before.principalId ?? createSystem(cloud, site.id), tenantId: cloud.tenantId }
      : {}),
    ...(user ? { userAssignedIdentities: Object.fromEntries(userAssigned) } : {}),
  };
}

/** The system-assigned identity lives and dies with its site. */
export function removeSystemIdentity(cloud: Cloud, identity: JsonObject | undefined): void {
  const principal = cloud.principals.byObjectId(((identity ?? {}) as Shown).principalId ?? "");
  if (principal !== undefined) cloud.principals.remove(principal.clientId);
}

function createSystem(cloud: Cloud, siteId: string): string {
  const knownFrom = cloud.clock.now() + cloud.timings().identityReplication;
  return cloud.principals.createManagedIdentity(siteId, knownFrom).objectId;
}

function assignedIds(before: Shown, wanted: Record<string, unknown>, how: "replace" | "merge"): string[] {
  const removed = Object.entries(wanted)
    .filter(([, value]) => value === null)
    .map(([id]) => id.toLowerCase());
  const named = Object.keys(wanted).filter((id) => !removed.includes(id.toLowerCase()));
  const kept = how === "merge" ? Object.keys(before.userAssignedIdentities ?? {}) : [];
  const all = new Map([...kept, ...named].map((id) => [id.toLowerCase(), id]));
  return [...all].filter(([key]) => !removed.includes(key)).map(([, id]) => id);
}

function lookUp(cloud: Cloud, id: string, caller: Principal | undefined): JsonObject {
  const action = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";
  if (caller !== undefined && !cloud.rbac.allows(caller.objectId, action, id)) {
    const { message } = forbidden(caller, action, id);
    throw new CloudError(403, "LinkedAuthorizationFailed", message);
  }
  const identity = cloud.resources.get(id);
  if (identity?.type !== "Microsoft.ManagedIdentity/userAssignedIdentities") {
    throw new CloudError(
      400,
      "FailedIdentityOperation",
      `Identity operation failed: the user-assigned identity '${id}' was not found.`,
    );
  }
  const { principalId, clientId } = identity.body.properties as { principalId: string; clientId: string };
  return { principalId, clientId };
}
