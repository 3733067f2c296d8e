import type { ResourceShape, Shape } from "./shape.ts";
import type { ResourceType } from "./types.ts";
import { webTypes } from "./web-types.ts";

/*
 * Inputs, outputs and API versions: the `.js` and `.d.ts` of each type in @pulumi/azure-native 3.28.0. What forces a
 * replacement: its provider's list, x-ms-mutability of the REST specifications, and ARM's own refusals.
 */

const group = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";
const groupName = /^[-\w._()]{0,89}[-\w_()]$/;

export const identity: Shape = {
  readOnly: ["principalId", "tenantId"],
  stringSets: ["userAssignedIdentities"],
};

const accounts = `${group}/providers/Microsoft.CognitiveServices/accounts/{accountName}`;
const vaults = `${group}/providers/Microsoft.KeyVault/vaults/{vaultName}`;
const identities = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`;
const storageAccounts = `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}`;

const types: readonly ResourceType[] = [
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
        sku: { filledIn: ["tier"] },
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
          filledIn: words("currentCapacity raiPolicyName versionUpgradeOption"),
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
  {
    token: "operationalinsights:Workspace",
    apiVersion: "2023-09-01",
    path: `${group}/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}`,
    naming: { parameter: "workspaceName", auto: "random" },
    patterns: { resourceGroupName: groupName, workspaceName: /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/ },
    required: ["location"],
    replaceOn: ["location"],
    defaults: {
      publicNetworkAccessForIngestion: "Enabled",
      publicNetworkAccessForQuery: "Enabled",
      workspaceCapping: { dailyQuotaGb: -1 },
    },
    shape: {
      ...flat(
        "defaultDataCollectionRuleResourceId features forceCmkForQuery identity location publicNetworkAccessForIngestion publicNetworkAccessForQuery retentionInDays sku tags workspaceCapping",
        "createdDate customerId etag modifiedDate name privateLinkScopedResources provisioningState systemData type",
        "identity location tags",
      ),
      nested: {
        identity,
        sku: { readOnly: ["lastSkuUpdate"] },
        features: { readOnly: ["unifiedSentinelBillingOnly"] },
        workspaceCapping: { readOnly: words("dataIngestionStatus quotaNextResetTime") },
      },
    },
  },
  {
    token: "applicationinsights:Component",
    apiVersion: "2020-02-02",
    path: `${group}/providers/Microsoft.Insights/components/{resourceName}`,
    naming: { parameter: "resourceName", auto: "random" },
    patterns: { resourceGroupName: groupName },
    required: ["location", "kind", "applicationType"],
    replaceOn: ["location"],
    shape: {
      ...flat(
        "applicationType disableIpMasking disableLocalAuth flowType forceCustomerStorageForProfiler hockeyAppId immediatePurgeDataOn30Days ingestionMode kind location publicNetworkAccessForIngestion publicNetworkAccessForQuery requestSource retentionInDays samplingPercentage tags workspaceResourceId",
        "appId applicationId connectionString creationDate etag hockeyAppToken instrumentationKey laMigrationDate name privateLinkScopedResources provisioningState tenantId type",
        "kind location tags",
      ),
      wire: {
        applicationType: "Application_Type",
        flowType: "Flow_Type",
        requestSource: "Request_Source",
        ...capitalized(
          "disableIpMasking disableLocalAuth forceCustomerStorageForProfiler hockeyAppId immediatePurgeDataOn30Days ingestionMode retentionInDays samplingPercentage workspaceResourceId appId applicationId connectionString creationDate hockeyAppToken instrumentationKey laMigrationDate privateLinkScopedResources tenantId",
        ),
      },
    },
  },
  {
    token: "storage:StorageAccount",
    apiVersion: "2024-01-01",
    path: storageAccounts,
    naming: { parameter: "accountName", auto: "random" },
    patterns: { resourceGroupName: groupName, accountName: /^[a-z0-9]{3,24}$/ },
    required: ["location", "kind", "sku", "sku.name"],
    replaceOn: ["location", "kind", "isHnsEnabled", "enableNfsV3", "dnsEndpointType", "extendedLocation"],
    shape: {
      ...flat(
        "accessTier allowBlobPublicAccess allowCrossTenantReplication allowSharedKeyAccess allowedCopyScope azureFilesIdentityBasedAuthentication customDomain defaultToOAuthAuthentication dnsEndpointType enableExtendedGroups enableHttpsTrafficOnly enableNfsV3 encryption extendedLocation identity immutableStorageWithVersioning isHnsEnabled isLocalUserEnabled isSftpEnabled keyPolicy kind largeFileSharesState location minimumTlsVersion networkRuleSet publicNetworkAccess routingPreference sasPolicy sku tags",
        "accountMigrationInProgress blobRestoreStatus creationTime failoverInProgress geoReplicationStats isSkuConversionBlocked keyCreationTime lastGeoFailoverTime name primaryEndpoints primaryLocation privateEndpointConnections provisioningState secondaryEndpoints secondaryLocation statusOfPrimary statusOfSecondary storageAccountSkuConversionStatus type",
        "extendedLocation identity kind location sku tags",
      ),
      wire: {
        enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
        enableNfsV3: "isNfsV3Enabled",
        networkRuleSet: "networkAcls",
      },
      nested: {
        identity,
        sku: { readOnly: ["tier"] },
        encryption: {
          wire: { encryptionIdentity: "identity", keyVaultProperties: "keyvaultproperties" },
        },
        networkRuleSet: {
          nested: {
            ipRules: { wire: { iPAddressOrRange: "value" } },
            virtualNetworkRules: { wire: { virtualNetworkResourceId: "id" } },
          },
        },
      },
    },
  },
  {
    token: "storage:BlobContainer",
    apiVersion: "2024-01-01",
    path: `${storageAccounts}/blobServices/default/containers/{containerName}`,
    naming: { parameter: "containerName", auto: "copy" },
    patterns: {
      resourceGroupName: groupName,
      accountName: /^[a-z0-9]{3,24}$/,
      containerName: /^[a-z0-9$][a-z0-9-]{2,62}$/,
    },
    defaults: {
      publicAccess: "None",
      defaultEncryptionScope: "$account-encryption-key",
      denyEncryptionScopeOverride: false,
    },
    shape: flat(
      "defaultEncryptionScope denyEncryptionScopeOverride enableNfsV3AllSquash enableNfsV3RootSquash immutableStorageWithVersioning metadata publicAccess",
      "deleted deletedTime etag hasImmutabilityPolicy hasLegalHold immutabilityPolicy lastModifiedTime leaseDuration leaseState leaseStatus legalHold name remainingRetentionDays type version",
      "",
    ),
  },
  ...webTypes(group, identity, groupName),
];

const byToken: ReadonlyMap<string, ResourceType> = new Map(
  types.map((type) => [type.token.toLowerCase(), type]),
);

/** Every type that the sandbox serves. */
export function resourceTypes(): readonly ResourceType[] {
  return types;
}

/**
 * The type of a Pulumi token such as `azure-native:web:WebApp` (`azure-native:web/v20250501:WebApp` is the same type at
 * a version of its own choice, which the sandbox does not tell apart), or undefined when it is not served.
 */
export function findType(token: string): ResourceType | undefined {
  const [, module = "", name = ""] = token.split(":");
  return byToken.get(`${module.split("/")[0]}:${name}`.toLowerCase());
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** The shape of a type whose `properties` the SDK flattens. */
function flat(inputs: string, readOnly: string, envelope: string): ResourceShape {
  return { inputs: words(inputs), readOnly: words(readOnly), envelope: words(envelope) };
}

/** Wire names that differ by a capital first letter. */
function capitalized(names: string): Record<string, string> {
  return Object.fromEntries(words(names).map((name) => [name, `${name[0]?.toUpperCase()}${name.slice(1)}`]));
}
