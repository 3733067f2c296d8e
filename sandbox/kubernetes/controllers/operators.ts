import { kserveController } from "./kserve/controller.ts";
import { notebookController } from "./notebook/controller.ts";
import { namespaceController } from "./openshift/namespaces.ts";
import { routeController } from "./openshift/routes.ts";
import { bundlePublisher, serviceCaControllers } from "./openshift/service-ca.ts";
import { volumeController } from "./openshift/volumes.ts";
import { pipelinesController } from "./pipelines/controller.ts";
import { kinds } from "./runtime/kinds.ts";
import type { Controller } from "./runtime/manager.ts";
import { externalSecretController } from "./secrets/controller.ts";
import { storeController, VaultReaders } from "./secrets/store.ts";
import { azureVaultReader, type MakeVaultReader } from "./secrets/vault.ts";

/** The operators that OpenShift AI and OpenShift bring, as far as the sandbox stands for them. */
export function operators(makeVaultReader: MakeVaultReader = azureVaultReader): Controller[] {
  const readers = new VaultReaders(makeVaultReader);
  return [
    kserveController,
    notebookController,
    pipelinesController,
    routeController,
    volumeController,
    namespaceController,
    ...serviceCaControllers(),
    bundlePublisher,
    storeController(kinds.secretStore, readers),
    storeController(kinds.clusterSecretStore, readers),
    externalSecretController(readers),
  ];
}
