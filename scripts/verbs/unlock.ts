import { canAsk, confirmed } from "../lib/confirm.ts";
import { type ExitCode, exitCodes, KilnError, usageError } from "../lib/errors.ts";
import { exclusively, openSession, sessionStack, type VerbContext } from "../lib/session.ts";
import { type OwnerState, ownerOf, ownerText, type StateLock, thisMachine } from "../lib/state-locks.ts";
import type { CloudName } from "../lib/target.ts";

/** A lock, with what has become of its owner. */
type Held = StateLock & { readonly owner: OwnerState };

const words: Readonly<Record<OwnerState, string>> = {
  gone: "which is gone",
  alive: "which is at work",
  orphan: "an engine that still writes down what a killed run made",
  elsewhere: "of which this machine knows nothing",
};

/**
 * `kiln unlock <env>`: lets go of a lock in the state's backend whose owner nobody can ask any more. (Locks of this machine need
 * no help: the next run takes over what a dead one left.) Never one whose owner is at work here.
 */
export async function unlock(
  context: VerbContext,
  options: { environment: string; cloud: CloudName; yes: boolean },
): Promise<ExitCode> {
  const { environment, cloud } = options;
  const { out } = context;
  const session = await openSession(context, environment, cloud, { cluster: false });
  return exclusively(context, session, "unlock", async () => {
    const handle = sessionStack(context, session);
    const held = (await handle.locks()).map((lock) => ({ ...lock, owner: ownerOf(lock, thisMachine) }));
    for (const lock of held) out.say(`  locked by ${ownerText(lock)}, ${words[lock.owner]}`);
    refuseLiving(environment, held);
    if (held.length > 0) {
      if (!options.yes && !canAsk(out)) throw nobodyToAsk(environment, held);
      if (!options.yes && !(await confirmed(`Let go of ${environment}, whoever held it?`))) {
        out.say("Nothing was changed.");
        return exitCodes.done;
      }
      await (await handle.stack()).cancel();
    }
    out.document({ verb: "unlock", env: environment, cloud, result: "succeeded", released: held });
    out.say(
      held.length === 0
        ? `${environment} is not locked.`
        : `${environment} is free again. What its last run left undone \`kiln up\` or \`kiln down\` heals.`,
    );
    return exitCodes.done;
  });
}

/** @throws KilnError `Locked`, exit code 4, when an owner is at work on this machine */
function refuseLiving(environment: string, held: readonly Held[]): void {
  const living = held.filter(({ owner }) => owner === "alive" || owner === "orphan");
  if (living.length === 0) return;
  throw new KilnError(
    {
      code: "Locked",
      message: `${environment} is locked by someone who is at work`,
      cause: living.map((lock) => `${ownerText(lock)}, ${words[lock.owner]}`).join("\n"),
      next: "Wait until it is done, or end that process; its lock is taken over by the next run then.",
    },
    exitCodes.locked,
  );
}

function nobodyToAsk(environment: string, held: readonly Held[]): KilnError {
  return usageError(
    `nobody can be asked whether to let go of ${environment}`,
    `There is no terminal, or --json is given. It is locked by ${held.map(ownerText).join("; ")}.`,
    "Make sure that nobody works on it any more, then add --yes.",
  );
}
