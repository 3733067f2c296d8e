import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import { isBeingDeleted, type KubeObject } from "../runtime/objects.ts";

const marks = {
  uids: "openshift.io/sa.scc.uid-range",
  groups: "openshift.io/sa.scc.supplemental-groups",
  levels: "openshift.io/sa.scc.mcs",
} as const;

/** First user id of the ranges, how many ids each has, and how many ranges there are: OpenShift's own numbers. */
const firstId = 1_000_000_000;
const idsPerNamespace = 10_000;
const ranges = 100_000;

/**
 * The annotations that OpenShift gives a namespace: the user ids its pods run as, a range that no other namespace has.
 * Source: openshift/cluster-policy-controller pkg/security (namespace_scc_allocation_controller). Pure.
 * @param taken values of the uid range that other namespaces have
 */
export function securityAnnotations(
  namespace: KubeObject,
  taken: ReadonlySet<string>,
): Record<string, string> {
  // Where to begin looking is told by the name, so that a namespace that is made again is likely to be the same.
  let block = [...namespace.metadata.name].reduce(
    (hash, each) => (hash * 31 + each.charCodeAt(0)) % ranges,
    7,
  );
  const rangeOf = (each: number) => `${firstId + each * idsPerNamespace}/${idsPerNamespace}`;
  while (taken.has(rangeOf(block))) block = (block + 1) % ranges;
  const range = rangeOf(block);
  // Pairs of categories, the larger first, count the blocks up to c1023.
  const first = block % 1023;
  const second = Math.floor(block / 1023) % 1023;
  const [high, low] =
    first === second ? [first + 1, second] : [Math.max(first, second), Math.min(first, second)];
  return { [marks.uids]: range, [marks.groups]: range, [marks.levels]: `s0:c${high},c${low}` };
}

/** OpenShift's allocation of user ids to namespaces. */
export const namespaceController: Controller = {
  name: "namespaces",
  of: kinds.namespace,
  concurrency: 1,
  reconcile: async (name, cluster) => {
    const namespace = cluster.get(kinds.namespace, undefined, name);
    if (namespace === undefined || isBeingDeleted(namespace)) return undefined;
    if (namespace.metadata.annotations?.[marks.uids] !== undefined) return undefined;
    const taken = new Set(
      cluster
        .list(kinds.namespace)
        .map(({ metadata }) => metadata.annotations?.[marks.uids])
        .filter((range) => range !== undefined),
    );
    const annotations = securityAnnotations(namespace, taken);
    const written = await cluster.api.merge(kinds.namespace, namespace, { metadata: { annotations } });
    cluster.storeOf(kinds.namespace).put(written);
    return undefined;
  },
};
