import { flat, group, groupName, identity, words } from "./type-parts.ts";
import type { ResourceType } from "./types.ts";

const accounts = `${group}/providers/Microsoft.CognitiveServices/accounts/{accountName}`;
const vaults = `${group}/providers/Microsoft.KeyVault/vaults/{vaultName}`;
const identities = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`;

/** Groups, identities and grants, Cognitive Services, Key Vault. */
export const coreTypes: readonly ResourceType[] = [
  {
    token: "resources:ResourceGroup",
    apiVersion: "2024-03-01",
    path: group,
    naming: { parameter: "resourceGroupName", auto: "random" },
    patterns: { resourceGroupName: groupName },
    required: ["location"],
    replaceOn: ["location", "managedBy"],
    shape: { inputs: words("location managedBy tags"), readOnly: words("name properties type") },
  },
  {
    token: "cognitiveservices:Account",
    apiVersion: "2025-06-01",
    path: accounts,
    naming: { parameter: "accountName", auto: "random" },
    patterns: { resourceGroupName: groupName, accountName: /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/ },
    required: ["location"],
    replaceOn: ["location", "kind"],
    fixedOnceSet: ["properties.customSubDomainName"],
    defaults: { properties: { publicNetworkAccess: "Enabled", disableLocalAuth: false } },
    shape: {
      inputs: words("identity kind location properties sku tags"),
      readOnly: words("etag name systemData type"),
      nested: {
        identity,
        sku: { derived: ["tier"] },
        properties: {
          readOnly: words(
            "abusePenalty callRateLimit capabilities commitmentPlanAssociations dateCreated deletionDate endpoint endpoints internalId isMigrated privateEndpointConnections provisioningState quotaLimit scheduledPurgeDate skuChangeInfo",
          ),
          filledIn: words("customSubDomainName publicNetworkAccess disableLocalAuth"),
          writeOnly: ["restore"],
        },
      },
    },
  },
  {
    token: "cognitiveservices:Deployment",
    apiVersion: "2025-06-01",
    path: `${accounts}/deployments/{deploymentName}`,
    naming: { parameter: "deploymentName", auto: "copy" },
    patterns: { resourceGroupName: groupName, accountName: /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/ },
    defaults: {
      properties: {
        versionUpgradeOption: "OnceNewDefaultVersionAvailable",
        raiPolicyName: "Microsoft.DefaultV2",
      },
    },
    shape: {
      inputs: words("properties sku tags"),
      readOnly: words("etag name systemData type"),
      nested: {
        sku: {},
        properties: {
          readOnly: words("callRateLimit capabilities dynamicThrottlingEnabled provisioningState rateLimits"),
          filledIn: words("raiPolicyName versionUpgradeOption"),
          derived: ["currentCapacity"],
          nested: { model: { readOnly: ["callRateLimit"], filledIn: ["version"] } },
        },
      },
    },
  },
  {
    token: "keyvault:Vault",
    apiVersion: "2024-11-01",
    path: vaults,
    naming: { parameter: "vaultName", auto: "random" },
    patterns: { resourceGroupName: groupName, vaultName: /^[a-zA-Z0-9-]{3,24}$/ },
    required: [
      "location",
      "properties",
      "properties.sku",
      "properties.sku.family",
      "properties.sku.name",
      "properties.tenantId",
    ],
    replaceOn: ["location", "properties.tenantId"],
    defaults: { properties: { accessPolicies: [], enableSoftDelete: true } },
    shape: {
      inputs: words("location properties tags"),
      readOnly: words("name systemData type"),
      nested: {
        properties: {
          readOnly: words("hsmPoolResourceId privateEndpointConnections provisioningState vaultUri"),
          writeOnly: ["createMode"],
        },
      },
    },
  },
  {
    token: "keyvault:Secret",
    apiVersion: "2024-11-01",
    path: `${vaults}/secrets/{secretName}`,
    naming: { parameter: "secretName", auto: "copy" },
    patterns: {
      resourceGroupName: groupName,
      vaultName: /^[a-zA-Z0-9-]{3,24}$/,
      secretName: /^[a-zA-Z0-9-]{1,127}$/,
    },
    required: ["properties"],
    defaults: { properties: { attributes: { enabled: true } } },
    deleteOnVault: true,
    shape: {
      inputs: words("properties tags"),
      readOnly: words("location name type"),
      nested: {
        properties: {
          readOnly: words("secretUri secretUriWithVersion"),
          writeOnly: ["value"],
          nested: { attributes: { readOnly: words("created updated") } },
        },
      },
    },
  },
  {
    token: "managedidentity:UserAssignedIdentity",
    apiVersion: "2023-01-31",
    path: identities,
    naming: { parameter: "resourceName", auto: "random" },
    patterns: { resourceGroupName: groupName, resourceName: /^[a-zA-Z0-9][-_a-zA-Z0-9]{2,127}$/ },
    required: ["location"],
    replaceOn: ["location"],
    shape: flat("location tags", "clientId name principalId systemData tenantId type", "location tags"),
  },
  {
    token: "managedidentity:FederatedIdentityCredential",
    apiVersion: "2023-01-31",
    path: `${identities}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}`,
    naming: { parameter: "federatedIdentityCredentialResourceName", auto: "copy" },
    patterns: {
      resourceGroupName: groupName,
      federatedIdentityCredentialResourceName: /^[a-zA-Z0-9][-_a-zA-Z0-9]{2,119}$/,
    },
    required: ["audiences", "issuer", "subject"],
    shape: flat("audiences issuer subject", "name systemData type", ""),
  },
  {
    token: "authorization:RoleAssignment",
    apiVersion: "2022-04-01",
    path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    naming: { parameter: "roleAssignmentName", auto: "uuid" },
    required: ["principalId", "roleDefinitionId"],
    replaceOn: ["principalId", "roleDefinitionId", "principalType", "delegatedManagedIdentityResourceId"],
    shape: flat(
      "condition conditionVersion delegatedManagedIdentityResourceId description principalId principalType roleDefinitionId",
      "createdBy createdOn name scope systemData type updatedBy updatedOn",
      "",
    ),
  },
];
