import { stackFile } from "../../stacks/config.ts";
import { KilnError } from "./errors.ts";
import { OperationRecord } from "./operation.ts";
import { pinKey } from "./pin.ts";
import { type FullRegion, place, recordedLocation } from "./placement.ts";
import type { Session, VerbContext } from "./session.ts";
import { protectedVault } from "./soft-deleted.ts";
import type { HistoryEntry, StackHandle } from "./stack.ts";
import { emptyState, type State } from "./state.ts";
import { purgeOwn, removeAll } from "./teardown.ts";

/**
 * Whether a run has ever brought the environment to its end, and none has taken it down since. (Outputs say nothing: the
 * program tells them before the last resource is made.) Pure.
 * @param history the latest first
 */
export function wasWhole(history: readonly HistoryEntry[]): boolean {
  const last = history.find(
    ({ kind, result }) => result === "succeeded" && (kind === "update" || kind === "destroy"),
  );
  return last?.kind === "update";
}

/** Why an environment must not be taken out of the region it is in; undefined when it may. Pure. */
export function reasonToStay(state: State, history: readonly HistoryEntry[]): string | undefined {
  if (wasWhole(history)) {
    return "The environment was whole there, so it stays: what it holds is not given up for room elsewhere.";
  }
  const vault = protectedVault(state);
  if (vault === undefined) return undefined;
  return `Its vault ${String(vault.inputs?.vaultName)} is protected from purging and would keep its name there, so it stays.`;
}

/** What a region said when it was full, as one of the places that were tried. Pure. */
export function fullRegion(location: string, { code, cause }: Pick<KilnError, "code" | "cause">): FullRegion {
  const said = new RegExp(`Code="${code}" Message="(.*)"`).exec(cause)?.[1];
  return { location, lacks: { code, why: `has no room after all: ${said ?? "it said no more"} (${code})` } };
}

/** Whether what is on record is in another region than the one it is held to, and may be wanted there. Pure. */
export function isElsewhere(
  { config, wantedLocation }: Pick<Session, "config" | "wantedLocation">,
  state: State,
  pinned: string | undefined,
): boolean {
  const recorded = recordedLocation(state);
  if (recorded === undefined || pinned === undefined || recorded === pinned) return false;
  if (wantedLocation !== undefined && wantedLocation !== pinned) return false;
  return config.locations.includes(pinned);
}

/** Has the stack's configuration say where the environment is: whoever runs plain pulumi must not build it anew elsewhere. */
export function holdTo(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  location: string | undefined,
): void {
  const before = handle.pinnedLocation;
  if (before === location) return;
  handle.pin(location);
  if (session.target.ownBackend) return;
  const file = stackFile(session.resolved.environment);
  context.out.say(
    location === undefined
      ? `  ${pinKey} is not needed in ${file} any more, and was taken out: commit that, for whoever runs plain pulumi`
      : `  ${pinKey} in ${file} is ${location} now: commit that, for whoever runs plain pulumi`,
  );
}

/** Goes on where a run was killed while it took an environment out of a region that was full. */
export async function finishLeaving(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
): Promise<void> {
  const pinned = handle.pinnedLocation;
  if (!isElsewhere(session, handle.state, pinned)) return;
  if (reasonToStay(handle.state, await handle.history()) !== undefined) return;
  const recorded = recordedLocation(handle.state);
  context.out.warn(`An earlier run was on its way from ${recorded} to ${pinned}; going on with that.`);
  await takeOut(context, session, handle);
}

/**
 * Takes an environment out of a region that is full: everything that a failed run made there is deleted and purged where it
 * was, and the stack's configuration holds it to the next region before the first thing goes, so that a rerun after a kill
 * goes on from there.
 * @returns the region as one that was tried
 * @throws KilnError the failure itself where the environment has to stay; the failures of all regions when none is left
 */
export async function leaveFullRegion(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  failed: { readonly location: string; readonly failure: KilnError; readonly tried: readonly FullRegion[] },
): Promise<FullRegion> {
  const { location, failure, tried } = failed;
  const stays = reasonToStay(handle.state, await handle.history());
  if (stays !== undefined) throw withReason(failure, stays);
  const full = fullRegion(location, failure);
  const next = await nextRegion(context, session, [...tried, full]);
  const then = next instanceof KilnError ? "there is no other" : `then on to ${next}`;
  const { locations } = session.config;
  holdTo(context, session, handle, next instanceof KilnError || next === locations[0] ? undefined : next);
  context.out.warn(`${location} ${full.lacks.why}. Taking out what was made there; ${then}.`);
  await takeOut(context, session, handle).catch((error: unknown) => {
    if (context.signal.aborted || !(error instanceof KilnError)) throw error;
    throw withReason(
      failure,
      `What was made in ${location} could not be taken out again: ${error.message}. ${error.cause}`,
      error.next,
    );
  });
  if (next instanceof KilnError) throw next;
  return full;
}

async function nextRegion(
  context: VerbContext,
  session: Session,
  full: readonly FullRegion[],
): Promise<string | KilnError> {
  try {
    return await place(context, session, emptyState, { full });
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
}

async function takeOut(context: VerbContext, session: Session, handle: StackHandle): Promise<void> {
  await removeAll(context, session, handle, new OperationRecord(), { forget: false });
  await purgeOwn(context, session);
  await handle.read();
}

function withReason(failure: KilnError, reason: string, next = failure.next): KilnError {
  const { code, codes, message, cause, exitCode } = failure;
  return new KilnError({ code, codes, message, cause: `${reason}\n${cause}`, next }, exitCode);
}
