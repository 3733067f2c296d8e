import type { Cloud } from "../core/cloud.ts";
import type { Resource } from "../core/resources.ts";
import { resolveSecretFor } from "../keyvault/reference.ts";
import { isReference, parseReference } from "./reference-syntax.ts";
import { stateOf } from "./state.ts";

/** Source: `ResolveStatus` of the Microsoft.Web specification. */
export type ReferenceStatus =
  | "Initialized"
  | "Resolved"
  | "InvalidSyntax"
  | "MSINotEnabled"
  | "VaultNotFound"
  | "SecretNotFound"
  | "SecretVersionNotFound"
  | "AccessToKeyVaultDenied"
  | "OtherReasons";

/** What became of a setting's reference when it was last fetched. */
export interface FetchedReference {
  /** The setting's value, as it was written. */
  readonly reference: string;
  readonly status: ReferenceStatus;
  readonly details: string;
  readonly vaultName?: string;
  readonly secretName?: string;
  readonly secretVersion?: string;
  /** The version whose value the app has. */
  readonly activeVersion?: string;
  /** `SystemAssigned`, or the ARM id of the user-assigned identity that was used. */
  readonly identity: string;
  /** The secret itself: kept here, in the cloud's own data, and handed to the app's process only. */
  readonly value?: string;
}

/** All references of a site, fetched together. Keys: `appsettings/NAME` and `connectionstrings/NAME`. */
export interface ReferenceCache {
  /** Sandbox time, in milliseconds since the epoch. */
  readonly fetchedAt: number;
  readonly entries: Readonly<Record<string, FetchedReference>>;
}

const details: Record<ReferenceStatus, string> = {
  Initialized: "Reference has not been resolved yet.",
  Resolved: "Reference has been successfully resolved.",
  InvalidSyntax:
    "Key Vault reference was not able to be resolved because its syntax is invalid: @Microsoft.KeyVault(SecretUri=https://{vault}.vault.azure.net/secrets/{name}[/{version}]) or @Microsoft.KeyVault(VaultName={vault};SecretName={name}[;SecretVersion={version}]).",
  MSINotEnabled:
    "Reference was not able to be resolved because the site's Managed Identity for Key Vault references is not enabled or not assigned.",
  VaultNotFound: "Key Vault reference was not able to be resolved because the vault was not found.",
  SecretNotFound: "Key Vault reference was not able to be resolved because the secret was not found.",
  SecretVersionNotFound:
    "Key Vault reference was not able to be resolved because the secret version was not found.",
  AccessToKeyVaultDenied:
    "Key Vault reference was not able to be resolved because site was denied access to Key Vault reference's vault.",
  OtherReasons: "Key Vault reference was not able to be resolved.",
};

const caches = (cloud: Cloud) => cloud.store.collection<ReferenceCache>("site-references");

/**
 * The references of a site as they were last fetched. They are fetched again when the cache is older than
 * `timings.referenceCache`; what failed to resolve stays failed as long as what resolved stays resolved.
 */
export function referencesOf(cloud: Cloud, site: Resource): ReferenceCache {
  const cached = caches(cloud).get(site.id.toLowerCase());
  if (cached !== undefined && dueAt(cloud, cached) > cloud.clock.now()) return cached;
  return isBeingCreated(cloud, site) ? initialized(cloud, site) : fetchReferences(cloud, site);
}

/** Sandbox time at which the site's references are fetched again. */
export function referencesDueAt(cloud: Cloud, site: Resource): number {
  const cached = caches(cloud).get(site.id.toLowerCase());
  return cached === undefined ? cloud.clock.now() : dueAt(cloud, cached);
}

/** Fetches all references of a site now: after any change of its configuration, and on `refresh`. */
export function fetchReferences(cloud: Cloud, site: Resource): ReferenceCache {
  const identity = referenceIdentity(cloud, site);
  const fetched: ReferenceCache = {
    fetchedAt: cloud.clock.now(),
    entries: mapReferences(cloud, site, (value) => fetchOne(cloud, value, identity)),
  };
  caches(cloud).put(site.id.toLowerCase(), fetched);
  return fetched;
}

export function forgetReferences(cloud: Cloud, siteId: string): void {
  caches(cloud).delete(siteId.toLowerCase());
}

/** The identity that a site reads its references with. */
export function referenceIdentity(
  cloud: Cloud,
  site: Resource,
): { readonly identity: string; readonly principalId: string | undefined } {
  const properties = (site.body.properties ?? {}) as { keyVaultReferenceIdentity?: string };
  const assigned = (site.body.identity ?? {}) as {
    principalId?: string;
    userAssignedIdentities?: Record<string, unknown>;
  };
  const wanted = properties.keyVaultReferenceIdentity ?? "SystemAssigned";
  if (wanted.toLowerCase() === "systemassigned") {
    return { identity: "SystemAssigned", principalId: assigned.principalId };
  }
  const has = Object.keys(assigned.userAssignedIdentities ?? {}).some((id) => sameId(id, wanted));
  const identity = has ? cloud.resources.get(wanted) : undefined;
  const { principalId } = (identity?.body.properties ?? {}) as { principalId?: string };
  return { identity: wanted, principalId };
}

function fetchOne(
  cloud: Cloud,
  value: string,
  { identity, principalId }: ReturnType<typeof referenceIdentity>,
): FetchedReference {
  const parsed = parseReference(value);
  if (parsed === undefined) {
    return { reference: value, status: "InvalidSyntax", details: details.InvalidSyntax, identity };
  }
  const { secretUri, ...parts } = parsed;
  const known = { reference: value, ...parts, identity };
  if (principalId === undefined) return { ...known, status: "MSINotEnabled", details: details.MSINotEnabled };
  const result = resolveSecretFor(cloud, { principalObjectId: principalId, secretUri });
  if (result.status !== "Resolved") {
    return { ...known, status: result.status, details: `${details[result.status]} ${result.detail}`.trim() };
  }
  return {
    ...known,
    status: "Resolved",
    details: details.Resolved,
    activeVersion: result.version,
    value: result.value,
  };
}

function initialized(cloud: Cloud, site: Resource): ReferenceCache {
  const { identity } = referenceIdentity(cloud, site);
  return {
    fetchedAt: cloud.clock.now(),
    entries: mapReferences(cloud, site, (reference) => ({
      reference,
      status: "Initialized",
      details: details.Initialized,
      identity,
    })),
  };
}

function mapReferences(
  cloud: Cloud,
  site: Resource,
  fetch: (value: string) => FetchedReference,
): Record<string, FetchedReference> {
  const { appSettings, connectionStrings } = stateOf(cloud, site.id);
  const values = [
    ...Object.entries(appSettings).map(([name, value]) => [`appsettings/${name}`, value] as const),
    ...Object.entries(connectionStrings).map(
      ([name, { value }]) => [`connectionstrings/${name}`, value] as const,
    ),
  ];
  return Object.fromEntries(
    values.filter(([, value]) => isReference(value)).map(([key, value]) => [key, fetch(value)]),
  );
}

function dueAt(cloud: Cloud, cache: ReferenceCache): number {
  return cache.fetchedAt + cloud.timings().referenceCache;
}

function isBeingCreated(cloud: Cloud, site: Resource): boolean {
  return cloud.operations.pendingOn(site.id)?.kind === "site.create";
}

function sameId(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\/+$/, "") === b.toLowerCase().replace(/\/+$/, "");
}
