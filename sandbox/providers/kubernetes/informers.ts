import { setTimeout as delay } from "node:timers/promises";
import { isApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import { type KubeObject, mapsAt, nameOf, textAt } from "./json.ts";
import { isLost } from "./lost.ts";

/** What happened to an object; it is as it was last when it is gone. */
export interface Change {
  readonly type: "there" | "gone";
  readonly object: KubeObject;
}
export type Listener = (change: Change) => void;

export interface Subscription {
  /** Resolves when all that was there at the beginning was told; rejects when it cannot be watched. */
  readonly synced: Promise<void>;
  /** Rejects when it can be watched no longer; never resolves. */
  readonly failed: Promise<never>;
  close(): void;
}

/** Nobody may need a collection again at once: it is watched so much longer, in milliseconds, and need not be listed anew. */
const lingerMs = 5_000;
const pageSize = 500;
/** Between a watch that broke and the next, in milliseconds. */
const againMs = 100;

/** One watch for each collection (a kind in a namespace), however many wait for objects of it. */
export class Informers {
  readonly #client: KubeClient;
  readonly #collections = new Map<string, Collection>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** How many watches are open. */
  get size(): number {
    return this.#collections.size;
  }

  /**
   * Tells what is there, and each change from then on.
   * @param path of the collection
   * @param name of the only object that counts; undefined for all
   */
  subscribe(path: string, name: string | undefined, listener: Listener): Subscription {
    let collection = this.#collections.get(path);
    if (collection === undefined) {
      collection = new Collection(this.#client, path, () => this.#collections.delete(path));
      this.#collections.set(path, collection);
    }
    return collection.subscribe(name, listener);
  }

  close(): void {
    for (const collection of this.#collections.values()) collection.end(new Error("the sandbox is stopping"));
  }
}

class Collection {
  readonly #client: KubeClient;
  readonly #path: string;
  readonly #onEnd: () => void;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Map<string | undefined, Set<Listener>>();
  readonly #ended = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #count = 0;
  #lingering: NodeJS.Timeout | undefined;

  constructor(client: KubeClient, path: string, onEnd: () => void) {
    this.#client = client;
    this.#path = path;
    this.#onEnd = onEnd;
    // Who waits hears of it; a collection that nobody waits for may end unheard.
    this.#synced.promise.catch(() => {});
    this.#failed.promise.catch(() => {});
    this.#run().catch((error: unknown) => this.end(error));
  }

  subscribe(name: string | undefined, listener: Listener): Subscription {
    clearTimeout(this.#lingering);
    this.#count++;
    const known = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, known.add(listener));
    for (const object of this.#objects.values()) {
      if (name === undefined || nameOf(object) === name) listener({ type: "there", object });
    }
    let open = true;
    const close = () => {
      if (!open) return;
      open = false;
      known.delete(listener);
      if (known.size === 0) this.#listeners.delete(name);
      if (--this.#count === 0) {
        this.#lingering = setTimeout(() => this.end(new Error("nobody watches any more")), lingerMs);
        this.#lingering.unref();
      }
    };
    return { synced: this.#synced.promise, failed: this.#failed.promise, close };
  }

  end(reason: unknown): void {
    clearTimeout(this.#lingering);
    this.#onEnd();
    this.#synced.reject(reason);
    this.#failed.reject(reason);
    this.#ended.abort(reason);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      let version = await this.#list();
      this.#synced.resolve();
      // A watch ends now and then by itself; only one that broke, or is too old, is begun with a list.
      for (let whole = true; whole && !signal.aborted; ) {
        const after = await this.#watch(version);
        whole = after !== undefined;
        if (after !== undefined) version = after;
        else await delay(againMs, undefined, { signal });
      }
    }
  }

  async #list(): Promise<string> {
    const { signal } = this.#ended;
    const seen = new Set<string>();
    let next: string | undefined;
    for (;;) {
      const query = { limit: String(pageSize), continue: next };
      const { body } = await this.#client.send({ method: "GET", path: this.#path, query, signal });
      for (const item of mapsAt(body, "items")) {
        // In a list, the elements do not say their kind.
        const object = {
          apiVersion: body.apiVersion ?? "",
          kind: textAt(body, "kind")?.replace(/List$/, "") ?? "",
          ...item,
        };
        seen.add(uidOf(object));
        this.#put(object);
      }
      next = textAt(body, "metadata", "continue") || undefined;
      if (next !== undefined) continue;
      for (const [uid, object] of [...this.#objects]) if (!seen.has(uid)) this.#remove(object);
      return textAt(body, "metadata", "resourceVersion") ?? "";
    }
  }

  /** The version to go on from; undefined when the changes since then are lost. */
  async #watch(from: string): Promise<string | undefined> {
    const { signal } = this.#ended;
    let version: string | undefined = from;
    try {
      await this.#client.watch(this.#path, from, signal, (type, object) => {
        if (type === "ERROR") version = undefined;
        else if (version !== undefined) version = textAt(object, "metadata", "resourceVersion") ?? version;
        if (type === "ADDED" || type === "MODIFIED") this.#put(object);
        if (type === "DELETED") this.#remove(object);
      });
      return version;
    } catch (error) {
      signal.throwIfAborted();
      if (isLost(error) || isApiError(error, 410)) return undefined;
      throw error;
    }
  }

  #put(object: KubeObject): void {
    const uid = uidOf(object);
    const known = this.#objects.get(uid);
    if (known !== undefined && versionOf(known) === versionOf(object)) return;
    this.#objects.set(uid, object);
    this.#tell({ type: "there", object });
  }

  #remove(object: KubeObject): void {
    this.#objects.delete(uidOf(object));
    this.#tell({ type: "gone", object });
  }

  #tell(change: Change): void {
    for (const key of [nameOf(change.object), undefined]) {
      for (const listener of [...(this.#listeners.get(key) ?? [])]) listener(change);
    }
  }
}

export function uidOf(object: KubeObject): string {
  return textAt(object, "metadata", "uid") ?? "";
}

function versionOf(object: KubeObject): string | undefined {
  return textAt(object, "metadata", "resourceVersion");
}
