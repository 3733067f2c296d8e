/** What a pipeline's identity may do in Azure. */
import { ROLES } from "../../../components/azure/roles.ts";

/** A grant to the identity, at one scope. */
export interface IdentityGrant {
  /** In words, for people. */
  readonly what: string;
  readonly roleId: string;
  readonly scope: string;
  readonly condition?: string;
}

/** Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const roles = {
  contributor: "b24988ac-6180-42a0-ab88-20f7382dd24c",
  rbacAdministrator: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
  blobDataContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
  keyVaultCryptoUser: "12338af0-0e69-4776-bea7-57ae8d297424",
};

/**
 * What bringing an environment up and down takes: to make and delete what it is made of, which begins with its resource group,
 * and to grant the roles that its components grant, to identities of services, and no others. Pure.
 */
export function subscriptionGrants(subscriptionId: string): IdentityGrant[] {
  const scope = `/subscriptions/${subscriptionId}`;
  return [
    { what: "Contributor on the subscription", roleId: roles.contributor, scope },
    {
      what: "the right to grant what the components grant, and nothing else",
      roleId: roles.rbacAdministrator,
      scope,
      condition: delegationCondition(Object.values(ROLES)),
    },
  ];
}

/**
 * Keeps who may assign roles to these roles and to service principals, in assigning as in taking away. Pure.
 * Source: learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
 */
export function delegationCondition(roleIds: readonly string[]): string {
  const ids = [...roleIds].sort().join(", ");
  const only = (action: string, source: string) => {
    const attribute = (name: string) => `@${source}[Microsoft.Authorization/roleAssignments:${name}]`;
    return (
      `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR ` +
      `(${attribute("RoleDefinitionId")} ForAnyOfAnyValues:GuidEquals {${ids}} AND ` +
      `${attribute("PrincipalType")} ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))`
    );
  };
  return `${only("write", "Request")} AND ${only("delete", "Resource")}`;
}

/** A thing in Azure that the state's backend or the secrets provider names. */
export interface NamedStore {
  readonly type: "Microsoft.Storage/storageAccounts" | "Microsoft.KeyVault/vaults";
  readonly name: string;
  /** The grant, once its ARM id is known. */
  readonly grant: (id: string) => IdentityGrant;
}

/** Where the state is, if it is in Azure: `azblob://container?storage_account=name`. Pure. */
export function stateStore(backend: string): NamedStore | undefined {
  if (!backend.startsWith("azblob://")) return undefined;
  const url = new URL(backend);
  const name = url.searchParams.get("storage_account") ?? "";
  if (name === "") return undefined;
  return {
    type: "Microsoft.Storage/storageAccounts",
    name,
    grant: (id) => ({
      what: `Storage Blob Data Contributor on the container ${url.hostname} of ${name}, for the state`,
      roleId: roles.blobDataContributor,
      scope: `${id}/blobServices/default/containers/${url.hostname}`,
    }),
  };
}

/** Where the key is that secrets in the state are encrypted with, if it is in Azure: `azurekeyvault://name.vault.azure.net/keys/key`. Pure. */
export function secretsStore(provider: string): NamedStore | undefined {
  const found = /^azurekeyvault:\/\/(?<vault>[^./]+)\.vault\.azure\.net\/keys\/(?<key>[^/]+)/.exec(provider);
  const { vault, key } = found?.groups ?? {};
  if (vault === undefined || key === undefined) return undefined;
  return {
    type: "Microsoft.KeyVault/vaults",
    name: vault,
    grant: (id) => ({
      what: `Key Vault Crypto User on the key ${key} of ${vault}, for secrets in the state`,
      roleId: roles.keyVaultCryptoUser,
      scope: `${id}/keys/${key}`,
    }),
  };
}
