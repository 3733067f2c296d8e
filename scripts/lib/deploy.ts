import { setTimeout as delay } from "node:timers/promises";
import type { PreviewOptions, UpOptions } from "@pulumi/pulumi/automation/index.js";
import { wantsStackTraces } from "../../stacks/config.ts";
import { passesByItself } from "./cloud-errors.ts";
import { KilnError } from "./errors.ts";
import { heal } from "./heal.ts";
import { OperationRecord, operate } from "./operation.ts";
import { buildIn, place } from "./placement.ts";
import { Progress } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import { sessionStack } from "./session.ts";
import { findSoftDeleted, planSoftDeleted, purge } from "./soft-deleted.ts";
import { isNoStack, type StackHandle } from "./stack.ts";
import { armIds, type State } from "./state.ts";
import { partsToCome, type Upcoming } from "./upcoming.ts";

export interface Deployed {
  readonly record: OperationRecord;
  readonly outputs: { readonly [name: string]: unknown };
}

/** Kiln's program. It is loaded while the engine starts, after the Automation API, which decides how the SDK is loaded. */
const load = () => import("../../stacks/program.ts");
const program = { load, run: async () => (await load()).program() };

/** Opens the environment's stack with Kiln's program, made when there is none, and what is on record about it. */
export async function openForChange(context: VerbContext, session: Session): Promise<StackHandle> {
  const handle = sessionStack(context, session, program);
  // The Automation API is loaded while the engine reads the record.
  const [there] = await Promise.all([handle.read(), handle.stack()]);
  if (!there) await handle.create();
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
  const { resolved, clients } = session;
  for (let attempt = 1; ; attempt++) {
    const record = new OperationRecord();
    try {
      return await operate(handle, resolved.environment, context.out, record, async () => {
        if (await heal(handle, handle.state, resolved.subscriptionId, clients, context.out))
          await handle.read();
        await clearNames(context, session, handle.state);
        buildIn(session, await place(context, session, handle.state));
        return { record, outputs: await runUp(context, session, handle, record) };
      });
    } catch (error) {
      if (!(error instanceof KilnError) || !passesByItself(error.code) || attempt > retries.most) throw error;
      context.out.warn(`${error.message} (${error.code}). That passes by itself; going on in a moment.`);
      await delay(retries.waitMs, undefined, { signal: context.signal });
      await handle.read();
    }
  }
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
  const record = new OperationRecord();
  await operate(handle, session.resolved.environment, context.out, record, () =>
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

/** Purges our soft-deleted namesakes, or has the program recover the vault that nobody may purge. */
async function clearNames(context: VerbContext, session: Session, state: State): Promise<void> {
  const { resolved, clients, owner } = session;
  const live = armIds(state);
  const { openaiAccount, vault } = resolved.ids;
  if (live.has(openaiAccount.toLowerCase()) && live.has(vault.toLowerCase())) return;
  for (const step of planSoftDeleted(await findSoftDeleted(clients, owner), owner, "before-up")) {
    const { kind, name, location } = step.what;
    if (step.do === "purge") {
      context.out.say(`  purging the deleted ${kind} ${name} (${location}), whose name is needed`);
      await purge(clients, step.what);
    } else if (step.do === "recover") {
      context.out.say(`  recovering the deleted ${kind} ${name} (${location}), which purge protection kept`);
      process.env.KILN_VAULT_CREATE_MODE = "recover";
    } else {
      throw new KilnError({
        code: "NameTaken",
        message: `the name ${name} is held by a deleted ${kind} that is not this environment's`,
        cause: `It is in ${location}, in the resource group ${step.what.resourceGroup}, and ${step.why}.`,
        next: "Have its owner purge or recover it, or change kiln:workload, which all names are made of. Nothing was made.",
      });
    }
  }
}
