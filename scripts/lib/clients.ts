import type { CognitiveServicesManagementClient } from "@azure/arm-cognitiveservices";
import type { KeyVaultManagementClient } from "@azure/arm-keyvault";
import type { ResourceManagementClient } from "@azure/arm-resources";
import type { Cluster } from "./cluster/client.ts";
import { KilnError } from "./errors.ts";
import type { CloudTarget } from "./target.ts";

/** The SDK clients that verbs work with, loaded when they are first asked for. */
export interface CloudClients {
  cognitive(): Promise<CognitiveServicesManagementClient>;
  keyVault(): Promise<KeyVaultManagementClient>;
  resources(): Promise<ResourceManagementClient>;
  /** @throws KilnError where no cluster was made contact with */
  cluster(): Promise<Cluster>;
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
    cluster: once(async () => {
      if (target.cluster === undefined) throw noCluster();
      const { openCluster } = await import("./cluster/client.ts");
      return openCluster(target.cluster);
    }),
  };
}

function noCluster(): KilnError {
  return new KilnError({
    code: "NoCluster",
    message: "there is no way to the cluster",
    cause: "Something is on record in a cluster, and there is no kubeconfig that leads to it.",
    next: "Sign in to it (`oc login`, or name the file in KUBECONFIG), then run it again.",
  });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
