import type { Cloud } from "../core/cloud.ts";
import type { Resource } from "../core/resources.ts";

export const namespace = "Microsoft.KeyVault";
export const vaultType = `${namespace}/vaults`;

/** What a vault keeps to itself: which of all vaults that ever had its name it is. Its secrets hang on that. */
export type VaultHidden = { readonly instance: string };

export type AccessPolicy = {
  readonly tenantId: string;
  readonly objectId: string;
  readonly permissions: {
    readonly keys?: readonly string[];
    readonly secrets?: readonly string[];
    readonly certificates?: readonly string[];
    readonly storage?: readonly string[];
  };
};

export type VaultProperties = {
  readonly tenantId: string;
  readonly vaultUri: string;
  readonly provisioningState: string;
  readonly enableRbacAuthorization: boolean;
  readonly enablePurgeProtection?: boolean;
  readonly softDeleteRetentionInDays: number;
  readonly accessPolicies: readonly AccessPolicy[];
  readonly publicNetworkAccess: string;
  readonly networkAcls?: { readonly defaultAction?: string };
};

export function vaultProperties(vault: Resource): VaultProperties {
  return vault.body.properties as unknown as VaultProperties;
}

export function instanceOf(vault: Resource): string {
  return (vault.hidden as VaultHidden).instance;
}

/** Live vaults by name, which is global. */
export function vaultNames(cloud: Cloud) {
  return cloud.store.collection<string>("vault-names");
}

export function vaultByName(cloud: Cloud, name: string): Resource | undefined {
  const id = vaultNames(cloud).get(name.toLowerCase());
  return id === undefined ? undefined : cloud.resources.get(id);
}

/** The vault that answers on this host name; none while its DNS record is being made and once it is deleted. */
export function vaultOfHost(cloud: Cloud, host: string): Resource | undefined {
  const name = /^([a-z0-9-]+)\.vault\.azure\.net(?::443)?$/i.exec(host)?.[1];
  const vault = name === undefined ? undefined : vaultByName(cloud, name);
  return vault === undefined || vaultProperties(vault).provisioningState !== "Succeeded" ? undefined : vault;
}

/** Whether the host name of a vault resolves. */
export function vaultExists(cloud: Cloud, host: string): boolean {
  return vaultOfHost(cloud, host) !== undefined;
}

export function hostOf(vault: Resource): string {
  return `${vault.name.toLowerCase()}.vault.azure.net`;
}
