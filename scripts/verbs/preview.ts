import { card } from "../lib/card.ts";
import { foresee, openForPreview } from "../lib/deploy.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { keepExpiry } from "../lib/expiry.ts";
import { buildIn, place, regionOf, regionPart } from "../lib/placement.ts";
import { openSession, type VerbContext } from "../lib/session.ts";
import type { CloudName } from "../lib/target.ts";

/** `kiln preview <env>`: what `up` would change, judged by the policies. Changes nothing. */
export async function preview(
  context: VerbContext,
  options: { environment: string; cloud: CloudName },
): Promise<ExitCode> {
  const began = Date.now();
  const session = await openSession(context, options.environment, options.cloud);
  const handle = openForPreview(context, session);
  const state = await handle.glance();
  keepExpiry(session, state, undefined);
  const region = await place(context, session, state, {
    pinned: handle.pinnedLocation,
  });
  buildIn(session, region);
  const shown = regionOf(session, state) === undefined ? undefined : region;
  const where = shown === undefined ? "" : ` in ${shown}`;
  context.out.say(`Previewing ${options.environment}${where} (${options.cloud})`);
  const record = await foresee(context, session, handle);
  const result = {
    verb: "preview",
    env: options.environment,
    cloud: options.cloud,
    result: "succeeded" as const,
    ...regionPart(shown),
    changes: record.changes,
    violations: record.violations,
    durationMs: Date.now() - began,
  };
  context.out.document(result);
  context.out.say(card(result));
  return exitCodes.done;
}
