import type { Api } from "./api.ts";
import { ApiError, operatorsManager } from "./api.ts";
import { fingerprint, satisfies } from "./differs.ts";
import type { Kind } from "./kinds.ts";
import { type KubeObject, keyOf } from "./objects.ts";
import type { Timers } from "./queue.ts";
import { ObjectStore } from "./store.ts";

/**
 * The cluster as controllers see it: reads come from what the watches brought, writes go to the API server, and only
 * when something differs.
 */
export class Cluster {
  readonly api: Api;
  readonly timers: Timers;
  readonly #stores = new Map<Kind, ObjectStore>();
  /** What was last wanted of each object, by uid: so that what is no longer wanted is taken away. */
  readonly #wanted = new Map<string, string>();
  /** The status last written of each object, by uid, and what the server made of it: it may add defaults. */
  readonly #statuses = new Map<string, { readonly wanted: string; readonly got: string }>();
  /** Events told, by object and words, so that a failure that repeats is told once. */
  readonly #told = new Map<string, string>();

  constructor(api: Api, timers: Timers) {
    this.api = api;
    this.timers = timers;
  }

  storeOf(kind: Kind): ObjectStore {
    const store = this.#stores.get(kind) ?? new ObjectStore();
    this.#stores.set(kind, store);
    return store;
  }

  get<T extends KubeObject>(kind: Kind, namespace: string | undefined, name: string): T | undefined {
    return this.storeOf(kind).get(namespace, name) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind, namespace?: string): T[] {
    return this.storeOf(kind).list(namespace) as T[];
  }

  owned<T extends KubeObject>(kind: Kind, owner: KubeObject): T[] {
    return this.storeOf(kind).ownedBy(owner.metadata.uid ?? "") as T[];
  }

  /** Sees to it that the server has the object as it is wanted. */
  async ensure<T extends KubeObject>(kind: Kind, wanted: T): Promise<T> {
    const { namespace, name } = wanted.metadata;
    const known = this.get<T>(kind, namespace, name);
    const print = fingerprint(wanted);
    if (known !== undefined) {
      const uid = known.metadata.uid ?? "";
      const before = this.#wanted.get(uid);
      if ((before === undefined || before === print) && satisfies(known, wanted)) {
        this.#wanted.set(uid, print);
        return known;
      }
    }
    const written = (await this.api.apply(kind, wanted)) as T;
    this.storeOf(kind).put(written);
    this.#wanted.set(written.metadata.uid ?? "", print);
    return written;
  }

  async remove(kind: Kind, object: KubeObject): Promise<void> {
    this.#wanted.delete(object.metadata.uid ?? "");
    await this.api.remove(kind, object);
  }

  /** Writes an object's status when it is another one than the server has. */
  async setStatus(kind: Kind, object: KubeObject & { status?: unknown }, status: unknown): Promise<void> {
    const known = this.get<KubeObject & { status?: unknown }>(
      kind,
      object.metadata.namespace,
      object.metadata.name,
    );
    const wanted = fingerprint(status);
    const has = fingerprint(known?.status ?? {});
    const last = this.#statuses.get(object.metadata.uid ?? "");
    if (has === wanted || (last?.wanted === wanted && last.got === has)) return;
    try {
      const written: KubeObject & { status?: unknown } = await this.api.putStatus(kind, object, status);
      this.storeOf(kind).put(written);
      this.#statuses.set(object.metadata.uid ?? "", { wanted, got: fingerprint(written.status ?? {}) });
    } catch (error) {
      // It was deleted meanwhile: there is nobody left to tell.
      if (error instanceof ApiError && error.status === 404) return;
      throw error;
    }
  }

  /** Tells what happened to an object as an Event; the same words again are not told. */
  async tell(
    object: KubeObject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    kind: Kind,
  ): Promise<void> {
    const uid = object.metadata.uid ?? keyOf(object);
    const words = `${reason}: ${message}`;
    if (this.#told.get(uid) === words) return;
    this.#told.set(uid, words);
    const namespace = object.metadata.namespace ?? "default";
    const at = new Date(this.timers.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${object.metadata.name.slice(0, 200)}.${nextEvent(this.timers.now())}`, namespace },
      involvedObject: {
        apiVersion: kind.apiVersion,
        kind: kind.kind,
        name: object.metadata.name,
        namespace,
        uid,
      },
      type,
      reason,
      message: message.slice(0, 1024),
      source: { component: operatorsManager },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
    try {
      await this.api.create(eventKind, event);
    } catch (error) {
      // An event is news, not a duty: a namespace that is being deleted takes none.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Forgets what was remembered of an object that is gone. */
  forget(object: KubeObject): void {
    const uid = object.metadata.uid ?? "";
    this.#wanted.delete(uid);
    this.#statuses.delete(uid);
    this.#told.delete(uid);
  }
}

const eventKind: Kind = { apiVersion: "v1", kind: "Event", plural: "events", namespaced: true };

let events = 0;

function nextEvent(now: number): string {
  events += 1;
  return `${now.toString(16)}${(events % 0x10000).toString(16).padStart(4, "0")}`;
}
