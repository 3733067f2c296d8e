import type { Condition, Deployment, Pod } from "../runtime/objects.ts";
import { isTrue } from "../runtime/objects.ts";
import { authProxyPort } from "./auth.ts";
import { defaultPort } from "./pod.ts";
import type { RuntimeChoice } from "./runtimes.ts";
import {
  type FailureInfo,
  type InferenceService,
  type InferenceServiceStatus,
  isExposed,
  isStopped,
  type ModelStatus,
  modelContainer,
  predictorName,
  storageInitializer,
  wantsAuth,
} from "./types.ts";

/** What became of an InferenceService, as far as it got. */
export interface Observed {
  /** The Deployment, as the API server has it. */
  readonly deployment?: Deployment | undefined;
  readonly pods: readonly Pod[];
  /** Whether its Service has no address of its own: then callers come straight to a pod's port. */
  readonly headless?: boolean | undefined;
  /** Host of its Route, once a router admitted it. */
  readonly routeHost?: string | undefined;
  /** Whether a router does not let its Route through. */
  readonly routeRefused?: boolean | undefined;
  /** Why there is no Deployment for it: nothing serves it, or it is wrong in itself. */
  readonly failure?: Extract<RuntimeChoice, { failure: unknown }>["failure"] | undefined;
  /** What the API server said when a child was to be made. */
  readonly refused?: string | undefined;
  /** The mode is one that this cluster cannot do. */
  readonly unsupportedMode?: string | undefined;
}

type Step = Pick<Condition, "status"> & { readonly reason?: string; readonly message?: string };

/**
 * The status that KServe and its companion on OpenShift write. Conditions keep the time of their last change. `observedGeneration`
 * is the Deployment's, of whatever generation the service is.
 * Source: kserve pkg/apis/serving/v1beta1/inference_service_status.go, opendatahub-io/kserve (PropagateRawStatus). Pure.
 * @param now ISO 8601
 */
export function inferenceServiceStatus(
  service: InferenceService,
  observed: Observed,
  now: string,
): InferenceServiceStatus {
  const mode = observed.unsupportedMode ?? "Standard";
  const before = service.status?.conditions ?? [];
  const seen = observed.deployment?.status?.observedGeneration;
  const common = { ...(seen === undefined ? {} : { observedGeneration: seen }), deploymentMode: mode };
  if (isStopped(service)) {
    const stopped: Step = { status: "False", reason: "Stopped" };
    return {
      ...common,
      conditions: conditionsOf(before, stopped, stopped, { status: "True" }, now),
      modelStatus: { transitionStatus: "" },
    };
  }
  const predictor = predictorStep(observed);
  const ready = predictor.status === "True";
  const ingress = ingressStep(service, observed);
  const conditions = conditionsOf(before, predictor, ingress, { status: "False" }, now);
  const host = `${predictorName(service)}.${service.metadata.namespace}.svc.cluster.local`;
  const inside = wantsAuth(service) ? `https://${host}:${authProxyPort}` : `http://${host}`;
  // Source: opendatahub-io/kserve reconcilers/ingress (createAddress, createRawURLODH): of a Service without an address 8080 is
  // said, whatever port the server has, and only in `address`.
  const address = observed.headless === true && !wantsAuth(service) ? `${inside}:${defaultPort}` : inside;
  const url = !isExposed(service)
    ? inside
    : observed.routeHost === undefined
      ? service.status?.url
      : `https://${observed.routeHost}`;
  return {
    ...common,
    conditions,
    ...(ingress.status === "True" || (isExposed(service) && service.status?.url !== undefined)
      ? { ...(url === undefined ? {} : { url }), address: { url: address } }
      : {}),
    components: { predictor: ready ? { url: inside } : {} },
    modelStatus: modelStatus(service, observed, isTrue(conditions, "Ready"), now),
  };
}

/**
 * Whether the pods are there: a failure of replicas before all, then too few of them, then a rollout, which is over when the new
 * version's are there. Source: opendatahub-io/kserve PropagateRawStatus at OpenShift AI 3.4 (KServe 0.17); before, KServe looked
 * at `Available` alone.
 */
function predictorStep({ deployment, refused }: Observed): Step {
  if (refused !== undefined) return { status: "False", reason: "ReconcileFailed", message: refused };
  if (deployment === undefined) return { status: "Unknown" };
  const conditions = deployment.status?.conditions ?? [];
  const seen = deployment.status?.observedGeneration ?? 0;
  const find = (type: string) => conditions.find((each) => each.type === type);
  const available = find("Available");
  const progressing = find("Progressing");
  const failed = find("ReplicaFailure");
  if (failed?.status === "True") return stepOf(failed);
  if (available === undefined || seen < (deployment.metadata.generation ?? 0)) return { status: "Unknown" };
  if (available.status === "False") return stepOf(available);
  if (progressing?.status === "False" && (progressing.message ?? "") !== "") return stepOf(progressing);
  if (progressing?.status === "True" && progressing.reason !== "NewReplicaSetAvailable")
    return { ...stepOf(progressing), status: "Unknown" };
  return { status: available.status };
}

function stepOf({ status, reason, message }: Condition): Step {
  // A failure of replicas is true; what it says of the predictor is not.
  return {
    status: status === "True" ? "False" : status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

/**
 * A model that had an address, and whose Route no router lets through, stays ready with the address that it had: KServe breaks off
 * there and writes nothing. Here it waits until a router has looked. Source: opendatahub-io/kserve utils (GetRouteURLIfExists)
 */
function ingressStep(service: InferenceService, observed: Observed): Step {
  if (observed.deployment === undefined) return { status: "Unknown" };
  if (!isExposed(service) || observed.routeHost !== undefined) return { status: "True" };
  const stays = observed.routeRefused === true && service.status?.url !== undefined;
  return { status: stays ? "True" : "Unknown" };
}

/** Ready is what its dependents are: a failed one first, then an unknown one. Source: knative.dev/pkg/apis (LivingConditionSet) */
function conditionsOf(
  before: readonly Condition[],
  predictor: Step,
  ingress: Step,
  stopped: Step,
  now: string,
): Condition[] {
  const dependents = [predictor, ingress];
  const unhappy =
    dependents.find(({ status }) => status === "False") ?? dependents.find(({ status }) => status !== "True");
  const steps: Record<string, Step> = {
    IngressReady: ingress,
    PredictorReady: predictor,
    Ready: unhappy ?? { status: "True" },
    Stopped: stopped,
  };
  return Object.entries(steps).map(([type, step]) => {
    const known = before.find((each) => each.type === type);
    const same =
      known !== undefined &&
      known.status === step.status &&
      known.reason === step.reason &&
      known.message === step.message;
    return {
      type,
      status: step.status,
      ...(step.reason === undefined ? {} : { reason: step.reason }),
      ...(step.message === undefined ? {} : { message: step.message }),
      // Only Ready and what it depends on are failures when they are not true.
      ...(type === "Stopped" ? { severity: "Info" } : {}),
      lastTransitionTime: same ? (known.lastTransitionTime ?? now) : now,
    };
  });
}

/** Source: kserve PropagateModelStatus, UpdateModelTransitionStatus */
function modelStatus(
  service: InferenceService,
  observed: Observed,
  ready: boolean,
  now: string,
): ModelStatus {
  const before = service.status?.modelStatus;
  const active = before?.states?.activeModelState ?? "";
  const state = (transitionStatus: string, targetModelState: string, info?: FailureInfo): ModelStatus => ({
    transitionStatus,
    states: {
      activeModelState: targetModelState === "Loaded" ? "Loaded" : active,
      targetModelState,
    },
    ...failureOf(info, before?.lastFailureInfo, targetModelState, now),
    ...(targetModelState === "Loaded"
      ? {
          copies: {
            failedCopies: 0,
            totalCopies: observed.pods.filter((pod) => isTrue(pod.status?.conditions, "Ready")).length,
          },
        }
      : before?.copies === undefined
        ? {}
        : { copies: before.copies }),
  });
  if (observed.failure !== undefined) return state("InvalidSpec", "FailedToLoad", observed.failure);
  const failing = observed.pods.flatMap((pod) => failureIn(pod) ?? [])[0];
  if (failing !== undefined) return state("BlockedByFailedLoad", "FailedToLoad", failing);
  if (ready && observed.pods.length > 0) return state("UpToDate", "Loaded");
  const loading = observed.pods.some((pod) => isFetching(pod));
  return state("InProgress", loading ? "Loading" : "Pending");
}

/** The last failure stays to be read until the model is loaded. */
function failureOf(
  info: FailureInfo | undefined,
  before: FailureInfo | undefined,
  target: string,
  now: string,
): { lastFailureInfo?: FailureInfo } {
  if (target === "Loaded") return {};
  if (info === undefined) return before === undefined ? {} : { lastFailureInfo: before };
  const same = before?.reason === info.reason && before?.message === info.message;
  return { lastFailureInfo: { ...info, time: same ? (before?.time ?? now) : now } };
}

function isFetching(pod: Pod): boolean {
  return (pod.status?.initContainerStatuses ?? []).some(
    ({ name, state }) => name === storageInitializer && state?.running !== undefined,
  );
}

/** How a pod's storage initializer or server ended, when it ended badly or is started again and again. */
function failureIn(pod: Pod): FailureInfo | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const watched = [
    ...initContainerStatuses,
    ...containerStatuses.filter(({ name }) => name === modelContainer),
  ];
  for (const { state, lastState } of watched) {
    const ended =
      state?.terminated?.reason === "Error"
        ? state.terminated
        : state?.waiting?.reason === "CrashLoopBackOff"
          ? lastState?.terminated
          : undefined;
    if (ended !== undefined) {
      return {
        reason: "ModelLoadFailed",
        message: ended.message ?? "",
        exitCode: ended.exitCode,
        location: pod.metadata.name,
      };
    }
  }
  return undefined;
}
