/** A resource type of a namespace; a tracked one has a location and tags. */
export interface ServedType {
  readonly type: string;
  readonly tracked: boolean;
}

const tracked = (...types: string[]): ServedType[] => types.map((type) => ({ type, tracked: true }));
const other = (...types: string[]): ServedType[] => types.map((type) => ({ type, tracked: false }));

/** What the sandbox serves, by namespace: what clients look up to learn with which version to ask for a resource. */
export const servedTypes: Readonly<Record<string, readonly ServedType[]>> = {
  "Microsoft.Authorization": other("roleAssignments", "roleDefinitions"),
  "Microsoft.CognitiveServices": [
    ...tracked("accounts"),
    ...other("accounts/deployments", "deletedAccounts", "locations/usages", "locations/models", "skus"),
  ],
  "Microsoft.Insights": tracked("components"),
  "Microsoft.KeyVault": [...tracked("vaults"), ...other("vaults/secrets", "deletedVaults")],
  "Microsoft.ManagedIdentity": [
    ...tracked("userAssignedIdentities"),
    ...other("userAssignedIdentities/federatedIdentityCredentials"),
  ],
  "Microsoft.OperationalInsights": [...tracked("workspaces"), ...other("deletedWorkspaces")],
  "Microsoft.Resources": [
    ...tracked("resourceGroups", "subscriptions/resourceGroups"),
    ...other("subscriptions", "tags", "resources"),
  ],
  "Microsoft.Storage": [...tracked("storageAccounts"), ...other("storageAccounts/blobServices")],
  "Microsoft.Web": [...tracked("sites", "serverfarms"), ...other("sites/config", "sites/functions")],
};

/** Any well-formed version is taken; these are the ones that clients are told of, the newest first. */
export const apiVersions: readonly string[] = [
  "2025-06-01",
  "2024-11-01",
  "2023-09-01",
  "2022-04-01",
  "2020-02-02",
];
