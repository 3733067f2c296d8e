import type { CheckRequest, Session } from "../provider.ts";
import { annotations } from "./annotations.ts";
import { mapAt } from "./check.ts";
import { apiVersionOf, type Kind, kindKey } from "./kinds.ts";

const inAll = (apiVersion: string, kinds: string, by: string, since: number) =>
  kinds.split(" ").map((kind) => [`${apiVersion}/${kind}`, { by: `${by}/${kind}`, since }] as const);
const workloads = "Deployment DaemonSet ReplicaSet StatefulSet";
const roles = "ClusterRole ClusterRoleBinding Role RoleBinding";

/** Kinds that Kubernetes had: what to use instead, and the version 1.x without it. Source: kubernetes.io, Deprecated API Migration Guide. */
const removed: ReadonlyMap<string, { readonly by: string; readonly since: number }> = new Map([
  ...inAll("extensions/v1beta1", workloads, "apps/v1", 16),
  ...inAll("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", 16),
  ...inAll("extensions/v1beta1", "Ingress", "networking.k8s.io/v1", 22),
  ...inAll("apps/v1beta1", "Deployment StatefulSet", "apps/v1", 16),
  ...inAll("apps/v1beta2", workloads, "apps/v1", 16),
  ...inAll("networking.k8s.io/v1beta1", "Ingress IngressClass", "networking.k8s.io/v1", 22),
  ...inAll("rbac.authorization.k8s.io/v1beta1", roles, "rbac.authorization.k8s.io/v1", 22),
  ...inAll("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1", 22),
  ...inAll(
    "admissionregistration.k8s.io/v1beta1",
    "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    22,
  ),
  ...inAll(
    "storage.k8s.io/v1beta1",
    "CSIDriver CSINode StorageClass VolumeAttachment",
    "storage.k8s.io/v1",
    22,
  ),
  ...inAll("scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1", 22),
  ...inAll("coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1", 22),
  ...inAll("policy/v1beta1", "PodDisruptionBudget", "policy/v1", 25),
  ...inAll("batch/v1beta1", "CronJob", "batch/v1", 25),
  ...inAll("discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1", 25),
  ...inAll("autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2", 25),
  ...inAll("autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2", 26),
]);

/** What is said of a kind that a cluster does not have any more; undefined of one that it may yet get. */
export function removedKind(kind: Kind): string | undefined {
  const known = removed.get(kindKey(kind));
  if (known === undefined) return undefined;
  const { by, since } = known;
  return `apiVersion "${apiVersionOf(kind)}/${kind.kind}" was removed in Kubernetes 1.${since}. Use "${by}" instead.\nSee https://git.k8s.io/kubernetes/CHANGELOG/CHANGELOG-1.${since}.md#deprecation for more information.`;
}

/** Says what the real provider says of inputs as the program gives them. */
export async function warnOf(
  kind: Kind,
  request: Pick<CheckRequest, "urn" | "news">,
  session: Session,
): Promise<void> {
  const gone = removedKind(kind);
  if (gone !== undefined) await session.log(request.urn, "warning", gone);
  for (const name of Object.keys(mapAt(mapAt(request.news, "metadata"), "annotations"))) {
    if (!name.startsWith(annotations.autonamed)) continue;
    await session.log(
      request.urn,
      "warning",
      `ignoring user-specified value for internal annotation "${name}"`,
    );
  }
}
