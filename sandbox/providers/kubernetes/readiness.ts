import { isDeepStrictEqual } from "node:util";
import {
  at,
  conditionOf,
  idOf,
  isJsonMap,
  type KubeObject,
  mapsAt,
  nameOf,
  numberAt,
  textAt,
} from "./json.ts";
import { ready, type Verdict, waiting } from "./verdict.ts";

/*
 * When the API server's own kinds are ready: github.com/pulumi/pulumi-kubernetes, provider/pkg/await, and for DaemonSet
 * and ReplicaSet sigs.k8s.io/cli-utils/pkg/kstatus, which it asks. What is not listed is ready as soon as it is there.
 */

/** What a verdict needs to know beside the object. */
export interface Surroundings {
  /** `volumeBindingMode` of a claim's storage class. */
  readonly bindingMode?: string | undefined;
  /** The EndpointSlices of a Service. */
  readonly slices?: readonly KubeObject[];
  /** It is there for a while: what could be on its way has come. */
  readonly settled?: boolean;
  /** The object is not new. */
  readonly updated?: boolean;
}

type Rule = (object: KubeObject, around: Surroundings) => Verdict;

const rules: Readonly<Record<string, Rule>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/ReplicaSet": replicaSet,
  "v1/ReplicationController": replicaSet,
  "batch/v1/Job": job,
  "networking.k8s.io/v1/Ingress": ingress,
  "v1/PersistentVolume": persistentVolume,
  "v1/PersistentVolumeClaim": persistentVolumeClaim,
  "v1/Pod": pod,
  "v1/ResourceQuota": resourceQuota,
  "v1/Secret": secret,
  "v1/Service": service,
  "apiextensions.k8s.io/v1/CustomResourceDefinition": definition,
};

/** The rule for a kind (`apps/v1/Deployment`); undefined where there is nothing to wait for. */
export function readinessRule(kind: string): Rule | undefined {
  return rules[kind];
}

/** Kinds whose readiness a refresh looks at, as the real provider does. */
export const readOnRefresh: ReadonlySet<string> = new Set([
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "apps/v1/DaemonSet",
  "batch/v1/Job",
  "networking.k8s.io/v1/Ingress",
  "v1/Pod",
  "v1/Service",
]);

/** Whether the controller has not seen the object as it is now. */
function unobserved(object: KubeObject): boolean {
  const observed = numberAt(object, "status", "observedGeneration");
  return observed === undefined || observed < (numberAt(object, "metadata", "generation") ?? 0);
}

function count(object: KubeObject, name: string): number {
  return numberAt(object, "status", name) ?? 0;
}

function replicasOf(object: KubeObject): number {
  return numberAt(object, "spec", "replicas") ?? 1;
}

function deployment(object: KubeObject): Verdict {
  if (unobserved(object)) return waiting("Waiting for the Deployment controller to see the change");
  const wanted = replicasOf(object);
  const progressing = conditionOf(object, "Progressing");
  const available = conditionOf(object, "Available")?.status === "True";
  const rolledOut =
    progressing === undefined ||
    (progressing.status === "True" && progressing.reason === "NewReplicaSetAvailable");
  const [updated, live] = [count(object, "updatedReplicas"), count(object, "availableReplicas")];
  if (available && rolledOut && updated >= wanted && live >= wanted) return ready;
  const failure = conditionOf(object, "ReplicaFailure");
  const why = failure?.status === "True" ? `: [${failure.reason}] ${failure.message}` : "";
  return waiting(
    `Waiting for app ReplicaSet to be available (${Math.min(updated, live)}/${wanted} Pods available)${why}`,
  );
}

function statefulSet(object: KubeObject): Verdict {
  const wanted = replicasOf(object);
  if (unobserved(object)) return waiting("Waiting for the StatefulSet controller to see the change");
  const [all, live, current] = [
    count(object, "replicas"),
    count(object, "readyReplicas"),
    count(object, "currentReplicas"),
  ];
  const onDelete = textAt(object, "spec", "updateStrategy", "type") === "OnDelete";
  const first = (numberAt(object, "metadata", "generation") ?? 0) <= 1;
  if (onDelete && !first) {
    if (all === wanted && live === wanted) return ready;
    return waiting(`Waiting for StatefulSet to create Pods (${live}/${wanted} Pods ready)`);
  }
  const [from, to] = [
    textAt(object, "status", "currentRevision"),
    textAt(object, "status", "updateRevision"),
  ];
  const revised = from !== undefined && from !== "" && from === to;
  if (all === wanted && live === wanted && current === wanted && revised) return ready;
  if (!revised && live === wanted)
    return waiting("Waiting for StatefulSet to update .status.currentRevision");
  return waiting(`Waiting for StatefulSet to create Pods (${live}/${wanted} Pods ready)`);
}

function daemonSet(object: KubeObject): Verdict {
  if (unobserved(object)) return waiting("Waiting for the DaemonSet controller to see the change");
  const wanted = count(object, "desiredNumberScheduled");
  const [current, updated, available, live] = (
    ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"] as const
  ).map((name) => count(object, name));
  const least = Math.min(current ?? 0, updated ?? 0, available ?? 0, live ?? 0);
  return least >= wanted
    ? ready
    : waiting(`Waiting for DaemonSet to be ready (${least}/${wanted} Pods available)`);
}

function replicaSet(object: KubeObject): Verdict {
  if (unobserved(object)) return waiting("Waiting for the controller to see the change");
  const wanted = replicasOf(object);
  const least = Math.min(count(object, "availableReplicas"), count(object, "readyReplicas"));
  const failure = conditionOf(object, "ReplicaFailure");
  const why = failure?.status === "True" ? `: [${failure.reason}] ${failure.message}` : "";
  return least >= wanted && count(object, "replicas") === wanted
    ? ready
    : waiting(`Waiting for Pods (${least}/${wanted} available)${why}`);
}

function job(object: KubeObject): Verdict {
  const failed = conditionOf(object, "Failed");
  if (failed?.status === "True") return { state: "failed", message: `[${failed.reason}] ${failed.message}` };
  if (conditionOf(object, "Complete")?.status === "True") return ready;
  if (at(object, "spec", "suspend") === true) return waiting(`Job "${idOf(object)}" is suspended`);
  if (textAt(object, "status", "startTime") === undefined)
    return waiting(`Waiting for Job "${idOf(object)}" to start`);
  const counts = `(Active: ${count(object, "active")} | Succeeded: ${count(object, "succeeded")} | Failed: ${count(object, "failed")})`;
  return waiting(`Waiting for Job "${idOf(object)}" to succeed ${counts}`);
}

function pod(object: KubeObject): Verdict {
  const is = (type: string) => conditionOf(object, type)?.status === "True";
  const succeeded = textAt(object, "status", "phase") === "Succeeded";
  if (!is("PodScheduled")) {
    const why = conditionOf(object, "PodScheduled")?.message;
    return waiting(`Waiting for Pod "${idOf(object)}" to be scheduled${why ? `: ${why}` : ""}`);
  }
  if (!is("Initialized")) return waiting(`Waiting for Pod "${idOf(object)}" to be initialized`);
  return is("Ready") || succeeded ? ready : waiting(`Waiting for Pod "${idOf(object)}" to be ready`);
}

function persistentVolume(object: KubeObject): Verdict {
  const phase = textAt(object, "status", "phase");
  return phase === "Available" || phase === "Bound"
    ? ready
    : waiting(`Waiting for the volume, which is ${phase ?? "new"}`);
}

function persistentVolumeClaim(object: KubeObject, { bindingMode }: Surroundings): Verdict {
  const phase = textAt(object, "status", "phase");
  if (phase === "Bound" || (bindingMode === "WaitForFirstConsumer" && phase === "Pending")) return ready;
  return waiting(
    `Waiting for PersistentVolumeClaim "${nameOf(object)}" to be bound, which is ${phase ?? "new"}`,
  );
}

function resourceQuota(object: KubeObject): Verdict {
  const [hard, taken] = [at(object, "spec", "hard"), at(object, "status", "hard")];
  return isDeepStrictEqual(hard ?? {}, taken ?? {}) ? ready : waiting("Waiting for the quota to be in force");
}

/** Only a token's data comes from a controller. */
function secret(object: KubeObject): Verdict {
  if (object.type !== "kubernetes.io/service-account-token") return ready;
  const data = at(object, "data");
  return isJsonMap(data) && Object.keys(data).length > 0 ? ready : waiting("Waiting for the token");
}

/**
 * A Service whose Pods are all ready, or that has none to wait for. (The real provider, too, takes one without any Pod:
 * what is not there yet is not pending.)
 */
function service(object: KubeObject, { slices = [], settled }: Surroundings): Verdict {
  const type = textAt(object, "spec", "type") ?? "ClusterIP";
  if (type === "LoadBalancer" && mapsAt(object, "status", "loadBalancer", "ingress").length === 0) {
    return waiting("Attempting to allocate IP address to Service");
  }
  if (!hasPods(object)) return ready;
  if (slices.length === 0 && settled !== true) return waiting("Finding Pods to direct traffic to");
  const pending = slices
    .flatMap((slice) => mapsAt(slice, "endpoints"))
    .filter((endpoint) => {
      const ending = at(endpoint, "conditions", "terminating") === true;
      return at(endpoint, "conditions", "ready") === false && !ending;
    });
  return pending.length === 0
    ? ready
    : waiting(`Waiting for ${pending.length} Pod(s) behind the Service to be ready`);
}

/** Whether a Service leads to Pods that it finds by itself. */
export function hasPods(object: KubeObject): boolean {
  const selector = at(object, "spec", "selector");
  const selects = isJsonMap(selector) && Object.keys(selector).length > 0;
  return (
    selects &&
    textAt(object, "spec", "clusterIP") !== "None" &&
    textAt(object, "spec", "type") !== "ExternalName"
  );
}

function ingress(object: KubeObject): Verdict {
  return mapsAt(object, "status", "loadBalancer", "ingress").length > 0
    ? ready
    : waiting("Waiting for update of .status.loadBalancer with hostname/IP");
}

function definition(object: KubeObject): Verdict {
  const names = conditionOf(object, "NamesAccepted");
  if (names?.status === "False") return { state: "failed", message: `[${names.reason}] ${names.message}` };
  return conditionOf(object, "Established")?.status === "True"
    ? ready
    : waiting("Waiting for the definition to be established");
}
