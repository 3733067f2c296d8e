import pc from "picocolors";
import { type ExitCode, exitCodes, KilnError, usageError } from "../lib/errors.ts";
import { clockUntil } from "../lib/keys/patience.ts";
import { duration } from "../lib/output.ts";
import { recordedLocation } from "../lib/placement.ts";
import { azureRotationPorts, keyPlace } from "../lib/rotation/azure.ts";
import { runName } from "../lib/rotation/journal.ts";
import { rotate } from "../lib/rotation/rotate.ts";
import type { RotationResult } from "../lib/rotation/types.ts";
import { exclusively, openSession, openSessionStack, type VerbContext } from "../lib/session.ts";
import type { CloudName } from "../lib/target.ts";

export interface RotateKeyOptions {
  readonly environment: string;
  readonly cloud: CloudName;
  readonly yes: boolean;
  readonly restart: boolean;
  readonly revokeOld: boolean;
  readonly adopt: boolean;
  readonly maxAgeMs: number | undefined;
  readonly timeoutMs: number;
  readonly drainMs: number;
}

/** `kiln rotate-key <env>`: a new key for every consumer, while nothing fails. */
export async function rotateKey(context: VerbContext, options: RotateKeyOptions): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  const { environment, cloud } = options;
  if (options.adopt && options.revokeOld) {
    throw usageError(
      "--adopt and --revoke-old exclude each other",
      "A secret is mended first; a rotation, which leaves an old key, comes after it.",
      "Run it with --adopt, then again with --revoke-old.",
    );
  }
  // Keys, vault and consumers are Azure's; what uses the key in a cluster follows by itself.
  const session = await openSession(context, environment, cloud, { cluster: false });
  return exclusively(context, session, "rotate-key", async () => {
    const handle = await openSessionStack(context, session);
    const place = handle === undefined ? undefined : keyPlace(handle.state, session.resolved.functionApp);
    if (place === undefined && !session.config.foundry.enabled) {
      throw new KilnError({
        code: "NoKey",
        message: `${environment} has no key`,
        cause:
          "Its configuration has no foundry (kiln:foundry.enabled is false), and only the foundry has a key to rotate.",
        next: "Nothing needs to be done. Data connections take a new value from the vault by themselves.",
      });
    }
    if (handle === undefined || place === undefined) {
      throw new KilnError({
        code: "NotUp",
        message: `${environment} is not up`,
        cause: "There is no key on record that could be rotated.",
        next: `Bring it up first: \`kiln up ${environment}\`.`,
      });
    }
    handle.refuseLocked();
    out.say(`Rotating the key of ${environment} (${cloud})`);
    // What is still under way when it fails ends with it.
    const over = new AbortController();
    const signal = AbortSignal.any([context.signal, over.signal]);
    const late = AbortSignal.timeout(options.timeoutMs);
    const ports = await azureRotationPorts(session.target, place, AbortSignal.any([signal, late]));
    const rotation = rotate(ports, {
      ...options,
      vault: place.vault,
      secret: place.secret,
      tags: session.resolved.tags,
      lifetimeDays: session.config.foundry.secretLifetimeDays,
      keepVersions: session.config.foundry.secretVersions,
      by: runName(),
      now: session.target.now,
      clock: clockUntil(signal),
      signal,
      late,
      tell: (message) => out.say(pc.dim(`    ${message}`)),
      onPhase: (phase, detail) => out.say(`  ${pc.cyan(phase)}${detail === "" ? "" : ` ${detail}`}`),
    });
    const result = await rotation.finally(() => over.abort());
    const durationMs = Date.now() - began;
    out.document({
      verb: "rotate-key",
      env: environment,
      cloud,
      result: "succeeded",
      region: recordedLocation(handle.state) ?? session.resolved.location,
      ...result,
      durationMs,
    });
    out.say(summary(result, durationMs));
    return exitCodes.done;
  });
}

function summary(result: RotationResult, durationMs: number): string {
  const { slot, from, version, consumers } = result;
  if (result.outcome === "young") {
    return `${pc.green("✓")} nothing to do: the key (${slot}) is ${duration(result.ageMs ?? 0)} old`;
  }
  const what =
    result.outcome === "adopted" ? `the secret holds the key of ${slot} again` : `rotated ${from} → ${slot}`;
  const rows = consumers.map(
    ({ app, settings, proof }) => `  ${app} ${settings.join(", ")} ${pc.dim(`(${proof})`)}`,
  );
  const revoked = result.revoked ? `\n  the key of ${from} was revoked` : "";
  return (
    [`${pc.green("✓")} ${what} ${pc.dim(`(version ${version}, ${duration(durationMs)})`)}`, ...rows].join(
      "\n",
    ) + revoked
  );
}
