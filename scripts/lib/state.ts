import { z } from "zod";

const resourceSchema = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  custom: z.boolean().optional(),
  parent: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
  initErrors: z.array(z.string()).optional(),
});

const deploymentSchema = z.looseObject({
  deployment: z
    .looseObject({
      resources: z.array(resourceSchema).nullish(),
      pending_operations: z.array(z.looseObject({ resource: resourceSchema, type: z.string() })).nullish(),
    })
    .nullish(),
});

export type StateResource = z.infer<typeof resourceSchema>;

/** What `pulumi stack export` prints, as far as Kiln reads it; the rest comes along untouched. */
export type ExportedState = {
  readonly deployment: {
    readonly resources?: readonly StateResource[] | null | undefined;
    readonly pending_operations?:
      | readonly { readonly resource: StateResource; readonly type: string }[]
      | null
      | undefined;
    readonly [more: string]: unknown;
  };
  readonly [more: string]: unknown;
};

/** What the engine has on record about an environment. */
export interface State {
  /** The cloud's resources: no stack, no components, no providers. */
  readonly resources: readonly StateResource[];
  /** Operations that a killed run began and whose end nobody wrote down. */
  readonly pending: readonly { readonly resource: StateResource; readonly type: string }[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export const emptyState: State = { resources: [], pending: [], outputs: {} };

/** Reads what `pulumi stack export` prints. */
export function parseState(exported: string): State {
  const { deployment } = deploymentSchema.parse(JSON.parse(exported));
  const all = deployment?.resources ?? [];
  return {
    resources: all.filter((each) => each.custom === true && !each.type.startsWith("pulumi:")),
    pending: deployment?.pending_operations ?? [],
    outputs: all.find((each) => each.type === "pulumi:pulumi:Stack")?.outputs ?? {},
  };
}

/** The ARM ids on record, in lower case. */
export function armIds(state: State): Set<string> {
  return new Set(
    state.resources.flatMap(({ id }) => (id?.startsWith("/subscriptions/") ? [id.toLowerCase()] : [])),
  );
}

/**
 * Ids that creates would have given, from their inputs: what a killed run began can be looked for in the cloud. Types
 * that are not here leave nothing in the cloud that a second create would stumble over.
 */
const idTemplates: Readonly<Record<string, string>> = {
  "azure-native:resources:ResourceGroup": "{group}",
  "azure-native:cognitiveservices:Account":
    "{group}/providers/Microsoft.CognitiveServices/accounts/{accountName}",
  "azure-native:cognitiveservices:Deployment":
    "{group}/providers/Microsoft.CognitiveServices/accounts/{accountName}/deployments/{deploymentName}",
  "azure-native:keyvault:Vault": "{group}/providers/Microsoft.KeyVault/vaults/{vaultName}",
  "azure-native:managedidentity:UserAssignedIdentity":
    "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
  "azure-native:managedidentity:FederatedIdentityCredential":
    "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
  "azure-native:operationalinsights:Workspace":
    "{group}/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}",
  "azure-native:applicationinsights:Component":
    "{group}/providers/Microsoft.Insights/components/{resourceName}",
  "azure-native:storage:StorageAccount": "{group}/providers/Microsoft.Storage/storageAccounts/{accountName}",
  "azure-native:web:AppServicePlan": "{group}/providers/Microsoft.Web/serverfarms/{name}",
  "azure-native:web:WebApp": "{group}/providers/Microsoft.Web/sites/{name}",
  "azure-native:authorization:RoleAssignment":
    "{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
};

/** The ARM id that creating this resource gives; undefined when that cannot be told. */
export function expectedId(resource: StateResource, subscriptionId: string): string | undefined {
  if (resource.id?.startsWith("/")) return resource.id;
  const template = idTemplates[resource.type];
  if (template === undefined) return undefined;
  const inputs = resource.inputs ?? {};
  const { resourceGroupName } = inputs;
  const group =
    typeof resourceGroupName === "string"
      ? `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}`
      : undefined;
  let complete = true;
  const id = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = name === "group" ? group : inputs[name];
    if (typeof value !== "string") complete = false;
    return String(value);
  });
  return complete ? id.replace(/^\/+/, "/") : undefined;
}
