import { kserveController } from "./kserve/controller.ts";
import { notebookController } from "./notebook/controller.ts";
import { namespaceController } from "./openshift/namespaces.ts";
import { routeController } from "./openshift/routes.ts";
import { volumeController } from "./openshift/volumes.ts";
import type { Controller } from "./runtime/manager.ts";

/** The operators that OpenShift AI and OpenShift bring, as far as the sandbox stands for them. */
export function operators(): Controller[] {
  return [kserveController, notebookController, routeController, volumeController, namespaceController];
}
