import { setTimeout as delay } from "node:timers/promises";
import type { KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { type ClusterObject, keyOf, type ObjectRef } from "./objects.ts";

/** How a cluster is reached. */
export interface ClusterAccess {
  /** What KUBECONFIG holds: one file, or several as the system separates paths. */
  readonly kubeconfig: string;
  /** Context of it; undefined for its current one. */
  readonly context: string | undefined;
}

/** What Kiln asks a cluster for. */
export interface Cluster {
  /** One object; undefined when it is not there. */
  read(ref: ObjectRef): Promise<ClusterObject | undefined>;
  /** The objects as they are now, by {@link keyOf}; what is not there is left out. */
  find(
    refs: readonly ObjectRef[],
    labels: Readonly<Record<string, string>>,
  ): Promise<Map<string, ClusterObject>>;
  /** The namespaces with these labels. */
  namespaces(labels: Readonly<Record<string, string>>): Promise<ClusterObject[]>;
  /** Has an object deleted, with what belongs to it. */
  remove(ref: ObjectRef): Promise<void>;
}

/** A cluster by the official client, which is loaded when it is first asked for: that takes a third of a second. */
export async function openCluster(access: ClusterAccess): Promise<Cluster> {
  const [{ KubernetesObjectApi: Api }, config] = await Promise.all([
    import("@kubernetes/client-node/dist/object.js"),
    loadConfig(access),
  ]);
  return clusterOf(Api.makeApiClient(config));
}

/** The kubeconfig with its context chosen; the files of several are merged as kubectl does it. */
export async function loadConfig({ kubeconfig, context }: ClusterAccess): Promise<KubeConfig> {
  const [{ KubeConfig: Config }, { delimiter }] = await Promise.all([
    import("@kubernetes/client-node/dist/config.js"),
    import("node:path"),
  ]);
  const config = new Config();
  const [first = "", ...more] = kubeconfig.split(delimiter).filter((each) => each !== "");
  config.loadFromFile(first);
  for (const file of more) {
    const other = new Config();
    other.loadFromFile(file);
    config.mergeConfig(other, true);
  }
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

/** How many single objects are asked for at once. */
const atOnce = 10;

function clusterOf(api: KubernetesObjectApi): Cluster {
  const list = async (apiVersion: string, kind: string, selector: string): Promise<ClusterObject[]> => {
    const all: ClusterObject[] = [];
    let next: string | undefined;
    do {
      const from = next;
      const page = await patiently(() =>
        api.list(
          apiVersion,
          kind,
          undefined,
          undefined,
          undefined,
          undefined,
          undefined,
          selector,
          500,
          from,
        ),
      );
      // A list does not repeat of each of its objects what it is.
      all.push(...(page.items as ClusterObject[]).map((each) => ({ ...each, apiVersion, kind })));
      next = page.metadata?._continue || undefined;
    } while (next !== undefined);
    return all;
  };
  const read = async ({
    apiVersion,
    kind,
    name,
    namespace,
  }: ObjectRef): Promise<ClusterObject | undefined> => {
    try {
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
      return (await patiently(() => api.read({ apiVersion, kind, metadata }))) as ClusterObject;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
  return {
    read,
    find: async (refs, labels) => {
      const found = new Map<string, ClusterObject>();
      const kinds = Map.groupBy(refs, ({ apiVersion, kind }) => `${apiVersion}|${kind}`);
      await Promise.all(
        [...kinds.values()].map(async ([first]) => {
          if (first === undefined) return;
          const { apiVersion, kind } = first;
          const listed = await list(apiVersion, kind, selectorOf(labels)).catch((error: unknown) => {
            // Who may only look into single namespaces asks for each object by itself, below.
            if (isAbsent(error) || statusOf(error) === 403) return [];
            throw error;
          });
          for (const each of listed) {
            const { name = "", namespace } = each.metadata ?? {};
            found.set(keyOf({ apiVersion, kind, name, namespace }), each);
          }
        }),
      );
      const unlisted = refs.filter((ref) => !found.has(keyOf(ref)));
      for (let at = 0; at < unlisted.length; at += atOnce) {
        await Promise.all(
          unlisted.slice(at, at + atOnce).map(async (ref) => {
            const object = await read(ref);
            if (object !== undefined) found.set(keyOf(ref), object);
          }),
        );
      }
      return found;
    },
    namespaces: (labels) => list("v1", "Namespace", selectorOf(labels)),
    remove: async ({ apiVersion, kind, name, namespace }) => {
      try {
        const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
        await api.delete(
          { apiVersion, kind, metadata },
          undefined,
          undefined,
          undefined,
          undefined,
          "Foreground",
        );
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    },
  };
}

/** A server that has just started, or has much to do, asks for patience: how often it gets it, and how long, in milliseconds. */
const patience = { most: 30, waitMs: 500 };

/** Tries again what the server puts off, and tells what it refuses in the server's own words. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const status = statusOf(error);
      if ((status !== 429 && status !== 503) || attempt > patience.most) throw inItsWords(error);
    }
    await delay(patience.waitMs);
  }
}

/** The client's error shows the whole answer, headers and all; what the server says stands in its body. */
function inItsWords(error: unknown): unknown {
  const { body } = error as { body?: unknown };
  try {
    const { message } = JSON.parse(String(body)) as { message?: unknown };
    return typeof message === "string" ? Object.assign(new Error(message), { code: statusOf(error) }) : error;
  } catch {
    return error;
  }
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

/** The HTTP status of a refusal by the API server. */
export function statusOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : undefined;
}

/** Whether it is not there, or its kind is not even known to the cluster. */
function isAbsent(error: unknown): boolean {
  return (
    statusOf(error) === 404 ||
    (error instanceof Error && /Unrecognized API version and kind/.test(error.message))
  );
}
