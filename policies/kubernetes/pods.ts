import { at, isObject, type PolicyInput, type Props, UNKNOWN, type Value } from "../model.ts";
import { entries, type KubeObject, objectsOf, within } from "./objects.ts";

/**
 * Who makes the pod. `native`: Kubernetes itself, from exactly what stands there. `kserve`: KServe, which merges a runtime's
 * containers with the model's. `runtime`: the runtime's side of it. `notebook`: the notebook controller. `other`: whoever
 * serves a custom resource that holds the specification of a pod.
 */
export type PodMaker = "native" | "kserve" | "runtime" | "notebook" | "other";

/** The specification of a pod, wherever it stands. */
export interface Pod {
  readonly maker: PodMaker;
  readonly of: KubeObject;
  readonly spec: Props;
  readonly path: string;
  /** Labels and annotations that the pod gets, and where they stand. */
  readonly metadata: Props;
  readonly metadataPath: string;
  /** Which part of an InferenceService it serves. */
  readonly component?: string;
}

/** A container of a pod. */
export interface Container {
  /** `model` is KServe's short form: no name, and what it leaves out comes from the runtime. */
  readonly role: "main" | "init" | "ephemeral" | "model";
  readonly container: Props;
  readonly path: string;
  readonly pod: Pod;
}

/** Where kinds of Kubernetes and of OpenShift keep the object with a pod's metadata and spec. */
const NATIVE: ReadonlyMap<string, string> = new Map([
  ["Pod", ""],
  ["PodTemplate", "template"],
  ["Deployment", "spec.template"],
  ["DeploymentConfig", "spec.template"],
  ["StatefulSet", "spec.template"],
  ["DaemonSet", "spec.template"],
  ["ReplicaSet", "spec.template"],
  ["ReplicationController", "spec.template"],
  ["Job", "spec.template"],
  ["CronJob", "spec.jobTemplate.spec.template"],
]);
const NATIVE_GROUPS = new Set(["", "apps", "batch", "extensions", "apps.openshift.io"]);

/** Kinds in which `containers` is no list of containers, or no pod is ever made of it. */
const NO_PODS = new Set(["ConfigMap", "Secret", "CustomResourceDefinition", "NetworkPolicy", "Namespace"]);

/** The parts of an InferenceService that become pods (https://kserve.github.io/website/docs/reference/crd-api). */
const COMPONENTS = ["predictor", "transformer", "explainer"] as const;

/** Fields of a component that are a container in short form: `model`, and the older one for each framework. */
const MODEL_FIELDS = [
  ...["model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml"],
  ...["lightgbm", "paddle", "art"],
] as const;

const CONTAINER_LISTS = [
  ["containers", "main"],
  ["initContainers", "init"],
  ["ephemeralContainers", "ephemeral"],
] as const;

/** The pods that a resource describes. */
export const podsOf = (resource: Pick<PolicyInput, "type" | "props">): Pod[] =>
  objectsOf(resource).flatMap(podsOfObject);

/** The pods that one object describes. */
export function podsOfObject(of: KubeObject): Pod[] {
  const native = NATIVE_GROUPS.has(of.group) ? NATIVE.get(of.kind) : undefined;
  if (native !== undefined) return podAt(of, native, "native");
  if (of.kind === "InferenceService" && of.group === "serving.kserve.io") return inferencePods(of);
  if (of.kind === "ServingRuntime" || of.kind === "ClusterServingRuntime") return runtimePods(of);
  const known = of.kind === "Notebook" ? podAt(of, "spec.template", "notebook") : [];
  return NO_PODS.has(of.kind) ? [] : [...known, ...foundPods(of, new Set(known.map(({ spec }) => spec)))];
}

function podAt(of: KubeObject, template: string, maker: PodMaker): Pod[] {
  const holder = template === "" ? of.object : at(of.object, template);
  if (!isObject(holder) || !isObject(holder.spec)) return [];
  const metadata = isObject(holder.metadata) ? holder.metadata : {};
  const inside = (field: string) => within(of.path, template === "" ? field : `${template}.${field}`);
  return [{ maker, of, spec: holder.spec, path: inside("spec"), metadata, metadataPath: inside("metadata") }];
}

/** A component is a pod's spec with its labels and annotations inside; a worker is one more pod. */
function inferencePods(of: KubeObject): Pod[] {
  return COMPONENTS.flatMap((component) => {
    const path = `spec.${component}`;
    return [path, `${path}.workerSpec`].flatMap((each) =>
      specAt(of, each, "kserve").map((pod) => ({ ...pod, component })),
    );
  });
}

const runtimePods = (of: KubeObject): Pod[] =>
  ["spec", "spec.workerSpec"].flatMap((path) => specAt(of, path, "runtime"));

function specAt(of: KubeObject, path: string, maker: PodMaker): Pod[] {
  const spec = at(of.object, path);
  const full = within(of.path, path);
  return isObject(spec) ? [{ maker, of, spec, path: full, metadata: spec, metadataPath: full }] : [];
}

/** Specifications of pods anywhere in a custom resource: what has a list of containers is one. */
function foundPods(of: KubeObject, known: ReadonlySet<Props>): Pod[] {
  const found: Pod[] = [];
  const open: { value: Props | readonly Value[]; at: Step }[] = [];
  const push = (value: Value, at: Step) => {
    if (isObject(value) || Array.isArray(value)) open.push({ value, at });
  };
  for (const [key, value] of Object.entries(of.object))
    if (!["metadata", "status"].includes(key)) push(value, { key, above: undefined });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, at: here } = next;
    if (isObject(value)) {
      if (known.has(value)) continue;
      if (CONTAINER_LISTS.some(([field]) => Array.isArray(value[field]) || value[field] === UNKNOWN)) {
        const path = within(of.path, pathOf(here));
        found.push({ maker: "other", of, spec: value, path, metadata: {}, metadataPath: path });
        continue;
      }
    }
    for (const [key, child] of Object.entries(value)) push(child, { key, above: here });
  }
  return found.reverse();
}

/** A key with those above it: how deep a resource goes is its author's choice, and a copy for each step would take for ever. */
interface Step {
  readonly key: string;
  readonly above: Step | undefined;
}

function pathOf(step: Step): string {
  const parts: string[] = [];
  for (let each: Step | undefined = step; each !== undefined; each = each.above) parts.push(part(each.key));
  return parts.reverse().join("").replace(/^\./, "");
}

function part(key: string): string {
  if (/^\d+$/.test(key)) return `[${key}]`;
  return /^[A-Za-z_$][\w$-]{0,127}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 128))}]`;
}

/** The containers of a pod: those that run, those before them, those for debugging, and KServe's short form. */
export function containersOf(pod: Pod): Container[] {
  const listed = CONTAINER_LISTS.flatMap(([field, role]) =>
    entries(pod.spec[field], `${pod.path}.${field}`).flatMap(({ value, path }): Container[] =>
      isObject(value) ? [{ role, container: value, path, pod }] : [],
    ),
  );
  if (pod.maker !== "kserve") return listed;
  const models = MODEL_FIELDS.flatMap((field): Container[] => {
    const container = pod.spec[field];
    return isObject(container) ? [{ role: "model", container, path: `${pod.path}.${field}`, pod }] : [];
  });
  return [...listed, ...models];
}
