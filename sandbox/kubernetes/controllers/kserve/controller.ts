import { admittedHost, isRefused, type Route } from "../openshift/admission.ts";
import { ApiError } from "../runtime/api.ts";
import type { Cluster } from "../runtime/cluster.ts";
import { kinds } from "../runtime/kinds.ts";
import type { Controller } from "../runtime/manager.ts";
import {
  type Deployment,
  isBeingDeleted,
  type KubeObject,
  keyOf,
  type Pod,
  type Secret,
  type Service,
  splitKey,
} from "../runtime/objects.ts";
import { accessConfig, bindingLabel, type ClusterRoleBinding, wantedBindings } from "./auth.ts";
import { predictorAutoscaler, predictorDeployment, predictorRoute, predictorService } from "./children.ts";
import { InvalidPredictor, podAnnotations, predictorPod } from "./pod.ts";
import { chooseRuntime } from "./runtimes.ts";
import { inferenceServiceStatus, type Observed } from "./status.ts";
import { connectionOf, modelSource } from "./storage.ts";
import {
  type InferenceService,
  isStopped,
  marks,
  predictorName,
  type ServingRuntime,
  wantsAuth,
} from "./types.ts";

/** A cluster of the sandbox has neither Knative nor ModelMesh. */
const unsupportedModes = new Set(["Serverless", "Knative", "ModelMesh"]);

/** KServe with its companion on OpenShift, in Standard mode (RawDeployment, as it was called). */
export const kserveController: Controller = {
  name: "kserve",
  of: kinds.inferenceService,
  owns: [kinds.deployment, kinds.service, kinds.autoscaler, kinds.route, kinds.configMap],
  also: [
    // A pod belongs to a ReplicaSet, which belongs to the Deployment; its label says whose it is.
    { kind: kinds.pod, keysOf: (pod) => named(pod, pod.metadata.labels?.[marks.inferenceService]) },
    { kind: kinds.servingRuntime, keysOf: usersOfRuntime },
    { kind: kinds.clusterServingRuntime, keysOf: usersOfRuntime },
    { kind: kinds.secret, keysOf: usersOfSecret },
    { kind: kinds.service, keysOf: waitingForService },
    {
      kind: kinds.clusterRoleBinding,
      keysOf: ({ metadata }) => {
        const namespace = metadata.labels?.[bindingLabel];
        return namespace === undefined ? [] : [`${namespace}/${bindingsOnly}`];
      },
    },
  ],
  reconcile: async (key, cluster) => {
    const { namespace = "", name } = splitKey(key);
    const service = cluster.get<InferenceService>(kinds.inferenceService, namespace, name);
    await reconcileBindings(namespace, cluster);
    if (service === undefined || isBeingDeleted(service)) return undefined;
    if (isStopped(service)) await stop(service, cluster);
    const observed = isStopped(service) ? { pods: [] } : await serve(service, cluster);
    const now = new Date(cluster.timers.now()).toISOString().replace(/\.\d+Z$/, "Z");
    await cluster.setStatus(kinds.inferenceService, service, inferenceServiceStatus(service, observed, now));
    // What was refused may be taken later: a quota grows, a namespace is there again.
    return observed.refused === undefined ? undefined : { againInMs: 5_000 };
  },
};

/** Key of no service: only the namespace's bindings are looked at. */
const bindingsOnly = "*";

async function serve(service: InferenceService, cluster: Cluster): Promise<Observed> {
  const { namespace = "", annotations } = service.metadata;
  const { model } = service.spec.predictor;
  const mode = annotations?.[marks.deploymentMode];
  if (mode !== undefined && unsupportedModes.has(mode)) {
    await tell(
      service,
      cluster,
      `${mode}ModeRejected`,
      `It is not possible to use ${mode} deployment mode: the cluster does not have what it needs`,
    );
    return { pods: [], unsupportedMode: mode };
  }
  const choice =
    model === undefined
      ? undefined
      : chooseRuntime(
          model,
          cluster.list<ServingRuntime>(kinds.servingRuntime, namespace),
          cluster.list<ServingRuntime>(kinds.clusterServingRuntime),
        );
  if (choice !== undefined && "failure" in choice) {
    await tell(service, cluster, "InternalError", choice.error);
    return { pods: [], failure: choice.failure };
  }
  const source = modelSource(service, {
    secret: (name) => cluster.get<Secret>(kinds.secret, namespace, name),
    service: (of, name) => cluster.get(kinds.service, of, name),
  });
  try {
    if (source.invalid !== undefined) throw new InvalidPredictor(source.invalid);
    return await bring(service, choice?.runtime, source, cluster);
  } catch (error) {
    if (error instanceof InvalidPredictor) {
      await tell(service, cluster, "InternalError", error.message);
      return { pods: [], failure: { reason: "InvalidPredictorSpec", message: error.message } };
    }
    // The API server does not take a child: a quota, an admission, a name that is too long.
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 409) {
      await tell(service, cluster, "InternalError", error.message);
      return { pods: [], refused: error.message };
    }
    throw error;
  }
}

async function bring(
  service: InferenceService,
  runtime: ServingRuntime | undefined,
  source: ReturnType<typeof modelSource>,
  cluster: Cluster,
): Promise<Observed> {
  const { namespace = "", name } = service.metadata;
  const pod = predictorPod(service, runtime, source);
  const known = cluster.get<Deployment>(kinds.deployment, namespace, predictorName(service));
  await takeOldStrategyAway(service, known, cluster);
  await ensureOrRemove(cluster, kinds.configMap, wantsAuth(service) ? accessConfig(service) : undefined, () =>
    cluster.get(kinds.configMap, namespace, accessConfig(service).metadata.name),
  );
  const deployment = await cluster.ensure(
    kinds.deployment,
    predictorDeployment(
      service,
      runtime,
      pod,
      podAnnotations(service, runtime, source),
      known?.spec.replicas,
    ),
  );
  const before = cluster.get<Service>(kinds.service, namespace, predictorName(service));
  const front = await cluster.ensure(kinds.service, predictorService(service, pod, before));
  await ensureOrRemove(cluster, kinds.autoscaler, predictorAutoscaler(service), () =>
    cluster.get(kinds.autoscaler, namespace, predictorName(service)),
  );
  // A Route of the model's name goes where the model is not exposed, whoever made it: the companion does not ask.
  // Source: odh-model-controller (kserve_raw_route_reconciler, getExistingResource)
  const route = await ensureOrRemove(cluster, kinds.route, predictorRoute(service, front), () =>
    cluster.get(kinds.route, namespace, name),
  );
  return {
    deployment,
    pods: podsOf(service, cluster),
    headless: front.spec.clusterIP === "None",
    routeHost: route === undefined ? undefined : admittedHost(route as Route),
    routeRefused: route !== undefined && isRefused(route as Route),
  };
}

/** What the server filled in for a rolling update is not allowed beside Recreate, and an apply takes away only what it gave. */
async function takeOldStrategyAway(
  { spec }: InferenceService,
  known: Deployment | undefined,
  cluster: Cluster,
): Promise<void> {
  const { type } = (spec.predictor.deploymentStrategy ?? {}) as { type?: string };
  const strategy = known?.spec.strategy as { rollingUpdate?: unknown } | undefined;
  if (known === undefined || type !== "Recreate" || strategy?.rollingUpdate === undefined) return;
  const patch = { spec: { strategy: { type, rollingUpdate: null } } };
  cluster.storeOf(kinds.deployment).put(await cluster.api.merge(kinds.deployment, known, patch));
}

async function ensureOrRemove(
  cluster: Cluster,
  kind: Parameters<Cluster["ensure"]>[0],
  wanted: KubeObject | undefined,
  known: () => KubeObject | undefined,
): Promise<KubeObject | undefined> {
  if (wanted !== undefined) return cluster.ensure(kind, wanted);
  const left = known();
  if (left !== undefined && !isBeingDeleted(left)) await cluster.remove(kind, left);
  return undefined;
}

/** A stopped model keeps its object and nothing else. */
async function stop(service: InferenceService, cluster: Cluster): Promise<void> {
  for (const kind of [kinds.route, kinds.autoscaler, kinds.service, kinds.deployment]) {
    for (const child of cluster.owned(kind, service)) {
      if (!isBeingDeleted(child)) await cluster.remove(kind, child);
    }
  }
}

function podsOf(service: InferenceService, cluster: Cluster): Pod[] {
  return cluster
    .list<Pod>(kinds.pod, service.metadata.namespace)
    .filter(
      (pod) =>
        pod.metadata.labels?.[marks.inferenceService] === service.metadata.name && !isBeingDeleted(pod),
    );
}

async function reconcileBindings(namespace: string, cluster: Cluster): Promise<void> {
  const wanted = wantedBindings(namespace, cluster.list<InferenceService>(kinds.inferenceService, namespace));
  const kept = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const binding of wanted) await cluster.ensure(kinds.clusterRoleBinding, binding);
  for (const binding of cluster.list<ClusterRoleBinding>(kinds.clusterRoleBinding)) {
    const ours = binding.metadata.labels?.[bindingLabel] === namespace;
    if (ours && !kept.has(binding.metadata.name) && !isBeingDeleted(binding)) {
      await cluster.remove(kinds.clusterRoleBinding, binding);
    }
  }
}

async function tell(
  service: InferenceService,
  cluster: Cluster,
  reason: string,
  message: string,
): Promise<void> {
  await cluster.tell(service, "Warning", reason, message, kinds.inferenceService);
}

function named(object: KubeObject, service: string | undefined): string[] {
  return service === undefined ? [] : [`${object.metadata.namespace}/${service}`];
}

/** Services that name the runtime, or leave the choice open. */
function* usersOfRuntime(runtime: KubeObject, cluster: Cluster): Iterable<string> {
  for (const service of cluster.list<InferenceService>(kinds.inferenceService, runtime.metadata.namespace)) {
    const { model } = service.spec.predictor;
    const chosen = model?.runtime;
    if (model !== undefined && (chosen === undefined || chosen === runtime.metadata.name))
      yield keyOf(service);
  }
}

function* usersOfSecret(secret: KubeObject, cluster: Cluster): Iterable<string> {
  for (const service of cluster.list<InferenceService>(kinds.inferenceService, secret.metadata.namespace)) {
    if (connectionOf(service) === secret.metadata.name) yield keyOf(service);
  }
}

/** Services whose model is in a store of the cluster; only a store that comes or goes matters, and few have one. */
function* waitingForService(
  front: KubeObject,
  cluster: Cluster,
  before: KubeObject | undefined,
): Iterable<string> {
  const changedOnly =
    before !== undefined &&
    cluster.get(kinds.service, front.metadata.namespace, front.metadata.name) !== undefined;
  if (changedOnly || front.metadata.labels?.component === "predictor") return;
  for (const service of cluster.list<InferenceService>(kinds.inferenceService)) {
    if (service.status?.modelStatus?.lastFailureInfo !== undefined) yield keyOf(service);
  }
}
