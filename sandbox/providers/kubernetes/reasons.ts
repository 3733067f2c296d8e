import type { Cluster } from "./apply.ts";
import { uidOf } from "./informers.ts";
import {
  at,
  conditionsOf,
  idOf,
  isJsonMap,
  type JsonMap,
  type KubeObject,
  mapsAt,
  nameOf,
  namespaceOf,
  textAt,
} from "./json.ts";

/** Conditions that say something bad when they are true; all others do when they are false. */
const badWhenTrue = /(Failure|Failed|Degraded|Stalled|Pressure|Error)$/;
const most = 10;
/** What a look for reasons may take at most, in milliseconds: it comes after the time is up. */
const lookMs = 10_000;

/** What an object's own conditions complain of: `[reason] message`. */
export function complaints(object: KubeObject): string[] {
  return conditionsOf(object).flatMap(({ type, status, reason, message }) => {
    if (status !== (badWhenTrue.test(type) ? "True" : "False") || (reason === "" && message === ""))
      return [];
    return [`[${reason || type}] ${message}`.trim()];
  });
}

/** What hinders the containers of a Pod. Source: provider/pkg/await/checker/pod/check.go */
export function podComplaints(pod: KubeObject): string[] {
  const statuses = [
    ...mapsAt(pod, "status", "initContainerStatuses"),
    ...mapsAt(pod, "status", "containerStatuses"),
  ];
  const found = statuses.filter((status) => at(status, "ready") !== true).flatMap(containerComplaints);
  const conditions = conditionsOf(pod).filter(
    ({ type, status, message }) =>
      ["PodScheduled", "Initialized", "Ready"].includes(type) && status !== "True" && message !== "",
  );
  const all = found.length > 0 ? found : conditions.map(({ message }) => message);
  return all.map((each) => `[Pod ${shownName(pod)}]: ${each}`);
}

/** A namespace is only named where it is not the default one. */
function shownName(pod: KubeObject): string {
  return namespaceOf(pod) === "default" ? nameOf(pod) : idOf(pod);
}

function containerComplaints(status: JsonMap): string[] {
  const name = textAt(status, "name") ?? "";
  const waits = at(status, "state", "waiting");
  const ended = at(status, "state", "terminated");
  const complaints: string[] = [];
  const why = textAt(waits, "reason");
  if (why !== undefined && why !== "ContainerCreating" && why !== "PodInitializing") {
    complaints.push(`[${why}] ${textAt(waits, "message") ?? ""}`.trim());
  }
  if (isJsonMap(ended) && textAt(ended, "reason")) {
    const message = textAt(ended, "message");
    complaints.push(
      message
        ? `[${textAt(ended, "reason")}] ${message}`
        : `container "${name}" completed with exit code ${at(ended, "exitCode")}`,
    );
  }
  return complaints;
}

/** Whether an event tells of an object, or of what was made for it (a Deployment's ReplicaSets and their Pods). */
export function concerns(event: KubeObject, object: KubeObject): boolean {
  const about = at(event, "involvedObject");
  if (textAt(about, "uid") === uidOf(object)) return true;
  const made = ["ReplicaSet", "Pod", "Job", "PersistentVolumeClaim"].includes(textAt(about, "kind") ?? "");
  return made && textAt(about, "name")?.startsWith(`${nameOf(object)}-`) === true;
}

export function eventText(event: KubeObject): string {
  const about = `${textAt(event, "involvedObject", "kind")} ${textAt(event, "involvedObject", "name")}`;
  return `[${about}] ${textAt(event, "reason") ?? ""}: ${(textAt(event, "message") ?? "").trim()}`;
}

/** Why an object is not ready: its conditions, its Pods, and the warnings about it. Whatever cannot be read is left out. */
export async function reasonsOf({ client }: Cluster, object: KubeObject): Promise<string[]> {
  const signal = AbortSignal.timeout(lookMs);
  const root = `/api/v1/namespaces/${encodeURIComponent(namespaceOf(object) ?? "default")}`;
  const list = async (path: string, query: Record<string, string>): Promise<readonly JsonMap[]> => {
    try {
      return mapsAt(
        (await client.send({ method: "GET", path: `${root}/${path}`, query, signal })).body,
        "items",
      );
    } catch {
      return [];
    }
  };
  const [events, pods] = await Promise.all([
    list("events", { fieldSelector: "type=Warning", limit: "500" }),
    podsOf(object) === undefined ? [] : list("pods", { labelSelector: podsOf(object) ?? "", limit: "50" }),
  ]);
  const all = [
    ...complaints(object),
    ...(object.kind === "Pod" ? podComplaints(object) : pods.flatMap(podComplaints)),
    ...latest(events.filter((event) => concerns(event, object))).map(eventText),
  ];
  return [...new Set(all)].slice(0, most);
}

/** The last event of each reason: a controller that tries again complains again, of another name each time. */
function latest(events: readonly KubeObject[]): readonly KubeObject[] {
  const last = new Map(
    events.map((each) => [`${textAt(each, "involvedObject", "uid")} ${textAt(each, "reason")}`, each]),
  );
  return [...last.values()];
}

function podsOf(object: KubeObject): string | undefined {
  const labels = at(object, "spec", "selector", "matchLabels");
  if (
    !isJsonMap(labels) ||
    !["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"].includes(String(object.kind))
  ) {
    return undefined;
  }
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
