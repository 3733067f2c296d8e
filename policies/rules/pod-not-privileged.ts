import { KUBERNETES, objectsOf, within } from "../kubernetes/objects.ts";
import { containersOf, type Pod, podsOfObject } from "../kubernetes/pods.ts";
import { forbiddenInContainer, forbiddenInPod, missingInContainer } from "../kubernetes/security.ts";
import { at, isPresent, type Props, type Rule, UNKNOWN, type Violation } from "../model.ts";

/** A container is not root, cannot become it, and has nothing of the node's. */
export const podNotPrivileged: Rule = {
  name: "pod-not-privileged",
  description:
    "No pod is privileged, runs as root, gains rights or reaches into its node; Kubernetes' own kinds say so themselves.",
  severity: "critical",
  package: KUBERNETES,
  check: (resource) =>
    objectsOf(resource).flatMap((of) => {
      if (of.kind === "PersistentVolume" && of.group === "") return nodeVolume(of.object, of.path);
      if (of.kind === "Namespace" && of.group === "") return liftedNamespace(of.object, of.path);
      return podsOfObject(of).flatMap(judged);
    }),
};

function judged(pod: Pod): Violation[] {
  const itself = pod.maker === "native" && !pod.of.patch;
  return [
    ...forbiddenInPod(pod),
    ...containersOf(pod).flatMap((container) => [
      ...forbiddenInContainer(container),
      ...(itself ? missingInContainer(container) : []),
    ]),
  ];
}

/** A volume of the cluster can be a folder of a node just as a volume of a pod can. */
const nodeVolume = (object: Props, path: string): Violation[] =>
  ["spec.hostPath", "spec.local"]
    .filter((field) => isPresent(at(object, field)) && at(object, field) !== UNKNOWN)
    .map((field) => ({
      property: within(path, field),
      message: "must not be: the node's files are not a pod's.",
    }));

/** A namespace can lift the standards for everything in it. */
function liftedNamespace(object: Props, path: string): Violation[] {
  const labels = at(object, "metadata.labels");
  const level =
    typeof labels === "object" && labels !== null
      ? (labels as Props)["pod-security.kubernetes.io/enforce"]
      : undefined;
  return level === "privileged"
    ? [
        {
          property: within(path, 'metadata.labels["pod-security.kubernetes.io/enforce"]'),
          message: "must not be privileged: it lifts the Pod Security Standards for the whole namespace.",
        },
      ]
    : [];
}
