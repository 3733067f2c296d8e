import {
  deploymentNameFor,
  type FoundryNames,
  foundryNames,
  keyVaultReference,
  secretUri,
} from "../components/shared/names.ts";
import { makeTags, type Tags } from "../components/shared/tags.ts";
import type { KilnConfig } from "./schema.ts";

/** Everything about an environment that can be known without asking the cloud. */
export interface EnvironmentResources {
  readonly environment: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly tags: Tags;
  readonly names: FoundryNames;
  /** Name of the model's deployment in the account. */
  readonly deploymentName: string;
  /** The app that runs the backend: ours, or the adopted one. */
  readonly functionApp: {
    readonly mode: "create" | "adopt";
    readonly name: string;
    readonly resourceGroup: string;
  };
  readonly openaiEndpoint: string;
  readonly vaultUri: string;
  /** Address of the secret without a version, and the setting's value that refers to it. */
  readonly secretUri: string;
  readonly secretReference: string;
  /** ARM ids, in the letter case Azure returns them. */
  readonly ids: {
    readonly resourceGroup: string;
    readonly openaiAccount: string;
    readonly vault: string;
    readonly functionApp: string;
    readonly storageAccount: string;
    readonly identity: string;
  };
}

/** Names, ids, tags and addresses of an environment. Pure: the same input gives the same answer, on any machine. */
export function resolveEnvironment(config: KilnConfig, subscriptionId: string): EnvironmentResources {
  const environment = config.environment.name;
  const names = foundryNames({ workload: config.workload, environment, subscriptionId });
  const app = config.foundry.functionApp;
  const functionApp =
    app.mode === "adopt"
      ? { mode: app.mode, name: app.name, resourceGroup: app.resourceGroup }
      : { mode: app.mode, name: names.functionApp, resourceGroup: names.resourceGroup };
  const subscription = `/subscriptions/${subscriptionId}`;
  const group = `${subscription}/resourceGroups/${names.resourceGroup}`;
  const uri = secretUri(names.vault, names.secret);
  return {
    environment,
    subscriptionId,
    location: config.location,
    tags: makeTags({ ...config, env: environment }),
    names,
    deploymentName: deploymentNameFor(config.foundry.model.name),
    functionApp,
    openaiEndpoint: `https://${names.customSubdomain}.openai.azure.com/`,
    vaultUri: `https://${names.vault}.vault.azure.net/`,
    secretUri: uri,
    secretReference: keyVaultReference(uri),
    ids: {
      resourceGroup: group,
      openaiAccount: `${group}/providers/Microsoft.CognitiveServices/accounts/${names.openaiAccount}`,
      vault: `${group}/providers/Microsoft.KeyVault/vaults/${names.vault}`,
      functionApp: `${subscription}/resourceGroups/${functionApp.resourceGroup}/providers/Microsoft.Web/sites/${functionApp.name}`,
      storageAccount: `${group}/providers/Microsoft.Storage/storageAccounts/${names.storageAccount}`,
      identity: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${names.identity}`,
    },
  };
}
