import { setTimeout as delay } from "node:timers/promises";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import { passesByItself } from "./cloud-errors.ts";
import { KilnError } from "./errors.ts";
import { heal } from "./heal.ts";
import { OperationRecord, operate } from "./operation.ts";
import { Progress } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import { openSessionStack } from "./session.ts";
import { findSoftDeleted, planSoftDeleted, purge } from "./soft-deleted.ts";
import type { StackHandle } from "./stack.ts";
import { armIds, type State } from "./state.ts";

export interface Deployed {
  readonly record: OperationRecord;
  readonly outputs: { readonly [name: string]: unknown };
}

/** Kiln's program. It is loaded while the engine starts, after the Automation API, which decides how the SDK is loaded. */
const program: PulumiFn = async () => (await import("../../stacks/program.ts")).program();

/** Opens the environment's stack with Kiln's program, made when there is none, and what is on record about it. */
export async function openForChange(context: VerbContext, session: Session): Promise<StackHandle> {
  const handle = await openSessionStack(context, session, { create: true, program });
  if (handle === undefined) throw new Error("a stack that was to be made is not there");
  return handle;
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
          await handle.reload();
        await clearNames(context, session, handle.state);
        return { record, outputs: await runUp(context, session, handle, record) };
      });
    } catch (error) {
      if (!(error instanceof KilnError) || !passesByItself(error.code) || attempt > retries.most) throw error;
      context.out.warn(`${error.message} (${error.code}). That passes by itself; going on in a moment.`);
      await delay(retries.waitMs, undefined, { signal: context.signal });
      await handle.reload();
    }
  }
}

async function runUp(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
  record: OperationRecord,
): Promise<Deployed["outputs"]> {
  const progress = new Progress(context.out, { preview: false, stdout: context.stdout });
  try {
    const { outputs } = await handle.stack.up({
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
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
  } finally {
    progress.stop();
  }
}

/** What bringing it up would change, judged by the policies. */
export async function foresee(
  context: VerbContext,
  session: Session,
  handle: StackHandle,
): Promise<OperationRecord> {
  const record = new OperationRecord();
  const progress = new Progress(context.out, { preview: true, stdout: context.stdout });
  try {
    await operate(handle, session.resolved.environment, context.out, record, () =>
      handle.stack.preview({
        policyPacks: [session.paths.policies],
        color: "never",
        suppressProgress: true,
        userAgent: "kiln",
        signal: context.signal,
        onEvent: (event) => {
          record.handle(event);
          progress.handle(event);
        },
      }),
    );
    return record;
  } finally {
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
      context.out.warn(`The deleted ${kind} ${name} (${location}) is left alone: ${step.why}.`);
    }
  }
}
