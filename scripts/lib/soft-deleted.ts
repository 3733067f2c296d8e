import type { CloudClients } from "./clients.ts";
import { KilnError } from "./errors.ts";
import type { State, StateResource } from "./state.ts";

/** Something that was deleted and still holds its name. */
export interface SoftDeleted {
  readonly kind: "account" | "vault";
  readonly name: string;
  readonly location: string;
  readonly resourceGroup: string;
  readonly tags: Readonly<Record<string, string>>;
  /** When the cloud purges it by itself. */
  readonly purgedAt: string | undefined;
  /** Nobody may purge it before that. */
  readonly protected: boolean;
}

/** Whose something is: ours by exact name and by the tags that every resource of an environment has. */
export interface Ownership {
  readonly accountName: string;
  readonly vaultName: string;
  readonly tags: { readonly env: string; readonly repo: string; readonly service: string };
}

export type SoftDeletedStep =
  | { readonly do: "purge"; readonly what: SoftDeleted }
  | { readonly do: "recover"; readonly what: SoftDeleted }
  | { readonly do: "leave"; readonly what: SoftDeleted; readonly why: string };

/** The vault on record that nobody may purge once it is deleted; undefined when there is none. Pure. */
export function protectedVault({ resources }: Pick<State, "resources">): StateResource | undefined {
  return resources.find(
    ({ type, inputs }) =>
      type === "azure-native:keyvault:Vault" &&
      (inputs?.properties as { enablePurgeProtection?: unknown } | undefined)?.enablePurgeProtection === true,
  );
}

/** What is to be done about soft-deleted namesakes before the names are used again. Pure. */
export function planSoftDeleted(
  found: readonly SoftDeleted[],
  owner: Ownership,
  purpose: "before-up" | "after-down",
): SoftDeletedStep[] {
  return found.map((what) => {
    if (!isOurs(what, owner))
      return { do: "leave", what, why: "it has the name but not the tags of this environment" };
    if (!what.protected) return { do: "purge", what };
    if (purpose === "before-up") return { do: "recover", what };
    return { do: "leave", what, why: "purge protection holds it; the next `kiln up` recovers it" };
  });
}

function isOurs(what: SoftDeleted, owner: Ownership): boolean {
  const wanted = what.kind === "account" ? owner.accountName : owner.vaultName;
  const tagged = Object.entries(owner.tags).every(([name, value]) => what.tags[name] === value);
  return what.name.toLowerCase() === wanted.toLowerCase() && tagged;
}

/** The soft-deleted account and vault of exactly these names, whoever's they are. */
export async function findSoftDeleted(clients: CloudClients, owner: Ownership): Promise<SoftDeleted[]> {
  const [accounts, vaults] = await Promise.all([
    deletedAccounts(clients, owner),
    deletedVaults(clients, owner),
  ]);
  return [...accounts, ...vaults];
}

async function deletedAccounts(clients: CloudClients, owner: Ownership): Promise<SoftDeleted[]> {
  const found: SoftDeleted[] = [];
  for await (const account of (await clients.cognitive()).deletedAccounts.list()) {
    if (account.name?.toLowerCase() !== owner.accountName.toLowerCase()) continue;
    found.push({
      kind: "account",
      name: account.name,
      location: account.location ?? "",
      resourceGroup: /\/resourceGroups\/([^/]+)/i.exec(account.id ?? "")?.[1] ?? "",
      tags: account.tags ?? {},
      purgedAt: account.properties?.scheduledPurgeDate,
      protected: false,
    });
  }
  return found;
}

async function deletedVaults(clients: CloudClients, owner: Ownership): Promise<SoftDeleted[]> {
  const found: SoftDeleted[] = [];
  for await (const vault of (await clients.keyVault()).vaults.listDeleted()) {
    if (vault.name?.toLowerCase() !== owner.vaultName.toLowerCase()) continue;
    found.push({
      kind: "vault",
      name: vault.name,
      location: vault.properties?.location ?? "",
      resourceGroup: /\/resourceGroups\/([^/]+)/i.exec(vault.properties?.vaultId ?? "")?.[1] ?? "",
      tags: vault.properties?.tags ?? {},
      purgedAt: vault.properties?.scheduledPurgeDate?.toISOString(),
      protected: vault.properties?.purgeProtectionEnabled === true,
    });
  }
  return found;
}

/** Purges for good, in the location that the cloud has on record. Already gone is as good. */
export async function purge(clients: CloudClients, what: SoftDeleted): Promise<void> {
  try {
    if (what.kind === "account") {
      const { deletedAccounts } = await clients.cognitive();
      await deletedAccounts.beginPurgeAndWait(what.location, what.resourceGroup, what.name);
    } else {
      await (await clients.keyVault()).vaults.purgeDeleted(what.name, what.location);
    }
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string };
    if (statusCode === 404) return;
    throw new KilnError({
      code: code ?? "PurgeFailed",
      message: `the deleted ${what.kind} ${what.name} could not be purged`,
      cause: error instanceof Error ? error.message : String(error),
      next: "Purging needs a role at subscription scope (Contributor). Run it again once that is granted.",
    });
  }
}
