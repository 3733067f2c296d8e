import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "../provider.ts";
import { annotations } from "./annotations.ts";
import { isApiError } from "./api-error.ts";
import type { Cluster } from "./apply.ts";
import { type ApiResource, pathOf } from "./discovery.ts";
import { type Informers, type Subscription, uidOf } from "./informers.ts";
import { annotationOf, type KubeObject, mapsAt, nameOf, namespaceOf, numberAt, textAt } from "./json.ts";
import { type Kind, kindKey } from "./kinds.ts";
import { Progress } from "./progress.ts";
import { hasPods, readinessRule, type Surroundings } from "./readiness.ts";
import { reasonsOf } from "./reasons.ts";
import { boundedPatience, shortcomings, timeoutMessage } from "./shortcomings.ts";
import type { Verdict } from "./verdict.ts";
import { waitForOf, waitVerdict } from "./wait-for.ts";

export interface Wait {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly session: Session;
  readonly urn: string;
  readonly resource: ApiResource;
  /** As the API server answered it. */
  readonly object: KubeObject;
  /** It was there before. */
  readonly updated: boolean;
  readonly seconds: number;
}

/** An object is there, and is not what it should be when the time is up, or never will be. */
export class NotReady extends Error {
  /** As it was seen last. */
  readonly object: KubeObject;
  /** What is wrong. */
  readonly headline: string;
  /** Why. */
  readonly reasons: readonly string[];

  constructor(headline: string, object: KubeObject, reasons: readonly string[] = []) {
    super([headline, ...reasons].join("\n  - "));
    this.name = "NotReady";
    this.object = object;
    this.headline = headline;
    this.reasons = reasons;
  }
}

/** A Service that looks ready is looked at for so long, in milliseconds: its Pods may be on their way. (The real provider takes ten seconds; here all controllers are on one machine.) */
const settleMs = 1_000;
/** Where nothing may be watched, objects are read now and then, in milliseconds. */
const pollMs = 1_000;

type Judge = (object: KubeObject) => Verdict;

/** Waits until an object is ready, as its kind or its annotation says. @throws NotReady */
export async function awaitReady(wait: Wait): Promise<KubeObject> {
  const { object, resource } = wait;
  if (annotationOf(object, annotations.skipAwait) === "true") return object;
  const wanted = waitForOf(object);
  const rule = readinessRule(kindKey(resource.kind));
  if (wanted !== undefined) return watchUntil(wait, (live) => waitVerdict(wanted, live));
  if (rule === undefined) return object;
  const around = await surroundings(wait);
  const slices = new Map<string, KubeObject>();
  const judge: Judge = (live) =>
    rule(live, { ...around, updated: wait.updated, slices: [...slices.values()] });
  if (kindKey(resource.kind) !== "v1/Service" || !hasPods(object)) return watchUntil(wait, judge);
  return watchUntil(wait, judge, slices);
}

/** Whether an object is ready now; undefined where nothing is to be waited for. */
export async function verdictNow(
  cluster: Cluster,
  kind: Kind,
  object: KubeObject,
  signal: AbortSignal,
): Promise<{ verdict: Verdict | undefined; slices: readonly KubeObject[] }> {
  if (annotationOf(object, annotations.skipAwait) === "true") return { verdict: undefined, slices: [] };
  const slices =
    kindKey(kind) === "v1/Service" && hasPods(object) ? await slicesOf(cluster, object, signal) : [];
  return { verdict: readinessRule(kindKey(kind))?.(object, { slices, settled: true }), slices };
}

async function slicesOf(
  { client }: Cluster,
  object: KubeObject,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const query = { labelSelector: `${serviceLabel}=${nameOf(object)}` };
  const { body } = await client.send({ method: "GET", path: slicesPath(object), query, signal });
  return mapsAt(body, "items");
}

/** What an EndpointSlice says of whose it is. */
const serviceLabel = "kubernetes.io/service-name";

function slicesPath(object: KubeObject): string {
  const namespace = encodeURIComponent(namespaceOf(object) ?? "default");
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
}

async function surroundings(wait: Wait): Promise<Surroundings> {
  const { object, resource, cluster, session } = wait;
  const storageClass = textAt(object, "spec", "storageClassName");
  if (kindKey(resource.kind) !== "v1/PersistentVolumeClaim" || !storageClass) return {};
  try {
    const path = `/apis/storage.k8s.io/v1/storageclasses/${encodeURIComponent(storageClass)}`;
    const { body } = await cluster.client.send({ method: "GET", path, signal: session.signal });
    return { bindingMode: textAt(body, "volumeBindingMode") };
  } catch (error) {
    if (!isApiError(error, 403, 404)) throw error;
    await session.log(wait.urn, "warning", `getting storageclass "${storageClass}": ${error.message}`, true);
    return {};
  }
}

/** @param slices where a Service's EndpointSlices are to be kept */
async function watchUntil(wait: Wait, judge: Judge, slices?: Map<string, KubeObject>): Promise<KubeObject> {
  const first = judge(wait.object);
  if (first.state === "ready" && slices === undefined) return wait.object;
  const { object, resource, session, informers } = wait;
  const namespace = namespaceOf(object);
  const subscriptions: Subscription[] = [];
  const seconds = boundedPatience(resource.kind, wait.seconds, isNamed(object));
  const end = AbortSignal.any([session.signal, AbortSignal.timeout(seconds * 1000)]);
  const progress = new Progress(wait);
  let last = object;
  const lacks = () =>
    isNamed(object) ? [] : shortcomings(resource.kind, last, [...(slices?.values() ?? [])]);
  try {
    return await new Promise<KubeObject>((resolve, reject) => {
      let settling: NodeJS.Timeout | undefined;
      const look = () => {
        clearTimeout(settling);
        const verdict = judge(last);
        if (verdict.state === "failed") reject(new NotReady(failedMessage(last), last, [verdict.message]));
        else if (verdict.state === "waiting") progress.say(verdict.message);
        else if (slices === undefined) resolve(last);
        else settling = setTimeout(() => resolve(last), settleMs);
      };
      const see = (live: KubeObject) => {
        // A watch may lag behind the answer that made the object what it is.
        if (uidOf(live) !== uidOf(object) || isOlder(live, object)) return;
        last = live;
        look();
      };
      const stop = () => {
        clearTimeout(settling);
        reject(
          session.signal.aborted
            ? new NotReady(`Resource operation was cancelled for "${nameOf(last)}"`, last)
            : new NotReady(timeoutMessage(resource.kind, object, isNamed(object)), last, lacks()),
        );
      };
      end.addEventListener("abort", stop, { once: true });
      const own = informers.subscribe(pathOf(resource, namespace), nameOf(object), (change) => {
        if (change.type === "there") see(change.object);
        else if (uidOf(change.object) === uidOf(object))
          reject(new NotReady("it was deleted meanwhile", change.object));
      });
      subscriptions.push(own);
      own.failed.catch((error: unknown) => {
        if (!isApiError(error, 403, 405)) return reject(error);
        poll(wait, end, see).catch(reject);
      });
      if (slices !== undefined) subscriptions.push(watchSlices(wait, slices, look));
      look();
    });
  } catch (error) {
    if (!(error instanceof NotReady) || session.signal.aborted) throw error;
    throw await explained(wait, error);
  } finally {
    progress.end();
    for (const subscription of subscriptions) subscription.close();
  }
}

function watchSlices(wait: Wait, slices: Map<string, KubeObject>, look: () => void): Subscription {
  const { object, informers } = wait;
  return informers.subscribe(slicesPath(object), undefined, (change) => {
    if (textAt(change.object, "metadata", "labels", serviceLabel) !== nameOf(object)) return;
    if (change.type === "there") slices.set(uidOf(change.object), change.object);
    else slices.delete(uidOf(change.object));
    look();
  });
}

async function poll(wait: Wait, signal: AbortSignal, see: (object: KubeObject) => void): Promise<void> {
  const path = pathOf(wait.resource, namespaceOf(wait.object), nameOf(wait.object));
  while (!signal.aborted) {
    see((await wait.cluster.client.send({ method: "GET", path, signal })).body);
    await delay(pollMs, undefined, { signal });
  }
}

/** Whether an object is as it was before an answer. Not all kinds count generations, a ResourceQuota does not; all have versions. */
function isOlder(live: KubeObject, answer: KubeObject): boolean {
  const [seen, made] = [version(live), version(answer)];
  if (generation(live) !== generation(answer) || seen === undefined || made === undefined)
    return generation(live) < generation(answer);
  return seen < made;
}

/** Versions are whole numbers that grow. Source: kubernetes.io (API concepts, resource versions) */
function version(object: KubeObject): bigint | undefined {
  const text = textAt(object, "metadata", "resourceVersion") ?? "";
  return /^\d+$/.test(text) ? BigInt(text) : undefined;
}

function generation(object: KubeObject): number {
  return numberAt(object, "metadata", "generation") ?? 0;
}

async function explained(wait: Wait, failure: NotReady): Promise<NotReady> {
  const reasons = [...failure.reasons, ...(await reasonsOf(wait.cluster, failure.object))];
  return new NotReady(failure.headline, failure.object, [...new Set(reasons)]);
}

/** Whether what is waited for is the program's own choice. */
function isNamed(object: KubeObject): boolean {
  return waitForOf(object) !== undefined;
}

/** Of what will not become ready, however long it is waited for. */
function failedMessage(object: KubeObject): string {
  return `Resource '${nameOf(object)}' was created but failed to initialize`;
}

export type Gone = Pick<
  Wait,
  "cluster" | "informers" | "session" | "urn" | "resource" | "object" | "seconds"
>;

/** Waits until an object that was told to go is gone. @throws NotReady with the finalizers that hold it */
export async function awaitGone(wait: Gone): Promise<void> {
  const { object, resource, session, informers, cluster } = wait;
  const path = pathOf(resource, namespaceOf(object), nameOf(object));
  const end = AbortSignal.any([session.signal, AbortSignal.timeout(wait.seconds * 1000)]);
  const late = (held: KubeObject) =>
    new NotReady("timed out waiting for the condition", held, [holding(held)]);
  let last = object;
  /** Whether it is there; the last word, since a watch may not have seen it yet. */
  const there = async (): Promise<boolean> => {
    try {
      const { body } = await cluster.client.send({ method: "GET", path, signal: end });
      if (uidOf(body) !== uidOf(object)) return false;
      last = body;
      return true;
    } catch (error) {
      if (isApiError(error, 404)) return false;
      throw error;
    }
  };
  let subscription: Subscription | undefined;
  const progress = new Progress(wait);
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = () => reject(session.signal.aborted ? session.signal.reason : late(last));
      end.addEventListener("abort", stop, { once: true });
      subscription = informers.subscribe(pathOf(resource, namespaceOf(object)), nameOf(object), (change) => {
        if (uidOf(change.object) !== uidOf(object)) return;
        last = change.object;
        if (change.type === "gone") resolve();
        else progress.say(holding(change.object));
      });
      subscription.synced
        .then(there)
        .then((still) => still || resolve())
        .catch(() => {});
      subscription.failed.catch(async (error: unknown) => {
        if (!isApiError(error, 403, 404, 405)) return reject(error);
        try {
          while (await there()) await delay(pollMs, undefined, { signal: end });
          resolve();
        } catch (failure) {
          if (!end.aborted) reject(failure);
        }
      });
    });
  } finally {
    progress.end();
    subscription?.close();
  }
}

/** What keeps an object that was told to go. */
function holding(object: KubeObject): string {
  const finalizers = (object.metadata as KubeObject | undefined)?.finalizers;
  const names = Array.isArray(finalizers) ? finalizers.map(String) : [];
  const spec = mapsAt(object, "status", "conditions")
    .filter((each) => textAt(each, "status") === "True" && textAt(each, "message") !== undefined)
    .map((each) => textAt(each, "message"));
  const why =
    names.length > 0
      ? `finalizers might be preventing deletion (${names.join(", ")})`
      : "waiting for deletion";
  return [why, ...spec].join("; ");
}
