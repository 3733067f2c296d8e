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

/**
 * The operators that OpenShift AI and OpenShift bring, as far as the sandbox stands for them. What is simpler than in a cluster:
 * - KServe knows Standard mode only; `canaryTrafficPercent` has no effect in it, as in KServe itself, which splits traffic by
 *   Knative's revisions (kserve v0.15 reads it in the Knative reconciler alone). Transformers, explainers and several nodes per
 *   model are not made. The webhooks that change pods at their admission have their say in the Deployment's template. An
 *   autoscaler is made where least and greatest number differ; with no metrics in the cluster it keeps the least.
 * - Whether a model, a database or a bucket can be reached is told by Secrets, Services and names, never by a connection.
 *   The annotation `sandbox.kiln/fail: <words>` makes a model, a pod or a data connection fail with these words.
 * - Notebooks and pipeline servers have Routes, where OpenShift AI 3 has a gateway; their containers do nothing. One that is made
 *   stopped stays stopped, where OpenShift AI starts it once.
 * - A model whose Route no router has looked at is not ready, where KServe goes on saying what it said. A certificate has only the
 *   Service of a model with token authentication.
 * - External Secrets reads Azure Key Vault by workload identity; refresh intervals pass in real time. Templates: see
 *   `filledText`.
 */
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
