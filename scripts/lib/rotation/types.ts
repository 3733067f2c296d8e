import type { Clock } from "../keys/patience.ts";
import type { Phase, Slot } from "../keys/ports.ts";
import type { Proof } from "./judge.ts";
import type { Wish } from "./plan.ts";

/** How a rotation is to be run. */
export interface RotationOptions extends Wish {
  /** Where the secret is: names of the vault and of the secret. */
  readonly vault: string;
  readonly secret: string;
  /** Tags of the environment, put on the new version. */
  readonly tags: Readonly<Record<string, string>>;
  /** Days after which the new version counts as expired. */
  readonly lifetimeDays: number;
  /** How many versions of the secret stay enabled, 1 or more. */
  readonly keepVersions: number;
  /** Whether consumers are restarted after their references are refreshed. */
  readonly restart: boolean;
  /** How long requests that began with the old key may still run before it is revoked, in milliseconds. */
  readonly drainMs: number;
  /** The whole budget, in milliseconds. */
  readonly timeoutMs: number;
  /** What this run calls itself in the journal. */
  readonly by: string;
  /** The cloud's time. */
  readonly now: () => Date;
  readonly clock: Clock;
  /** Ends it between two calls, or leaves a call behind. */
  readonly signal: AbortSignal;
  /** Leaves a call behind that hangs when the time is up. */
  readonly late: AbortSignal;
  /** Told what it does, in plain words. */
  readonly tell: (message: string) => void;
  /** Told each phase as it begins. */
  readonly onPhase: (phase: Phase, detail: string) => void;
}

/** What became of a consumer. */
export interface ConsumerResult {
  readonly app: string;
  readonly settings: readonly string[];
  readonly proof: Proof;
}

/** How long a phase took, and for how much of that at least one call of the cloud was open, in milliseconds. */
export interface PhaseTime {
  readonly phase: Phase;
  readonly durationMs: number;
  readonly cloudMs: number;
}

/** What a rotation came to. Holds no key. */
export interface RotationResult {
  readonly outcome: "rotated" | "resumed" | "adopted" | "young";
  /** The slot whose key the secret holds, and the one it held before; the same where nothing was rotated. */
  readonly slot: Slot;
  readonly from: Slot;
  /** Version of the secret in use. */
  readonly version: string;
  readonly rotation: string | undefined;
  readonly consumers: readonly ConsumerResult[];
  readonly phases: readonly PhaseTime[];
  /** Older versions of the secret that cannot be read any more since. */
  readonly disabled: number;
  readonly revoked: boolean;
  /** Calls of the cloud, waiting ones included. */
  readonly calls: number;
  /** Age of the key, where it was too young to be rotated. */
  readonly ageMs?: number;
}
