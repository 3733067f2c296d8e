import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "./client.ts";
import type { ObjectRef } from "./objects.ts";

/** How long something may take to be gone once it is being deleted, in milliseconds: a namespace takes what is in it along. */
const goingMs = 180_000;

/**
 * Whether an object is there, once a deletion under way has come to its end: in a namespace on its way out nothing can be made. One
 * that a finalizer holds for good counts as being there.
 */
export async function settledInCluster(cluster: Cluster, ref: ObjectRef): Promise<boolean> {
  const until = Date.now() + goingMs;
  for (;;) {
    const object = await cluster.read(ref);
    if (object === undefined) return false;
    if (object.metadata?.deletionTimestamp === undefined || Date.now() > until) return true;
    await delay(250);
  }
}
