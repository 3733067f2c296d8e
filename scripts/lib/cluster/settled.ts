import { setTimeout as delay } from "node:timers/promises";
import type { VerbContext } from "../session.ts";
import type { Cluster } from "./client.ts";
import { idOf, type ObjectRef } from "./objects.ts";
import { whyItStays } from "./readiness.ts";

/** How long something may take to be gone once it is being deleted, in milliseconds: a namespace takes what is in it along. */
const goingMs = 180_000;

/** How long it is waited for without a word, in milliseconds. */
const silentMs = 10_000;

/**
 * Whether an object is there, once a deletion under way has come to its end: in a namespace on its way out nothing can be made. One
 * that a finalizer holds for good counts as being there. Where it takes long, people are told of what it is that they wait.
 */
export async function settledInCluster(
  { out, signal }: Pick<VerbContext, "out" | "signal">,
  cluster: Cluster,
  ref: ObjectRef,
): Promise<boolean> {
  const since = Date.now();
  let told = false;
  for (;;) {
    const object = await cluster.read(ref);
    if (object === undefined) return false;
    const waited = Date.now() - since;
    if (object.metadata?.deletionTimestamp === undefined || waited > goingMs) return true;
    if (!told && waited >= silentMs) {
      const why = whyItStays(object);
      out.warn(
        `${ref.kind} ${idOf(ref)} is being deleted; waiting until it is gone, for three minutes at most.${why === "" ? "" : ` ${why}`}`,
      );
      told = true;
    }
    await delay(250, undefined, { signal });
  }
}
