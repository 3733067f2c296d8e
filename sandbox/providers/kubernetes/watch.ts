import { type KubeConfig, Watch } from "@kubernetes/client-node";
import { ApiError } from "./api-error.ts";
import { isJsonMap, type JsonMap } from "./json.ts";
import { rootOf } from "./lost.ts";

export interface WatchOptions {
  /** Of the collection. */
  readonly path: string;
  /** The version from which on changes are told. */
  readonly from: string;
  readonly signal: AbortSignal;
  /** @param type `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR` */
  readonly onEvent: (type: string, object: JsonMap) => void;
  /** After so long without a word the watch counts as dead, in milliseconds. */
  readonly quietMs: number;
}

/**
 * Watches a collection by the official client's `Watch`, which does not say why it was refused, cannot be ended while it
 * connects, and takes a listener's failure for a line that is no JSON.
 *
 * The API server is asked to end the watch itself in good time before it counts as dead: then it tells the latest version just
 * before, where there is nothing else to tell, and the connection lives on.
 *
 * @returns how it ended: `over` when the API server ended it, `quiet` when there was no word for too long. In both cases nothing was
 * missed up to the last event.
 * @throws ApiError for a refusal, without the API server's words; whatever broke the connection
 */
export async function watchCollection(config: KubeConfig, options: WatchOptions): Promise<"over" | "quiet"> {
  const { path, from, signal, onEvent, quietMs } = options;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<"over" | "quiet">();
  const watch = new Watch(config);
  // The client has it as a field that its types keep to themselves.
  Reflect.set(watch, "requestTimeoutMs", quietMs);
  const query = {
    allowWatchBookmarks: true,
    resourceVersion: from,
    timeoutSeconds: Math.max(1, Math.floor((quietMs * 0.8) / 1000)),
  };
  let connected: AbortController | undefined;
  let ended = false;
  const end = () => {
    ended = true;
    connected?.abort();
  };
  const abort = () => {
    reject(signal.reason);
    end();
  };
  signal.addEventListener("abort", abort, { once: true });
  const hear = (type: string, object: unknown) => {
    if (ended || !isJsonMap(object)) return;
    try {
      onEvent(type, object);
    } catch (error) {
      reject(error);
      end();
    }
  };
  const done = (error: unknown) => {
    if (!error) resolve("over");
    else if (error instanceof DOMException && error.name === "TimeoutError") resolve("quiet");
    else reject(refusalOf(error) ?? rootOf(error));
  };
  try {
    watch.watch(path, query, hear, done).then((controller) => {
      connected = controller;
      if (ended) controller.abort();
    }, reject);
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function refusalOf(error: unknown): ApiError | undefined {
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === "number" ? new ApiError(statusCode, undefined) : undefined;
}
