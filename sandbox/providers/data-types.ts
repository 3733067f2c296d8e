import { flat, group, groupName, identity, words } from "./type-parts.ts";
import type { ResourceType } from "./types.ts";

const storageAccounts = `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}`;

/** Monitoring and storage. */
export const dataTypes: readonly ResourceType[] = [
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
    defaults: { disableIpMasking: false, retentionInDays: 90 },
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
    defaults: {
      accessTier: "Hot",
      allowCrossTenantReplication: false,
      dnsEndpointType: "Standard",
      enableNfsV3: false,
      isHnsEnabled: false,
      encryption: {
        keySource: "Microsoft.Storage",
        services: {
          blob: { enabled: true, keyType: "Account" },
          file: { enabled: true, keyType: "Account" },
        },
      },
    },
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
          nested: {
            services: {
              nested: {
                blob: { readOnly: ["lastEnabledTime"] },
                file: { readOnly: ["lastEnabledTime"] },
                queue: { readOnly: ["lastEnabledTime"] },
                table: { readOnly: ["lastEnabledTime"] },
              },
            },
          },
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
];

/** Wire names that differ by a capital first letter. */
function capitalized(names: string): Record<string, string> {
  return Object.fromEntries(words(names).map((name) => [name, `${name[0]?.toUpperCase()}${name.slice(1)}`]));
}
