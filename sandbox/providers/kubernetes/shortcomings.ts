import { at, conditionOf, type KubeObject, mapsAt, nameOf, numberAt, textAt } from "./json.ts";
import { type Kind, kindKey } from "./kinds.ts";

/*
 * How the real provider words what an object lacks when its time is up (github.com/pulumi/pulumi-kubernetes, provider/pkg/await).
 */

const polled: ReadonlySet<string> = new Set([
  "v1/PersistentVolume",
  "v1/PersistentVolumeClaim",
  "v1/ReplicationController",
  "v1/ResourceQuota",
  "v1/Secret",
]);
const awaited: ReadonlySet<string> = new Set([
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "batch/v1/Job",
  "networking.k8s.io/v1/Ingress",
  "v1/Pod",
  "v1/Service",
]);

/** What is said first. @param named what was waited for is the program's own choice */
export function timeoutMessage(kind: Kind, object: KubeObject, named: boolean): string {
  const key = kindKey(kind);
  if (!named && awaited.has(key)) return `'${nameOf(object)}' timed out waiting to be Ready`;
  if (!named && polled.has(key)) return `Timeout occurred polling for '${nameOf(object)}'`;
  return "timed out waiting for the condition";
}

/** How long the real provider waits for a kind, whatever the program says, in seconds. (For a quota and a token's Secret it gives up sooner than a busy machine is done.) */
const longest: Readonly<Record<string, number>> = {
  "v1/PersistentVolume": 300,
  "v1/PersistentVolumeClaim": 300,
  "v1/ReplicationController": 600,
};

/** The time that an object of a kind is given at most, in seconds. @param named as of {@link timeoutMessage} */
export function boundedPatience(kind: Kind, seconds: number, named: boolean): number {
  return named ? seconds : Math.min(seconds, longest[kindKey(kind)] ?? seconds);
}

/** What is said of an object, its Pods apart. @param slices a Service's EndpointSlices */
export function shortcomings(kind: Kind, object: KubeObject, slices: readonly KubeObject[] = []): string[] {
  switch (kindKey(kind)) {
    case "apps/v1/Deployment":
      return [ofDeployment(object)];
    case "apps/v1/StatefulSet":
      return ofStatefulSet(object);
    case "v1/Service":
      return ofService(object, slices);
    case "networking.k8s.io/v1/Ingress":
      return [
        "Ingress .status.loadBalancer field was not updated with a hostname/IP address. \n    for more information about this error, see https://pulumi.io/xdv72s",
      ];
    default:
      return [];
  }
}

function ofDeployment(object: KubeObject): string {
  if (conditionOf(object, "Available")?.status !== "True")
    return "Minimum number of live Pods was not attained";
  const first = textAt(object, "metadata", "annotations", "deployment.kubernetes.io/revision") === "1";
  const progressing = conditionOf(object, "Progressing");
  if (first || progressing?.status !== "True" || progressing.reason !== "NewReplicaSetAvailable") {
    return "Minimum number of Pods to consider the application live was not attained";
  }
  return "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live";
}

function ofStatefulSet(object: KubeObject): string[] {
  const count = (name: string) => numberAt(object, "status", name) ?? 0;
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  const [from = "", to = ""] = [
    textAt(object, "status", "currentRevision"),
    textAt(object, "status", "updateRevision"),
  ];
  const revised = from !== "" && from === to;
  const live = revised ? count("readyReplicas") : Math.min(count("readyReplicas"), count("updatedReplicas"));
  const ready = [count("replicas"), count("readyReplicas"), count("currentReplicas")].every(
    (each) => each === wanted,
  );
  return [
    ...(ready ? [] : [`${live} out of ${wanted} replicas succeeded readiness checks`]),
    ...(revised
      ? []
      : [`StatefulSet controller failed to advance from revision "${from}" to revision "${to}"`]),
  ];
}

function ofService(object: KubeObject, slices: readonly KubeObject[]): string[] {
  const type = textAt(object, "spec", "type");
  if (at(object, "spec", "clusterIP") === "None" || type === "ExternalName") return [];
  const reached = slices
    .flatMap((slice) => mapsAt(slice, "endpoints"))
    .some((endpoint) => at(endpoint, "conditions", "ready") !== false);
  const addressed = mapsAt(object, "status", "loadBalancer", "ingress").length > 0;
  return [
    ...(reached
      ? []
      : [
          "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods",
        ]),
    ...(type === "LoadBalancer" && !addressed
      ? ["Service was not allocated an IP address; does your cloud provider support this?"]
      : []),
  ];
}
