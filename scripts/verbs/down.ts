import { card } from "../lib/card.ts";
import { type ExitCode, exitCodes, usageError } from "../lib/errors.ts";
import { table } from "../lib/output.ts";
import { regionOf, regionPart } from "../lib/placement.ts";
import { exclusively, openSession, openSessionStack, type VerbContext } from "../lib/session.ts";
import { emptyState } from "../lib/state.ts";
import type { CloudName } from "../lib/target.ts";
import { type Receipt, tearDown } from "../lib/teardown.ts";

/** `kiln down <env>`: removes every trace of an environment and ends with a receipt. */
export async function down(
  context: VerbContext,
  options: { environment: string; cloud: CloudName; yes: boolean },
): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  if (options.cloud === "azure" && !options.yes) {
    throw usageError(
      `taking down ${options.environment} in Azure needs to be said twice`,
      "It deletes the environment for good.",
      "Add --yes.",
    );
  }
  const session = await openSession(context, options.environment, options.cloud);
  out.say(`Taking down ${options.environment} (${options.cloud})`);
  return exclusively(context, session, "down", async () => {
    const handle = await openSessionStack(context, session);
    const region = regionOf(session, handle?.state ?? emptyState);
    const receipt = await tearDown(context, session, handle);
    const result = {
      verb: "down",
      env: options.environment,
      cloud: options.cloud,
      result: "succeeded" as const,
      existed: handle !== undefined,
      ...regionPart(region),
      changes: receipt.record.changes,
      purged: receipt.purged.map(({ kind, name, location }) => ({ kind, name, location })),
      remaining: receipt.remaining,
      durationMs: Date.now() - began,
    };
    out.document(result);
    if (handle === undefined && receipt.purged.length === 0) {
      out.say(`  ${options.environment} does not exist: it was never brought up, or is down already.`);
    }
    out.say(card(result));
    out.say(receiptText(receipt));
    return exitCodes.done;
  });
}

function receiptText({ purged, remaining }: Receipt): string {
  const rows = [
    ...purged.map(({ kind, name, location }) => [`purged ${kind}`, `${name} (${location})`]),
    ...remaining.map(({ what, name, why, until }) => [
      `remains: ${what}`,
      `${name}: ${why}${until === undefined ? "" : ` (until ${until})`}`,
    ]),
  ];
  if (remaining.length === 0)
    rows.push(["remains", "nothing: no live resource, no held name, quota returned"]);
  return table(rows);
}
