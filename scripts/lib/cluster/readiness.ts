import type { ClusterObject } from "./objects.ts";

/** What an object of a cluster is like at the moment. */
export interface Readiness {
  readonly state: "Ready" | "Pending" | "Failed" | "Stopped" | "Terminating" | "Missing";
  /** Why it is not ready, in the cluster's own words. */
  readonly why?: string;
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

const ready: Readiness = { state: "Ready" };

/**
 * In which state an object is, told from its status as its own controller writes it; what has no status is ready by being
 * there. Pure.
 */
export function readinessOf(object: ClusterObject | undefined): Readiness {
  if (object === undefined) return { state: "Missing" };
  const { metadata } = object;
  if (metadata?.deletionTimestamp !== undefined)
    return { state: "Terminating", ...reason(whyItStays(object)) };
  return (byKind[object.kind ?? ""] ?? byConditions)(object);
}

/** Why something that is being deleted is still there: its finalizers, and what a namespace says of its content. Pure. */
export function whyItStays({ metadata, status, spec }: ClusterObject): string {
  const stuck = conditionsOf({ status }).filter(
    ({ type = "", status: holds }) => /^Namespace.*(Remaining|Failure)$/.test(type) && holds === "True",
  );
  const own = [...(metadata?.finalizers ?? []), ...listOf(spec?.finalizers).map(String)];
  return [
    ...stuck.map(({ message, type }) => message ?? type ?? ""),
    ...(own.length === 0 ? [] : [`finalizers: ${own.join(", ")}`]),
  ].join(" ");
}

const byKind: Readonly<Record<string, (object: ClusterObject) => Readiness>> = {
  Namespace: ({ status }) => (status?.phase === "Terminating" ? { state: "Terminating" } : ready),
  Deployment: replicated("availableReplicas"),
  StatefulSet: replicated("readyReplicas"),
  PersistentVolumeClaim: ({ status }) =>
    // A claim may wait for the first pod that uses it: that is no failure.
    status?.phase === "Lost" ? { state: "Failed", why: "its volume is lost" } : ready,
  Job: (object) => {
    const failed = condition(object, "Failed");
    if (failed?.status === "True") return { state: "Failed", ...reason(textOf(failed)) };
    return condition(object, "Complete")?.status === "True" ? ready : { state: "Pending" };
  },
  Notebook: (object) => {
    if (object.metadata?.annotations?.["kubeflow-resource-stopped"] !== undefined)
      return { state: "Stopped" };
    return Number(object.status?.readyReplicas ?? 0) > 0 ? ready : notYet(condition(object, "Ready"));
  },
  InferenceService: (object) => {
    const { annotations } = object.metadata ?? {};
    if (annotations?.["serving.kserve.io/stop"] === "true") return { state: "Stopped" };
    const { lastFailureInfo, transitionStatus } = (object.status?.modelStatus ?? {}) as {
      lastFailureInfo?: { message?: string; reason?: string };
      transitionStatus?: string;
    };
    const is = byConditions(object);
    // While copies of the version before serve, a model stays ready whose new one cannot be loaded.
    const failed = /^(InvalidSpec|BlockedByFailedLoad)$/.test(transitionStatus ?? "");
    if (is.state === "Ready" && !failed && object.status !== undefined) return is;
    const why = lastFailureInfo?.message ?? lastFailureInfo?.reason ?? is.why;
    return { state: failed || is.state === "Failed" ? "Failed" : "Pending", ...reason(why) };
  },
  Route: (object) => {
    const ingress = listOf(object.status?.ingress) as { conditions?: Condition[] }[];
    const admitted = ingress
      .flatMap(({ conditions = [] }) => conditions)
      .find(({ type }) => type === "Admitted");
    return admitted === undefined || admitted.status === "True" ? ready : notYet(admitted);
  },
  // What these say of themselves is about their work, not about whether they are as they were asked for.
  HorizontalPodAutoscaler: () => ready,
  PodDisruptionBudget: () => ready,
  CronJob: ({ spec }) => (spec?.suspend === true ? { state: "Stopped" } : ready),
};

/** By the condition that nearly every controller writes. */
function byConditions(object: ClusterObject): Readiness {
  const found = condition(object, "Ready") ?? condition(object, "Available");
  return found === undefined || found.status === "True" ? ready : notYet(found);
}

function replicated(counter: string) {
  return (object: ClusterObject): Readiness => {
    const { spec, status, metadata } = object;
    const wanted = Number(spec?.replicas ?? 1);
    const there = Number(status?.[counter] ?? 0);
    if (wanted === 0) return { state: "Stopped" };
    const seen = Number(status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
    if (seen && there >= wanted) return ready;
    const failure = condition(object, "ReplicaFailure");
    if (failure?.status === "True") return { state: "Failed", ...reason(textOf(failure)) };
    const progress = condition(object, "Progressing");
    if (progress?.status === "False") return { state: "Failed", ...reason(textOf(progress)) };
    return { state: "Pending", why: `${there} of ${wanted} replicas are there` };
  };
}

/** Controllers say "not ready" of what takes its time as of what cannot be: the reason tells the difference. */
const hopeless =
  /fail|error|invalid|exceed|refus|denied|forbidden|missing|notfound|unknown|unsupported|unreachable/i;

function notYet(found: Condition | undefined): Readiness {
  const failed = found?.status === "False" && hopeless.test(found.reason ?? "");
  return { state: failed ? "Failed" : "Pending", ...reason(found === undefined ? undefined : textOf(found)) };
}

function reason(why: string | undefined): { why?: string } {
  return why === undefined || why === "" ? {} : { why };
}

function textOf({ reason: named, message }: Condition): string {
  return [named, message].filter((part) => part !== undefined && part !== "").join(": ");
}

function condition({ status }: Pick<ClusterObject, "status">, wanted: string): Condition | undefined {
  return conditionsOf({ status }).find(({ type }) => type === wanted);
}

function conditionsOf({ status }: { status?: ClusterObject["status"] | undefined }): Condition[] {
  return listOf(status?.conditions) as Condition[];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
