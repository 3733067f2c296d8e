import type { Cloud } from "../core/cloud.ts";

type Listener = (siteId: string) => void;

const listeners = new WeakMap<Cloud, Set<Listener>>();

/**
 * Calls `listener` with the ARM id of every site whose settings, references, code, state or existence may have changed.
 * What changed is read from the cloud, not from the signal, so that a change that was rolled back does no harm.
 * @returns how to stop listening
 */
export function onSiteChanged(cloud: Cloud, listener: Listener): () => void {
  const set = listeners.get(cloud) ?? new Set();
  listeners.set(cloud, set);
  set.add(listener);
  return () => set.delete(listener);
}

export function siteChanged(cloud: Cloud, siteId: string): void {
  for (const listener of listeners.get(cloud) ?? []) listener(siteId);
}
