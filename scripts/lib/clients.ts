import type { CognitiveServicesManagementClient } from "@azure/arm-cognitiveservices";
import type { KeyVaultManagementClient } from "@azure/arm-keyvault";
import type { ResourceManagementClient } from "@azure/arm-resources";
import type { CloudTarget } from "./target.ts";

/** The SDK clients that verbs work with, loaded when they are first asked for. */
export interface CloudClients {
  cognitive(): Promise<CognitiveServicesManagementClient>;
  keyVault(): Promise<KeyVaultManagementClient>;
  resources(): Promise<ResourceManagementClient>;
}

export function cloudClients(target: CloudTarget): CloudClients {
  const { credential, subscriptionId, clientOptions } = target;
  return {
    cognitive: once(async () => {
      const { CognitiveServicesManagementClient } = await import("@azure/arm-cognitiveservices");
      return new CognitiveServicesManagementClient(credential, subscriptionId, clientOptions);
    }),
    keyVault: once(async () => {
      const { KeyVaultManagementClient } = await import("@azure/arm-keyvault");
      return new KeyVaultManagementClient(credential, subscriptionId, clientOptions);
    }),
    resources: once(async () => {
      const { ResourceManagementClient } = await import("@azure/arm-resources");
      return new ResourceManagementClient(credential, subscriptionId, clientOptions);
    }),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
