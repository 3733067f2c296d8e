import { card } from "../lib/card.ts";
import { canAsk, confirmed } from "../lib/confirm.ts";
import { deploy, foresee, openForChange } from "../lib/deploy.ts";
import { type ExitCode, exitCodes, usageError } from "../lib/errors.ts";
import { keepExpiry, requireEphemeral } from "../lib/expiry.ts";
import { buildIn, place, regionOf, regionPart } from "../lib/placement.ts";
import { exclusively, openSession, type Session, type VerbContext } from "../lib/session.ts";
import type { CloudName } from "../lib/target.ts";

/** `kiln up <env>`: brings an environment up, or up to date. */
export async function up(
  context: VerbContext,
  options: { environment: string; cloud: CloudName; yes: boolean; ttlMs?: number | undefined },
): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  if (options.cloud === "azure" && !options.yes && !canAsk(out)) {
    throw usageError(
      "nobody can be asked whether to go on",
      "There is no terminal, or --json is given.",
      "Add --yes.",
    );
  }
  requireEphemeral(options.environment, options.ttlMs);
  const session = await openSession(context, options.environment, options.cloud);
  out.say(`Bringing up ${options.environment} (${options.cloud})`);
  return exclusively(context, session, "up", async () => {
    const handle = await openForChange(context, session);
    keepExpiry(session, handle.state, options.ttlMs);
    if (options.cloud === "azure" && !options.yes) {
      buildIn(session, await place(context, session, handle.state, { pinned: handle.pinnedLocation }));
      await foresee(context, session, handle);
      if (!(await confirmed(`Bring up ${options.environment} in ${whereText(session)}?`))) {
        out.say("Nothing was changed.");
        return exitCodes.done;
      }
    }
    const { record, outputs, left } = await deploy(context, session, handle);
    const result = {
      verb: "up",
      env: options.environment,
      cloud: options.cloud,
      result: "succeeded" as const,
      ...regionPart(regionOf(session, handle.state), outputs.location),
      // Regions that were full when it was to be built there, in the order in which they were tried.
      ...(left.length === 0
        ? {}
        : { fullRegions: left.map(({ location, lacks }) => ({ region: location, ...lacks })) }),
      changes: record.changes,
      outputs,
      violations: record.violations,
      durationMs: Date.now() - began,
    };
    out.document(result);
    out.say(card(result));
    return exitCodes.done;
  });
}

/** Where it is brought up, for whoever is asked. */
function whereText({ config, target }: Session): string {
  const { foundry, serving } = config;
  return [
    ...(foundry.enabled || !serving.enabled ? [`subscription ${target.subscriptionId}`] : []),
    ...(serving.enabled
      ? [`the cluster of the context ${target.cluster?.context ?? "that is current"}`]
      : []),
  ].join(" and ");
}
