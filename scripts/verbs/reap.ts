import pc from "picocolors";
import { parseEnvironment } from "../../stacks/config.ts";
import { knownEnvironments } from "../lib/environments.ts";
import { type ExitCode, exitCodes, type KilnError, usageError } from "../lib/errors.ts";
import { recordedExpiry } from "../lib/expiry.ts";
import { duration } from "../lib/output.ts";
import {
  environmentIn,
  exclusively,
  type OpenCloud,
  openCloud,
  openSessionStack,
  reachCluster,
  sessionStack,
  type VerbContext,
} from "../lib/session.ts";
import type { CloudName } from "../lib/target.ts";
import { tearDown } from "../lib/teardown.ts";
import { toKilnError } from "../lib/trouble.ts";

interface Reaped {
  readonly env: string;
  readonly expiresOn: string;
  readonly result: "removed" | "failed" | "would be removed";
  /** What could not be removed, with why. */
  readonly remaining?: readonly { readonly what: string; readonly name: string; readonly why: string }[];
  readonly error?: Pick<KilnError, "code" | "message" | "cause" | "next">;
}

/** `kiln reap`: takes down every pull request's environment that has expired, and nothing else. */
export async function reap(
  context: VerbContext,
  options: { cloud: CloudName; yes: boolean; dryRun: boolean },
): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  if (options.cloud === "azure" && !options.yes && !options.dryRun) {
    throw usageError(
      "taking down environments in Azure needs to be said twice",
      "It deletes every expired pr-<number> environment for good.",
      "Add --yes, or --dry-run to see which they are.",
    );
  }
  const open = await openCloud(context, options.cloud);
  const names = (await knownEnvironments(context, open)).filter(
    (each) => parseEnvironment(each)?.kind === "pr",
  );
  const reaped: Reaped[] = [];
  let kept = 0;
  // One after the other: a nightly run is in no hurry, and a cloud throttles those that are.
  for (const name of names) {
    context.signal.throwIfAborted();
    const expiry = await expiryOf(context, open, name);
    if (expiry === undefined || expiry > open.target.now()) kept++;
    else reaped.push(await take(context, open, name, expiry, options.dryRun));
  }
  const failed = reaped.filter(({ result }) => result === "failed");
  out.document({
    verb: "reap",
    cloud: options.cloud,
    result: failed.length === 0 ? "succeeded" : "failed",
    reaped,
    kept,
    ...(failed.length === 0
      ? {}
      : {
          error: {
            code: "ReapIncomplete",
            message: `${failed.length} of ${reaped.length} expired environments could not be taken down`,
            cause: failed.map(({ env, error }) => `${env}: ${error?.message} (${error?.code})`).join("\n"),
            next: "Mend the causes, then run it again; the others are gone.",
          },
        }),
    durationMs: Date.now() - began,
  });
  out.say(
    `${pc.bold("reap")} ${reaped.length} expired, ${kept} kept ${pc.dim(`(${duration(Date.now() - began)})`)}`,
  );
  for (const { env, result, error } of reaped)
    out.say(`  ${env}: ${result}${error === undefined ? "" : `: ${error.message}`}`);
  return failed.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function expiryOf(context: VerbContext, open: OpenCloud, name: string): Promise<Date | undefined> {
  return recordedExpiry(await sessionStack(context, environmentIn(context, open, name)).glance());
}

/** One environment. Whatever goes wrong with it is its own: the next one is taken all the same. */
async function take(
  context: VerbContext,
  open: OpenCloud,
  env: string,
  expiry: Date,
  dryRun: boolean,
): Promise<Reaped> {
  const expiresOn = expiry.toISOString();
  if (dryRun) return { env, expiresOn, result: "would be removed" };
  try {
    const session = await reachCluster(context, environmentIn(context, open, env));
    const { remaining } = await exclusively(context, session, "reap", async () => {
      context.out.say(`Taking down ${env}, which expired on ${expiresOn}`);
      return tearDown(context, session, await openSessionStack(context, session));
    });
    return { env, expiresOn, result: "removed", ...(remaining.length === 0 ? {} : { remaining }) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    const { code, message, cause, next } = toKilnError(error);
    return { env, expiresOn, result: "failed", error: { code, message, cause, next } };
  }
}
