import { setTimeout as delay } from "node:timers/promises";
import { apiVersions } from "./api-versions.ts";
import type { CloudClients } from "./clients.ts";
import { idOf as idInCluster, refOf } from "./cluster/objects.ts";
import { settledInCluster } from "./cluster/settled.ts";
import type { VerbContext } from "./session.ts";
import type { StackHandle } from "./stack.ts";
import { type ExportedState, expectedId, type State, type StateResource } from "./state.ts";

/**
 * Puts the record right after a killed run: waits until the cloud has finished what was begun, takes over what exists,
 * forgets what does not. Does nothing when no operation is pending.
 * @param state the record, with the operations whose end is to be found out
 * @param why said to people
 * @returns whether the record was changed
 */
export async function heal(
  handle: StackHandle,
  state: State,
  subscriptionId: string,
  clients: CloudClients,
  context: Pick<VerbContext, "out" | "signal">,
  why = `An earlier run was killed with ${state.pending.length} operation(s) under way; reading how they ended.`,
): Promise<boolean> {
  if (state.pending.length === 0) return false;
  const live = new Map<string, string>();
  const gone = new Set<string>();
  for (const { resource, type } of state.pending) {
    const ref = refOf(resource);
    if (ref !== undefined) {
      const there = await settledInCluster(context, await clients.cluster(), ref);
      if (type === "creating" && there) live.set(resource.urn, idInCluster(ref));
      // An id in a cluster is that of several things: of a role, and of what binds it.
      if (type === "deleting" && !there) gone.add(resource.urn);
      continue;
    }
    const id = expectedId(resource, subscriptionId);
    if (id === undefined) continue;
    const found = await settled(clients, resource, id);
    if (type === "creating" && found === "exists") live.set(resource.urn, id);
    if (type === "deleting" && found === "gone") gone.add(id);
  }
  await handle.edit((exported) => settlePending(asBegun(exported, state.pending), live, gone));
  context.out.warn(why);
  // What was taken over has no outputs on record yet, and what was being deleted may be gone.
  await handle.run(["refresh", "--yes", "--skip-preview"]);
  await handle.edit((exported) => restoreInputs(exported, state, live));
  return true;
}

/** The record with these operations as begun, too. (The engine's import would leave them out.) Pure. */
export function asBegun(exported: ExportedState, begun: State["pending"]): ExportedState {
  const { deployment } = exported;
  const known = deployment.pending_operations ?? [];
  const more = begun.filter(({ resource }) => !known.some((each) => each.resource.urn === resource.urn));
  return { ...exported, deployment: { ...deployment, pending_operations: [...known, ...more] } };
}

/**
 * The record without pending operations: creates whose resource exists become resources, by their ids. (The engine's own
 * `refresh --import-pending-creates` loses them.) They have no outputs yet, and are marked as not whole until a refresh has
 * read them: should this run be killed before, the next brings them to their end. Deletes whose resource is gone are done,
 * unless something on record stands on it. Pure.
 * @param live ids of what was being created and exists, by URN
 * @param gone ids, or URNs, of what was being deleted and does not exist
 */
export function settlePending(
  exported: ExportedState,
  live: ReadonlyMap<string, string>,
  gone: ReadonlySet<string> = new Set(),
): ExportedState {
  const { deployment } = exported;
  const taken = (deployment.pending_operations ?? []).flatMap(({ resource, type }) => {
    const id = live.get(resource.urn);
    return type === "creating" && id !== undefined
      ? [{ ...resource, custom: true, id, initErrors: [NOT_WHOLE] }]
      : [];
  });
  const all = deployment.resources ?? [];
  const needed = new Set(all.flatMap(({ parent, dependencies }) => [parent, ...listOf(dependencies)]));
  const known = all.filter(
    ({ urn, id = "" }) =>
      !taken.some((each) => each.urn === urn) && (needed.has(urn) || !(gone.has(id) || gone.has(urn))),
  );
  return {
    ...exported,
    deployment: { ...deployment, resources: [...known, ...taken], pending_operations: [] },
  };
}

/**
 * A refresh writes what it read from the cloud as the inputs of what was taken over. What the program asked for is what
 * the next run is to be compared with. Pure.
 */
export function restoreInputs(
  exported: ExportedState,
  before: State,
  taken: ReadonlyMap<string, string>,
): ExportedState {
  const begun = before.pending.filter(({ resource }) => taken.has(resource.urn));
  const asked = new Map(begun.map(({ resource }) => [resource.urn, resource.inputs]));
  const resources = (exported.deployment.resources ?? []).map((each) => {
    const inputs = asked.get(each.urn);
    return inputs === undefined ? each : { ...each, inputs };
  });
  return { ...exported, deployment: { ...exported.deployment, resources } };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Why what was taken over is not whole yet, in the record. */
const NOT_WHOLE = "An earlier run was killed while it made this, and what it came to was not read yet.";

/** Waits while the cloud works on a resource. What ended as failed is removed, since nothing can be built on it. */
async function settled(
  clients: CloudClients,
  resource: StateResource,
  id: string,
): Promise<"exists" | "gone"> {
  const { resources } = await clients.resources();
  const apiVersion = apiVersions[resource.type];
  if (apiVersion === undefined) return "gone";
  for (;;) {
    const state = await provisioningState(resources, id, apiVersion);
    if (state === undefined) return "gone";
    if (/^(failed|canceled)$/i.test(state)) {
      await resources.beginDeleteByIdAndWait(id, apiVersion);
      return "gone";
    }
    if (
      !/^(creating|accepted|updating|deleting|moving|provisioning|inprogress|registeringdns|resolvingdns)$/i.test(
        state,
      )
    ) {
      return "exists";
    }
    await delay(250);
  }
}

/** The state a resource is in (`Succeeded` where it has none); undefined when it does not exist. */
export async function provisioningState(
  resources: { getById: (id: string, apiVersion: string) => Promise<{ properties?: unknown }> },
  id: string,
  apiVersion: string,
): Promise<string | undefined> {
  try {
    const { properties } = await resources.getById(id, apiVersion);
    const state = (properties as { provisioningState?: unknown } | undefined)?.provisioningState;
    return typeof state === "string" ? state : "Succeeded";
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}
