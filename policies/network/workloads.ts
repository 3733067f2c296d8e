import { type Member, type NamespaceContent, nameOf, ofKind } from "../kubernetes/namespaces.ts";
import { entries } from "../kubernetes/objects.ts";
import { containersOf, type Pod, podsOfObject } from "../kubernetes/pods.ts";
import { at, isObject, isPresent, UNKNOWN, type Value } from "../model.ts";
import type { NetworkPod } from "./reach.ts";
import { type Labels, labelsOf } from "./selector.ts";

/** A pod that a stack will have, or one kind of pod of many alike. */
export interface Workload {
  readonly member: Member;
  readonly pod: NetworkPod;
  /** Whether a token for the API server lies in it. */
  readonly token: boolean;
}

const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * The pods of a namespace as its policies see them, by the labels that their makers give them. For the namespace itself there
 * is one pod without any label: the ones that operators make, of which nothing is known.
 */
export function workloadsOf(namespace: NamespaceContent): Workload[] {
  const namespaceLabels = labelsOfNamespace(namespace);
  const name = namespace.name ?? "";
  const silent = accountsWithoutToken(namespace);
  const bare = (member: Member): Workload => ({
    member,
    pod: { namespace: name, namespaceLabels, labels: new Map() },
    token: true,
  });
  return [
    ...(namespace.itself === undefined || namespace.itself.of.patch ? [] : [bare(namespace.itself)]),
    ...namespace.members.flatMap((member) =>
      podsOfObject(member.of)
        .filter((pod) => !pod.of.patch && pod.maker !== "runtime")
        .map((pod): Workload => {
          const ports = pod.maker === "native" ? namedPorts(pod) : undefined;
          return {
            member,
            pod: { namespace: name, namespaceLabels, labels: podLabels(pod), ports },
            token: hasToken(pod, silent),
          };
        }),
    ),
  ];
}

/** A namespace's labels, with the one that Kubernetes gives each; undefined when someone else made it. */
function labelsOfNamespace({ itself, name }: NamespaceContent): Labels | undefined {
  if (itself === undefined) return name === undefined ? undefined : new Map([[NAME_LABEL, name]]);
  const labels = labelsOf(at(itself.of.object, "metadata.labels"));
  return labels === undefined ? undefined : new Map([...labels, [NAME_LABEL, name ?? UNKNOWN]]);
}

/**
 * The labels that a pod has. KServe adds the InferenceService's own and three more (pkg/controller/v1beta1/inferenceservice/
 * components); the notebook controller copies the notebook's and adds its name.
 */
function podLabels(pod: Pod): Labels | undefined {
  const own = labelsOf(pod.metadata.labels);
  if (own === undefined || (pod.maker !== "kserve" && pod.maker !== "notebook")) return own;
  const ofObject = labelsOf(at(pod.of.object, "metadata.labels"));
  if (ofObject === undefined) return undefined;
  const name = nameOf(pod.of) ?? UNKNOWN;
  const { component = "" } = pod;
  const given: [string, string | typeof UNKNOWN][] =
    pod.maker === "notebook"
      ? [
          ["notebook-name", name],
          ["statefulset", name],
        ]
      : [
          ["serving.kserve.io/inferenceservice", name],
          ["component", component],
          ["app", name === UNKNOWN ? UNKNOWN : `isvc.${name}-${component}`],
        ];
  return new Map([...ofObject, ...own, ...given]);
}

/** Ports by their names, of all containers; undefined when not all of them are known. */
function namedPorts(pod: Pod): ReadonlyMap<string, number> | undefined {
  const ports = new Map<string, number>();
  for (const { container } of containersOf(pod)) {
    if (container.ports === UNKNOWN) return undefined;
    for (const { value } of entries(container.ports, "")) {
      if (!isObject(value) || value.name === UNKNOWN || value.containerPort === UNKNOWN) return undefined;
      if (typeof value.name === "string") ports.set(value.name, Number(value.containerPort));
    }
  }
  return ports;
}

/** Service accounts of the namespace whose pods get no token unless they ask for it. */
const accountsWithoutToken = (namespace: NamespaceContent): ReadonlySet<string> =>
  new Set(
    ofKind(namespace, "ServiceAccount").flatMap(({ of }) =>
      of.object.automountServiceAccountToken === false ? (nameOf(of) ?? []) : [],
    ),
  );

/** Whether a pod gets a token: mounted of itself unless it, or its account, says no; or as a volume. */
function hasToken({ spec }: Pod, silent: ReadonlySet<string>): boolean {
  const { automountServiceAccountToken: mounted } = spec;
  const asked = entries(spec.volumes, "").some(({ value }) =>
    entries(isObject(value) ? at(value, "projected.sources") : undefined, "").some(
      ({ value: source }) => isObject(source) && isForApiServer(source.serviceAccountToken),
    ),
  );
  if (asked) return true;
  if (isPresent(mounted)) return mounted !== false;
  const account = isPresent(spec.serviceAccountName) ? spec.serviceAccountName : spec.serviceAccount;
  return !silent.has(typeof account === "string" ? account : "default");
}

/** A token for another audience is one for somebody else. */
const isForApiServer = (token: Value | undefined): boolean => isObject(token) && !isPresent(token.audience);
