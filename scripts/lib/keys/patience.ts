import { setTimeout as sleep } from "node:timers/promises";
import { KilnError } from "../errors.ts";

/** Time as the waiting sees it. */
export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** The machine's own time. */
export const machineClock: Clock = clockUntil(undefined);

/** The machine's own time, in which nothing sleeps past an interruption. */
export function clockUntil(signal: AbortSignal | undefined): Clock {
  return {
    now: () => performance.now(),
    sleep: async (ms) => {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    },
  };
}

/** The budget is spent; its cause is the last reason to wait. */
export class OutOfPatience extends KilnError {}

/** How long something may take to come right, and how to spend the time. */
export interface Patience {
  /** The whole budget, in milliseconds. */
  readonly budgetMs: number;
  readonly clock: Clock;
  /** Told once for each new reason to wait. */
  readonly tell: (message: string) => void;
  /** First wait, in milliseconds. @default 250 */
  readonly firstMs?: number;
  /** How much longer each next wait is. @default 1.5 */
  readonly growth?: number;
  /** Longest wait unless the cloud asks for more, in milliseconds. @default 15000 */
  readonly longestMs?: number;
}

/** What an attempt came to: done, or a reason to try again later. */
export type Attempt<T> =
  | { readonly done: true; readonly value: T }
  | {
      readonly done: false;
      /** Stable code of the reason. */
      readonly code: string;
      /** Why, in plain words. */
      readonly reason: string;
      /** How long the cloud asks to wait, in milliseconds. */
      readonly retryAfterMs?: number | undefined;
    };

/**
 * Repeats an attempt until it is done or the budget is spent. What an attempt throws ends it at once.
 * @throws {OutOfPatience} with the last reason, when the budget is spent.
 */
export async function persist<T>(
  what: string,
  patience: Patience,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const { budgetMs, clock, tell, firstMs = 250, growth = 1.5, longestMs = 15_000 } = patience;
  const start = clock.now();
  let wait = firstMs;
  let told = "";
  for (;;) {
    const result = await attempt();
    if (result.done) return result.value;
    if (result.reason !== told) {
      told = result.reason;
      tell(`${what}: waiting, ${result.reason}`);
    }
    const pause = Math.max(wait, result.retryAfterMs ?? 0);
    const left = budgetMs - (clock.now() - start);
    if (pause > left) {
      throw new OutOfPatience({
        code: result.code,
        message: `${what}: it did not come right within ${duration(budgetMs)}`,
        cause: `Code="${result.code}" Message="${result.reason}"`,
        next: "Run it again: it goes on where it stopped. If it stays, look into the cause.",
      });
    }
    await clock.sleep(pause);
    wait = Math.min(wait * growth, longestMs);
  }
}

function duration(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}
