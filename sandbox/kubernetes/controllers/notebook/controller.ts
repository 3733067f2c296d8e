import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { isBeingDeleted, type Pod, type StatefulSet, splitKey } from "../runtime/objects.ts";
import {
  type Notebook,
  notebookRoute,
  notebookServices,
  notebookStatefulSet,
  notebookStatus,
  statefulSetName,
} from "./children.ts";

/** Kubeflow's notebook controller with its companion of OpenShift AI. */
export const notebookController: Controller = {
  name: "notebooks",
  of: kinds.notebook,
  owns: [kinds.statefulSet, kinds.service, kinds.route],
  also: [
    {
      kind: kinds.pod,
      keysOf: ({ metadata }) => {
        const notebook = metadata.labels?.["notebook-name"];
        return notebook === undefined ? [] : [`${metadata.namespace}/${notebook}`];
      },
    },
  ],
  reconcile: async (key, cluster) => {
    const { namespace = "", name } = splitKey(key);
    const notebook = cluster.get<Notebook>(kinds.notebook, namespace, name);
    if (notebook === undefined || isBeingDeleted(notebook)) return undefined;
    const set = await cluster.ensure<StatefulSet>(kinds.statefulSet, notebookStatefulSet(notebook));
    const services = notebookServices(notebook);
    for (const service of services) await cluster.ensure(kinds.service, service);
    for (const service of cluster.owned(kinds.service, notebook)) {
      const kept = services.some(({ metadata }) => metadata.name === service.metadata.name);
      if (!kept && !isBeingDeleted(service)) await cluster.remove(kinds.service, service);
    }
    await cluster.ensure(kinds.route, notebookRoute(notebook));
    const pod = cluster.get<Pod>(kinds.pod, namespace, `${statefulSetName(notebook)}-0`);
    await cluster.setStatus(kinds.notebook, notebook, notebookStatus(notebook, set, pod));
    return undefined;
  },
};
