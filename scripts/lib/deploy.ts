import { program } from "../../stacks/program.ts";
import { heal } from "./heal.ts";
import { operate, Record } from "./operation.ts";
import { Progress } from "./progress.ts";
import type { Session, VerbContext } from "./session.ts";
import { openSessionStack } from "./session.ts";
import { findSoftDeleted, planSoftDeleted, purge } from "./soft-deleted.ts";
import type { StackHandle } from "./stack.ts";
import { armIds, type State } from "./state.ts";

export interface Deployed {
  readonly record: Record;
  readonly outputs: { readonly [name: string]: unknown };
}

/** Opens the environment's stack with Kiln's program, made when there is none, and what is on record about it. */
export async function openForChange(context: VerbContext, session: Session): Promise<StackHandle> {
  const handle = await openSessionStack(context, session, { create: true, program });
  if (handle === undefined) throw new Error("a stack that was to be made is not there");
  return handle;
}

/** Brings the environment up: heals what a killed run left, clears the names, runs the program under the policies. */
export async function deploy(context: VerbContext, session: Session, handle: StackHandle): Promise<Deployed> {
  const { resolved, clients, paths } = session;
  const record = new Record();
  const progress = new Progress(context.out, { preview: false, stdout: context.stdout });
  try {
    return await operate(handle, resolved.environment, context.out, record, async () => {
      if (await heal(handle, handle.state, resolved.subscriptionId, clients, context.out))
        await handle.reload();
      await clearNames(context, session, handle.state);
      const { outputs } = await handle.stack.up({
        ...handle.options,
        policyPacks: [paths.policies],
        color: "never",
        suppressProgress: true,
        userAgent: "kiln",
        signal: context.signal,
        onEvent: (event) => {
          record.handle(event);
          progress.handle(event);
        },
      });
      return {
        record,
        outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
      };
    });
  } finally {
    progress.stop();
  }
}

/** What bringing it up would change, judged by the policies. */
export async function foresee(context: VerbContext, session: Session, handle: StackHandle): Promise<Record> {
  const record = new Record();
  const progress = new Progress(context.out, { preview: true, stdout: context.stdout });
  try {
    await operate(handle, session.resolved.environment, context.out, record, () =>
      handle.stack.preview({
        ...handle.options,
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
