/**
 * The REST API version of each resource type that Kiln makes: the default ones of `@pulumi/azure-native` 3.28, so that a
 * look-up sees what the provider sees.
 */
export const apiVersions: Readonly<Record<string, string>> = {
  "azure-native:resources:ResourceGroup": "2024-03-01",
  "azure-native:cognitiveservices:Account": "2025-06-01",
  "azure-native:cognitiveservices:Deployment": "2025-06-01",
  "azure-native:keyvault:Vault": "2024-11-01",
  "azure-native:managedidentity:UserAssignedIdentity": "2023-01-31",
  "azure-native:managedidentity:FederatedIdentityCredential": "2023-01-31",
  "azure-native:operationalinsights:Workspace": "2023-09-01",
  "azure-native:applicationinsights:Component": "2020-02-02",
  "azure-native:storage:StorageAccount": "2024-01-01",
  "azure-native:web:AppServicePlan": "2025-05-01",
  "azure-native:web:WebApp": "2025-05-01",
  "azure-native:authorization:RoleAssignment": "2022-04-01",
};
