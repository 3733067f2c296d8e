import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { isBeingDeleted, type KubeObject, keyOf, splitKey } from "../runtime/objects.ts";
import { admission, generatedHost, type Route } from "./admission.ts";

/** OpenShift's router, as far as it admits Routes. Nothing listens at their hosts. */
export const routeController: Controller = {
  name: "routes",
  of: kinds.route,
  also: [{ kind: kinds.route, keysOf: rivals }],
  reconcile: async (key, cluster) => {
    const { namespace, name } = splitKey(key);
    let route = cluster.get<Route>(kinds.route, namespace, name);
    if (route === undefined || isBeingDeleted(route)) return undefined;
    if ((route.spec.host ?? "") === "") {
      const patch = {
        metadata: { annotations: { "openshift.io/host.generated": "true" } },
        spec: { host: generatedHost(route) },
      };
      route = (await cluster.api.merge(kinds.route, route, patch)) as Route;
      cluster.storeOf(kinds.route).put(route);
    }
    const now = new Date(cluster.timers.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const same = cluster.list<Route>(kinds.route).filter((other) => other.spec.host === route.spec.host);
    await cluster.setStatus(kinds.route, route, { ingress: [admission(route, same, now)] });
    return undefined;
  },
};

/** Those that ask for the host that a Route has or had: when it comes or goes, theirs changes hands. */
function* rivals(route: KubeObject, cluster: Cluster, before: KubeObject | undefined): Iterable<string> {
  const host = (route as Route).spec.host;
  const old = (before as Route | undefined)?.spec.host;
  const known = cluster.get(kinds.route, route.metadata.namespace, route.metadata.name) !== undefined;
  if (known && before !== undefined && host === old) return;
  for (const other of cluster.list<Route>(kinds.route)) {
    const asked = other.spec.host;
    if (asked !== undefined && asked !== "" && (asked === host || asked === old)) yield keyOf(other);
  }
}
