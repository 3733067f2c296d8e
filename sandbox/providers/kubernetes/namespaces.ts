import type { Session } from "../provider.ts";
import { isMap, reveal, type ValueMap } from "../values.ts";
import { UnreachableError } from "./api-error.ts";
import type { Clusters } from "./clusters.ts";
import { defaultNamespace } from "./diff.ts";
import type { Kind } from "./kinds.ts";

const groups: ReadonlySet<string> = new Set([
  ..." apps autoscaling batch policy".split(" "),
  ...(
    "admissionregistration apiextensions authentication authorization certificates coordination discovery events networking node " +
    "rbac.authorization resource scheduling storage storagemigration flowcontrol.apiserver internal.apiserver"
  )
    .split(" ")
    .map((name) => `${name}.k8s.io`),
  "apiregistration.k8s.io",
]);
/** Kinds of those groups that stand in no namespace (`kubectl api-resources --namespaced=false`). */
const inNone: ReadonlySet<string> = new Set(
  (
    "APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle ComponentStatus " +
    "CustomResourceDefinition DeviceClass DeviceTaintRule FlowSchema IPAddress IngressClass MutatingAdmissionPolicy " +
    "MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node PersistentVolume PriorityClass " +
    "PriorityLevelConfiguration ResourceSlice RuntimeClass SelfSubjectAccessReview SelfSubjectReview SelfSubjectRulesReview " +
    "ServiceCIDR StorageClass StorageVersion StorageVersionMigration SubjectAccessReview TokenReview ValidatingAdmissionPolicy " +
    "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment VolumeAttributesClass"
  ).split(" "),
);

/** Whether objects of one of Kubernetes' own kinds stand in namespaces; undefined of others, of which only the API server knows. */
export function ownScope({ group, kind }: Kind): boolean | undefined {
  return groups.has(group) ? !inNone.has(kind) : undefined;
}

/**
 * The inputs in the namespace that is configured, else in the kubeconfig's, else in the default one, unless the kind stands in none.
 * A kind that is not known yet counts as one that stands in a namespace, as with the real provider.
 */
export async function withNamespace(
  clusters: Clusters,
  kind: Kind,
  inputs: ValueMap,
  configured: string | undefined,
  session: Session,
): Promise<ValueMap> {
  const metadata = inputs.metadata === undefined ? undefined : reveal(inputs.metadata);
  if (metadata === undefined || !isMap(metadata) || metadata.namespace !== undefined) return inputs;
  try {
    const cluster = await clusters.of(session.config);
    // Of what is known the API server need not be asked: a preview without a change asks for nothing.
    const namespaced = ownScope(kind) ?? (await cluster.discovery.find(kind))?.namespaced;
    if (namespaced === false) return inputs;
    const namespace = configured ?? cluster.namespace ?? defaultNamespace;
    return { ...inputs, metadata: { ...metadata, namespace } };
  } catch (error) {
    // Without an API server a plan can still be shown up to here; what follows tells of it.
    if (error instanceof UnreachableError) return inputs;
    throw error;
  }
}
