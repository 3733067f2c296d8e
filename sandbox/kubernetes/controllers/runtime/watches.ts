import { type KubeConfig, type KubernetesObject, ListWatch, Watch } from "@kubernetes/client-node";
import type { Api } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { collectionPath, type Kind } from "./kinds.ts";
import type { KubeObject } from "./objects.ts";
import type { Timers } from "./queue.ts";

/** An object changed (`now`), or is gone (`now` undefined). */
export type Change = (kind: Kind, now: KubeObject | undefined, before: KubeObject | undefined) => void;

/** How long after a failure of the API server, or of its connection, the next attempt is made. */
const retryMs = 500;

/** The official client's watch, without what nobody here reads: the record of who wrote which field. */
class LeanWatch extends Watch {
  override watch(
    path: string,
    queryParams: Record<string, string | number | boolean | undefined>,
    callback: (phase: string, object: KubeObject, watchObject?: unknown) => void,
    done: (error: unknown) => void,
  ): Promise<AbortController> {
    return super.watch(path, queryParams, (phase, object) => callback(phase, lean(object)), done);
  }
}

function lean(object: KubeObject): KubeObject {
  delete (object.metadata as { managedFields?: unknown } | undefined)?.managedFields;
  return object;
}

export interface Watching {
  /** When every kind has been listed once. */
  readonly listed: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Keeps the cluster's stores as the API server has them, by one informer of the official client per kind, and tells of
 * each change. A server that is away, or a kind that it does not serve yet, is tried again until it answers.
 */
export function watchKinds(
  config: KubeConfig,
  api: Api,
  cluster: Cluster,
  kinds: readonly Kind[],
  onChange: Change,
  timers: Timers,
): Watching {
  const watching = kinds.map((kind) => watchKind(config, api, cluster, kind, onChange, timers));
  return {
    listed: Promise.all(watching.map((each) => each.listed)).then(() => undefined),
    stop: async () => {
      await Promise.all(watching.map((each) => each.stop()));
    },
  };
}

function watchKind(
  config: KubeConfig,
  api: Api,
  cluster: Cluster,
  kind: Kind,
  onChange: Change,
  timers: Timers,
): Watching {
  const store = cluster.storeOf(kind);
  const { promise: listed, resolve } = Promise.withResolvers<void>();
  let cancelRetry = (): void => undefined;
  const list = async () => {
    const found = await api.list(kind);
    found.items = found.items.map(lean);
    // The informer takes the list in as soon as it has it.
    setImmediate(resolve);
    return found;
  };
  const informer = new ListWatch<KubernetesObject>(
    collectionPath(kind),
    new LeanWatch(config),
    list as never,
    false,
  );
  // The client types times as dates; here, as everywhere with it, they are the text that came.
  const typed = (object: KubernetesObject): KubeObject => ({
    ...(object as unknown as KubeObject),
    apiVersion: kind.apiVersion,
    kind: kind.kind,
  });
  const take = (object: KubernetesObject): void => {
    const full = typed(object);
    const before = store.get(full.metadata.namespace, full.metadata.name);
    if (store.put(full)) onChange(kind, full, before);
    // The answer to a write of our own was here first; its consequences are still to be looked at.
    else onChange(kind, store.get(full.metadata.namespace, full.metadata.name), before);
  };
  informer.on("add", take);
  informer.on("update", take);
  informer.on("delete", (object) => {
    const gone = typed(object);
    store.delete(gone);
    cluster.forget(gone);
    onChange(kind, undefined, gone);
  });
  let stopped = false;
  informer.on("error", () => {
    if (stopped) return;
    cancelRetry();
    cancelRetry = timers.after(retryMs, () => void informer.start());
  });
  void informer.start();
  return {
    listed,
    stop: async () => {
      stopped = true;
      cancelRetry();
      await informer.stop();
    },
  };
}
