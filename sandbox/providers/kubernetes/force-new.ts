import type { ReplaceRule } from "../diff.ts";
import { type Kind, kindKey } from "./kinds.ts";

/*
 * Which changes need a new object: the list of the real provider (github.com/pulumi/pulumi-kubernetes v4.34.2,
 * provider/pkg/provider/diff.go). What the API server holds to be immutable beyond that list, it refuses by itself, in a
 * preview too.
 */

const volumeSources =
  "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs hostPath " +
  "iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume";

const podFields =
  "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID " +
  "hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName readinessGates " +
  "restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName shareProcessNamespace " +
  "subdomain terminationGracePeriodSeconds volumes";

const containerFields =
  "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext stdin " +
  "stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir";

const under = (prefix: string, names: string) => names.split(" ").map((name) => `${prefix}.${name}`);
const roleBinding = ["roleRef"];
const selector = ["spec.selector"];
const job = ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"];

const fields: Readonly<Record<string, readonly string[]>> = {
  "apps/v1/DaemonSet": selector,
  "apps/v1/Deployment": selector,
  "apps/v1/StatefulSet": [
    ...selector,
    ...under("spec", "podManagementPolicy revisionHistoryLimit serviceName volumeClaimTemplates"),
  ],
  "batch/v1/Job": job,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": roleBinding,
  "rbac.authorization.k8s.io/v1/RoleBinding": roleBinding,
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
  "v1/PersistentVolume": under("spec", volumeSources),
  "v1/PersistentVolumeClaim": under("spec", "accessModes selector storageClassName volumeName"),
  "v1/Pod": [
    ...under("spec", podFields),
    ...under("spec.containers", containerFields),
    ...under("spec.initContainers", containerFields),
  ],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Secret": ["type"],
  "v1/Service": ["spec.clusterIP"],
};

const identity = ["metadata.name", "metadata.namespace"];

export interface Mutability {
  readonly enableConfigMapMutable: boolean;
  readonly enableSecretMutable: boolean;
  /** The object's own `immutable`. */
  readonly immutable: boolean;
}

/** Property names (without list indexes) of a kind at and below which a change replaces the object. */
export function forceNewFields(kind: Kind, mutability: Mutability): readonly string[] {
  const key = kindKey(kind);
  if (key === "v1/Secret" && (!mutability.enableSecretMutable || mutability.immutable)) {
    return [...identity, "type", "stringData", "data"];
  }
  if (key === "v1/ConfigMap" && (!mutability.enableConfigMapMutable || mutability.immutable)) {
    return [...identity, "binaryData", "data"];
  }
  return [...identity, ...(fields[key] ?? [])];
}

/** The rule for `diffInputs`. A whole element of a list that has such fields (a container) counts as they do. */
export function replaceRule(forceNew: readonly string[]): ReplaceRule {
  return (names) => {
    const path = names.join(".");
    return forceNew.some(
      (field) =>
        path === field || path.startsWith(`${field}.`) || (names.length > 1 && field.startsWith(`${path}.`)),
    );
  };
}
