import type { Container, EnvVar, PodSpec, Port, Strings, Volume, VolumeMount } from "../runtime/objects.ts";
import { withAuthProxy } from "./auth.ts";
import type { ModelSource } from "./storage.ts";
import {
  type InferenceService,
  marks,
  modelContainer,
  type ServingRuntime,
  storageInitializer,
  wantsAuth,
} from "./types.ts";

/** Nothing runs it; its name is what is seen. */
const initializerImage = "kserve/storage-initializer:v0.15.2";

const modelFolder = "/mnt/models";
const modelVolume = "kserve-provision-location";
const claimVolume = "kserve-pvc-source";
/** Port of the model server when its container names none. */
export const defaultPort = 8080;

/** The pod has no container that serves models, or a template in it cannot be filled. */
export class InvalidPredictor extends Error {
  override readonly name = "InvalidPredictor";
}

/**
 * What a predictor's pod consists of: the runtime's containers with the model's own wishes on top, the storage initializer,
 * and the proxy that asks who calls. Where KServe changes the pods at their admission, here the template already has it.
 * Source: kserve components/predictor.go (buildPodSpec), webhook/admission/pod, reconcilers/deployment (ODH)
 * @throws InvalidPredictor
 */
export function predictorPod(
  service: InferenceService,
  runtime: ServingRuntime | undefined,
  source: ModelSource,
): PodSpec {
  const { predictor } = service.spec;
  const { containers: own = [], volumes: ownVolumes = [], ...ownRest } = podFields(predictor);
  const merged: PodSpec =
    runtime === undefined
      ? { containers: own, volumes: ownVolumes, ...ownRest }
      : { ...runtimePod(runtime, service), ...ownRest, ...mergedLists(runtime, service) };
  const [server, ...others] = merged.containers;
  if (server === undefined) throw new InvalidPredictor("no container configuration found");
  const ready = withProbe(server);
  const plain: PodSpec = {
    ...merged,
    containers: [ready, ...others],
    automountServiceAccountToken: merged.automountServiceAccountToken ?? wantsAuth(service),
  };
  const fetched = source.uri === undefined && source.problem === undefined ? plain : withModel(plain, source);
  return wantsAuth(service) ? withAuthProxy(fetched, service) : fetched;
}

/** Annotations of the pods: those of the service, and why its model cannot be fetched, for those who play the nodes. */
export function podAnnotations(
  service: InferenceService,
  runtime: ServingRuntime | undefined,
  source: ModelSource,
): Strings {
  return {
    ...runtime?.spec.annotations,
    ...handedOn(service.metadata.annotations),
    ...handedOn(service.spec.predictor.annotations),
    ...(source.problem === undefined ? {} : { [marks.fail]: source.problem }),
  };
}

/** What KServe does not hand on to its children. Source: inferenceservice-config (serviceAnnotationDisallowedList) */
const keptBack = new Set([
  "autoscaling.knative.dev/min-scale",
  "autoscaling.knative.dev/max-scale",
  "internal.serving.kserve.io/storage-initializer-sourceuri",
  "kubectl.kubernetes.io/last-applied-configuration",
  marks.auth,
  marks.routeTimeout,
]);

function handedOn(annotations: Strings | undefined): Strings {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !keptBack.has(name)));
}

/** Fields of a predictor that are KServe's own; the others are a pod's. */
const notOfPods = new Set([
  "model",
  "minReplicas",
  "maxReplicas",
  "scaleMetric",
  "scaleMetricType",
  "scaleTarget",
  "autoScaling",
  "containerConcurrency",
  "timeout",
  "canaryTrafficPercent",
  "logger",
  "batcher",
  "labels",
  "annotations",
  "deploymentStrategy",
  "workerSpec",
]);

function podFields(predictor: object): Partial<PodSpec> {
  return Object.fromEntries(Object.entries(predictor).filter(([name]) => !notOfPods.has(name)));
}

/** Fields of a runtime that are a pod's. Source: ServingRuntimePodSpec */
const ofRuntimePods = ["nodeSelector", "affinity", "tolerations", "imagePullSecrets", "hostIPC"] as const;

function runtimePod(runtime: ServingRuntime, service: InferenceService): Partial<PodSpec> {
  const { predictor } = service.spec;
  const fields = ofRuntimePods
    .map((name) => [name, runtime.spec[name] ?? predictor[name]] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields);
}

function mergedLists(
  runtime: ServingRuntime,
  service: InferenceService,
): { containers: Container[]; volumes?: Volume[] } {
  const { predictor } = service.spec;
  const server = runtime.spec.containers.find(({ name }) => name === modelContainer);
  if (server === undefined) {
    throw new InvalidPredictor(`failed to find ${modelContainer} in ServingRuntime containers`);
  }
  const volumes = byKey(runtime.spec.volumes ?? [], predictor.volumes ?? [], ({ name }) => name);
  return {
    containers: [
      filled(serverContainer(server, service), service),
      ...runtime.spec.containers.filter(({ name }) => name !== modelContainer),
      ...(predictor.containers ?? []),
    ],
    ...(volumes.length === 0 ? {} : { volumes }),
  };
}

/** Fields of a model that are not its container's. */
const notOfContainers = new Set([
  "modelFormat",
  "runtime",
  "runtimeVersion",
  "protocolVersion",
  "storageUri",
  "storage",
]);

/** The runtime's container with the model's: arguments follow each other, lists are joined by name, the rest replaces. */
function serverContainer(server: Container, service: InferenceService): Container {
  const { model } = service.spec.predictor;
  const own: Partial<Container> = Object.fromEntries(
    Object.entries(model ?? {}).filter(([name]) => !notOfContainers.has(name)),
  );
  const args = [...(server.args ?? []), ...(own.args ?? [])];
  const env = byKey<EnvVar>(server.env ?? [], own.env ?? [], ({ name }) => name);
  const ports = byKey<Port>(server.ports ?? [], own.ports ?? [], ({ containerPort }) => `${containerPort}`);
  const mounts = byKey<VolumeMount>(
    server.volumeMounts ?? [],
    own.volumeMounts ?? [],
    ({ mountPath }) => mountPath,
  );
  const image = versioned(own.image ?? server.image, model?.runtimeVersion);
  return {
    ...server,
    ...own,
    name: modelContainer,
    ...(image === undefined ? {} : { image }),
    ...(args.length === 0 ? {} : { args }),
    ...(env.length === 0 ? {} : { env }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
    resources: {
      ...server.resources,
      ...own.resources,
      limits: { ...server.resources?.limits, ...own.resources?.limits },
      requests: { ...server.resources?.requests, ...own.resources?.requests },
    },
  };
}

function versioned(image: string | undefined, version: string | undefined): string | undefined {
  if (image === undefined || version === undefined || image.includes("@")) return image;
  const tag = image.lastIndexOf(":");
  return `${tag > image.lastIndexOf("/") ? image.slice(0, tag) : image}:${version}`;
}

function byKey<T>(first: readonly T[], second: readonly T[], key: (each: T) => string): T[] {
  const merged = new Map(first.map((each) => [key(each), each]));
  for (const each of second) merged.set(key(each), { ...merged.get(key(each)), ...each });
  return [...merged.values()];
}

/** Fills `{{.Name}}`, `{{.Namespace}}`, `{{.Labels.x}}` and `{{.Annotations.x}}`. */
function filled(container: Container, service: InferenceService): Container {
  const { name, namespace = "", labels, annotations } = service.metadata;
  const known: Record<string, string> = { ".Name": name, ".Namespace": namespace };
  for (const [key, value] of Object.entries(labels ?? {})) known[`.Labels.${key}`] = value;
  for (const [key, value] of Object.entries(annotations ?? {})) known[`.Annotations.${key}`] = value;
  const text = JSON.stringify(container);
  if (!text.includes("{{")) return container;
  const replaced = text.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_all, expression: string) => {
    const value = known[expression.replaceAll('\\"', '"')];
    // What a template finds nowhere is empty among labels and annotations, and wrong elsewhere.
    if (value === undefined && !/^\.(?:Labels|Annotations)\./.test(expression)) {
      throw new InvalidPredictor(
        `failed to replace placeholders in serving runtime Container ${container.name}`,
      );
    }
    return JSON.stringify(value ?? "<no value>").slice(1, -1);
  });
  return JSON.parse(replaced) as Container;
}

/** A server without a readiness probe is asked whether its first port is open. Source: setDefaultPodSpec */
function withProbe(server: Container): Container {
  if (server.readinessProbe !== undefined) return server;
  return {
    ...server,
    readinessProbe: {
      tcpSocket: { port: server.ports?.[0]?.containerPort ?? defaultPort },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
  };
}

function withModel(pod: PodSpec, source: ModelSource): PodSpec {
  const uri = source.uri ?? "";
  return uri.startsWith("oci://")
    ? withModelImage(pod, uri.slice("oci://".length))
    : withInitializer(pod, source);
}

/**
 * A volume is mounted where the model is looked for; all else is fetched before the server starts, by a container with the limits
 * that OpenShift AI gives it, which count in a quota as long as the pod is there.
 * Source: opendatahub-io/kserve webhook/admission/pod (CommonStorageInitialization), config/overlays/odh/patches
 */
function withInitializer(pod: PodSpec, { uri, secretName }: ModelSource): PodSpec {
  const [server, ...others] = pod.containers;
  if (server === undefined) return pod;
  const [, claimName, folder = ""] = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(uri ?? "") ?? [];
  const volume: Volume =
    claimName === undefined
      ? { name: modelVolume, emptyDir: {} }
      : { name: claimVolume, persistentVolumeClaim: { claimName } };
  const mount: VolumeMount = {
    name: volume.name,
    mountPath: modelFolder,
    readOnly: true,
    ...(folder === "" ? {} : { subPath: folder }),
  };
  const initializer: Container = {
    name: storageInitializer,
    image: initializerImage,
    args: [uri ?? "", modelFolder],
    ...(secretName === undefined ? {} : { envFrom: [{ secretRef: { name: secretName } }] }),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: modelVolume, mountPath: modelFolder }],
    resources: {
      requests: { cpu: "100m", memory: "100Mi" },
      limits: { cpu: "1", memory: "24Gi" },
    },
  };
  return {
    ...pod,
    ...(claimName === undefined ? { initContainers: [...(pod.initContainers ?? []), initializer] } : {}),
    containers: [{ ...server, volumeMounts: [...(server.volumeMounts ?? []), mount] }, ...others],
    volumes: [...(pod.volumes ?? []), volume],
  };
}

/** A model in an image runs beside the server, which reads its files through the shared process namespace. */
function withModelImage(pod: PodSpec, image: string): PodSpec {
  const small = { requests: { cpu: "10m", memory: "15Mi" }, limits: { cpu: "10m", memory: "15Mi" } };
  const mount = { name: modelVolume, mountPath: "/mnt" };
  const [server, ...others] = pod.containers;
  if (server === undefined) return pod;
  return {
    ...pod,
    shareProcessNamespace: true,
    initContainers: [
      ...(pod.initContainers ?? []),
      { name: "modelcar-init", image, args: ["sh", "-c", "test -d /models"], resources: small },
    ],
    containers: [
      {
        ...server,
        env: [...(server.env ?? []), { name: "MODEL_INIT_MODE", value: "async" }],
        volumeMounts: [...(server.volumeMounts ?? []), mount],
      },
      ...others,
      {
        name: "modelcar",
        image,
        args: ["sh", "-c", `ln -sf /proc/$$/root/models ${modelFolder} && sleep infinity`],
        resources: small,
        volumeMounts: [mount],
      },
    ],
    volumes: [...(pod.volumes ?? []), { name: modelVolume, emptyDir: {} }],
  };
}
