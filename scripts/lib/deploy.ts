import { setTimeout as delay } from "node:timers/promises";
import type { PreviewOptions, UpOptions } from "@pulumi/pulumi/automation/index.js";
import { wantsStackTraces } from "../../stacks/config.ts";
import { isRegionFull, passesByItself } from "./cloud-errors.ts";
import { refuseOtherCluster } from "./cluster/other-cluster.ts";
import { KilnError } from "./errors.ts";
import { finishLeaving, holdTo, leaveFullRegion } from "./fallback.ts";
import { forgetGone, lookForGone } from "./gone.ts";
import { keepHalfMade } from "./half-made.ts";
import { heal } from "./heal.ts";
import { OperationRecord, operate } from "./operation.ts";
import { buildIn, type FullRegion, type PlaceOptions, place } from "./placement.ts";
import { Progress } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import { sessionStack } from "./session.ts";
import { findSoftDeleted, planSoftDeleted, purge } from "./soft-deleted.ts";
import { isNoStack, type StackHandle } from "./stack.ts";
import { armIds, type State } from "./state.ts";
import { toKilnError } from "./trouble.ts";
import { partsToCome, type Upcoming } from "./upcoming.ts";

export interface Deployed {
  readonly record: OperationRecord;
  /** Regions that it was taken out of on the way, since they were full. */
  readonly left: readonly FullRegion[];
  readonly outputs: { readonly [name: string]: unknown };
}

/** Kiln's program. It is loaded while the engine starts, after the Automation API, which decides how the SDK is loaded. */
const load = () => import("../../stacks/program.ts");
const program = { load, run: async () => (await load()).program() };

/** Opens the environment's stack with Kiln's program, made when there is none, and what is on record about it. */
export async function openForChange(context: VerbContext, session: Session): Promise<StackHandle> {
  const handle = sessionStack(context, session, program);
  // The Automation API is loaded while the engine reads the record, or makes a new one.
  const ready = async () => {
    if (await handle.read()) return;
    // What an earlier stack of that name was held to does not bind a new one.
    handle.pin(undefined);
    await handle.create();
  };
  await Promise.all([ready(), handle.stack()]);
  return handle;
}

/** Opens the environment's stack with Kiln's program, and leaves the record to the engine. */
export function openForPreview(context: VerbContext, session: Session): StackHandle {
  return sessionStack(context, session, program);
}

/** How often a run is repeated after a failure that passes by itself, and how long it waits before, in milliseconds. */
const retries = { most: 4, waitMs: 5_000 };

/** Brings the environment up: heals what a killed run left, clears the names, runs the program under the policies. */
export async function deploy(context: VerbContext, session: Session, handle: StackHandle): Promise<Deployed> {
  const left: FullRegion[] = [];
  for (let attempt = 1; ; attempt++) {
    const record = new OperationRecord();
    await finishLeaving(context, session, handle);
    try {
      return { ...(await build(context, session, handle, record, left)), left };
    } catch (error) {
      if (!(error instanceof KilnError)) throw error;
      if (record.failedCreates.length > 0) {
        await keepHalfMade(handle, record, session.resolved.subscriptionId, session.clients, context).catch(
          (reason: unknown) => {
            const { message } = toKilnError(reason);
            context.out.warn(`Whether what failed was made all the same could not be told: ${message}.`);
          },
        );
      }
      if (passesByItself(error.code) && attempt <= retries.most) {
        context.out.warn(`${error.message} (${error.code}). That passes by itself; going on in a moment.`);
        // Runs that a cloud throttled together must not come back together.
        await delay(retries.waitMs * (1 + Math.random()), undefined, { signal: context.signal });
        await handle.read();
        continue;
      }
      // Without a region nothing was built yet.
      if (record.region === undefined || !isRegionFull(error)) throw error;
      await handle.read();
      const failed = { location: record.region, failure: error, tried: left };
      left.push(await leaveFullRegion(context, session, handle, failed));
      attempt = 0;
    }
  }
}

/** One try: heals, forgets what is gone, clears the names, finds the region, and runs the program there. */
function build(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  record: OperationRecord,
  full: readonly FullRegion[],
): Promise<Omit<Deployed, "left">> {
  const { resolved, clients, config } = session;
  return operate(handle, resolved.environment, context, record, async () => {
    await refuseOtherCluster(session, handle.state);
    if (await heal(handle, handle.state, resolved.subscriptionId, clients, context)) await handle.read();
    else await forgetGone(context, handle, await lookForGone(context, session, handle.state));
    const only = await clearNames(context, session, handle.state);
    const region = await place(context, session, handle.state, {
      pinned: handle.pinnedLocation,
      full,
      only,
    });
    buildIn(session, region);
    holdTo(context, session, handle, region === config.locations[0] ? undefined : region);
    record.region = region;
    return { record, outputs: await runUp(context, session, handle, record) };
  });
}

async function runUp(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  record: OperationRecord,
): Promise<Deployed["outputs"]> {
  const upcoming = partsToCome(handle.state);
  await watched(context, session, record, { preview: false, upcoming }, async (options) =>
    (await handle.stack()).up(options),
  );
  return record.outputs;
}

/** What bringing it up would change, judged by the policies. */
export async function foresee(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
): Promise<OperationRecord> {
  const record = new OperationRecord({ foreseen: true });
  await operate(handle, session.resolved.environment, context, record, () =>
    watched(context, session, record, { preview: true }, async (options) => {
      const stack = await handle.stack();
      try {
        await stack.preview(options);
      } catch (error) {
        if (!isNoStack(error)) throw error;
        await handle.create();
        await stack.preview(options);
      }
    }),
  );
  return record;
}

/** Runs the program under the policies, and shows and records what the engine says of it. */
async function watched(
  context: VerbContext,
  session: Session,
  record: OperationRecord,
  shown: { readonly preview: boolean; readonly upcoming?: Upcoming },
  work: (options: UpOptions & PreviewOptions) => Promise<unknown>,
): Promise<void> {
  const progress = await Progress.start(context.out, { ...shown, stdout: context.stdout });
  const { stackTraceLimit } = Error;
  // As in stacks/index.ts: the SDK would capture a stack trace for each promise.
  if (!wantsStackTraces(context.env)) Error.stackTraceLimit = 0;
  try {
    await work({
      policyPacks: [session.paths.policies],
      color: "never",
      suppressProgress: true,
      userAgent: "kiln",
      signal: context.signal,
      onEvent: (event) => {
        record.handle(event);
        progress.handle(event);
      },
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    progress.stop();
  }
}

/**
 * Purges our soft-deleted namesakes, or has the program recover the vault that nobody may purge.
 * @returns the only region where the environment can be, when such a vault is there
 */
async function clearNames(
  context: VerbContext,
  session: Session,
  state: State,
): Promise<PlaceOptions["only"]> {
  const { resolved, clients, owner, config } = session;
  if (!config.foundry.enabled) return undefined;
  const live = armIds(state);
  const { openaiAccount, vault } = resolved.ids;
  if (live.has(openaiAccount.toLowerCase()) && live.has(vault.toLowerCase())) return undefined;
  let only: PlaceOptions["only"];
  for (const step of planSoftDeleted(await findSoftDeleted(clients, owner), owner, "before-up")) {
    const { kind, name, location } = step.what;
    if (step.do === "purge") {
      context.out.say(`  purging the deleted ${kind} ${name} (${location}), whose name is needed`);
      await purge(clients, step.what);
    } else if (step.do === "recover") {
      context.out.say(`  recovering the deleted ${kind} ${name} (${location}), which purge protection kept`);
      process.env.KILN_VAULT_CREATE_MODE = "recover";
      const why = `Its deleted ${kind} ${name} is protected from purging, and can be recovered only where it was.`;
      only = { location, why };
    } else {
      throw new KilnError({
        code: "NameTaken",
        message: `the name ${name} is held by a deleted ${kind} that is not this environment's`,
        cause: `It is in ${location}, in the resource group ${step.what.resourceGroup}, and ${step.why}.`,
        next: "Have its owner purge or recover it, or change kiln:workload, which all names are made of. Nothing was made.",
      });
    }
  }
  return only;
}
