import { createHash } from "node:crypto";
import type { Condition, Secret } from "../runtime/objects.ts";
import { hashOf } from "./template.ts";
import { type ExternalSecret, type ExternalSecretStatus, marks } from "./types.ts";

/** Longest time a timer can wait, in milliseconds. */
const longestMs = 24 * 60 * 60 * 1000;

/** Milliseconds of a Go duration such as `1h30m`; undefined for none, NaN for what is no duration. Pure. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "0") return 0;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.map(([all]) => all).join("") !== text) return Number.NaN;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
}

/** What of the object a synchronization covers: its generation, labels and annotations. Pure. */
export function versionOf({ metadata }: ExternalSecret): string {
  const sorted = (strings: Readonly<Record<string, string>> = {}) => Object.entries(strings).sort();
  const hash = createHash("sha224")
    .update(JSON.stringify([sorted(metadata.labels), sorted(metadata.annotations)]))
    .digest("hex");
  return `${metadata.generation ?? 0}-${hash.slice(0, 32)}`;
}

/**
 * How long, in milliseconds, until the vault is read again: now (0) when the object changed, was never synchronized, or its
 * Secret is gone or not what was written; never (undefined) with an interval of 0. Intervals pass in real time: what the
 * sandbox's clock is told does not reach the cluster, whose own clock is the machine's. Pure.
 */
export function dueInMs(
  external: ExternalSecret,
  target: Secret | undefined,
  now: number,
): number | undefined {
  const { status, spec } = external;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (status?.refreshTime === undefined || ready?.status !== "True") return 0;
  const created = spec.refreshPolicy === "CreatedOnce" && ready.reason === "SecretSynced";
  if (!created && status.syncedResourceVersion !== versionOf(external)) return 0;
  const policy = spec.target?.creationPolicy ?? "Owner";
  const expected = ready.reason !== "SecretDeleted" && policy !== "None" && policy !== "Merge";
  if (expected && !isIntact(target)) return 0;
  const interval = durationMs(spec.refreshInterval ?? "1h");
  if (interval === undefined || Number.isNaN(interval) || interval <= 0) return undefined;
  if (spec.refreshPolicy !== undefined && spec.refreshPolicy !== "Periodic") return undefined;
  return Math.min(longestMs, Math.max(0, Date.parse(status.refreshTime) + interval - now));
}

function isIntact(target: Secret | undefined): boolean {
  return target !== undefined && target.metadata.annotations?.[marks.dataHash] === hashOf(target.data ?? {});
}

export type Outcome =
  | { readonly done: "SecretSynced" | "SecretDeleted" | "SecretMissing" }
  | { readonly failed: string };

const words = {
  SecretSynced: "secret synced",
  SecretDeleted: "secret deleted due to DeletionPolicy=Delete",
  SecretMissing: "secret will not be created due to CreationPolicy=Merge",
};

/** Source: external-secrets pkg/controllers/externalsecret (markAsDone, markAsFailed). Pure. */
export function externalSecretStatus(
  external: ExternalSecret,
  outcome: Outcome,
  targetName: string,
  now: string,
): ExternalSecretStatus {
  const before = external.status;
  const step =
    "done" in outcome
      ? { status: "True" as const, reason: outcome.done, message: words[outcome.done] }
      : { status: "False" as const, reason: "SecretSyncedError", message: outcome.failed };
  const condition = conditionOf(before?.conditions, step, now);
  if (!("done" in outcome)) return { ...before, conditions: [condition] };
  return {
    refreshTime: now,
    syncedResourceVersion: versionOf(external),
    conditions: [condition],
    ...(outcome.done === "SecretSynced" ? { binding: { name: targetName } } : {}),
  };
}

/** A Ready condition that keeps the time of its last change. Pure. */
export function conditionOf(
  before: readonly Condition[] | undefined,
  step: Pick<Condition, "status" | "reason" | "message">,
  now: string,
): Condition {
  const known = before?.find(({ type }) => type === "Ready");
  const same = known?.status === step.status && known.reason === step.reason;
  return { type: "Ready", ...step, lastTransitionTime: same ? (known.lastTransitionTime ?? now) : now };
}
