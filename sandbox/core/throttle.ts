import type { Clock } from "./clock.ts";
import { CloudError } from "./errors.ts";

export type ThrottleKind = "reads" | "writes" | "deletes";

/** Burst and refill per second. Source: Azure Resource Manager's documented subscription limits. */
const buckets: Record<ThrottleKind, { burst: number; perSecond: number }> = {
  reads: { burst: 250, perSecond: 25 },
  writes: { burst: 200, perSecond: 10 },
  deletes: { burst: 200, perSecond: 10 },
};

export function throttleKind(method: string): ThrottleKind {
  if (method === "GET" || method === "HEAD") return "reads";
  return method === "DELETE" ? "deletes" : "writes";
}

/** ARM's token bucket per subscription, principal and kind of request. */
export class Throttle {
  readonly #clock: Clock;
  readonly #levels = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes one token and tells how many are left.
   * @throws CloudError 429 `TooManyRequests` with `Retry-After` in whole seconds when none is left.
   */
  take(subscription: string, principal: string, kind: ThrottleKind): number {
    const { burst, perSecond } = buckets[kind];
    const key = `${subscription}/${principal}/${kind}`;
    const now = this.#clock.now();
    const last = this.#levels.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + (Math.max(0, now - last.at) / 1000) * perSecond);
    if (tokens < 1) {
      this.#levels.set(key, { tokens, at: now });
      const waitMs = Math.ceil(((1 - tokens) / perSecond) * 1000);
      throw new CloudError(
        429,
        "TooManyRequests",
        `The request is being throttled: subscription '${subscription}' and principal '${principal}' are past their limit of ${kind}.`,
        { headers: retryAfter(this.#clock.realMsUntil(now + waitMs)) },
      );
    }
    this.#levels.set(key, { tokens: tokens - 1, at: now });
    return Math.floor(tokens - 1);
  }
}

/**
 * The polling headers for a wait of `realMs`: whole seconds for everyone, milliseconds for the clients that read them
 * first (Azure SDKs for JavaScript and .NET), so that a quick sandbox stays quick for them.
 */
export function retryAfter(realMs: number): Record<string, string> {
  const wait = Math.max(1, Math.ceil(realMs));
  return { "retry-after-ms": String(wait), "retry-after": String(Math.max(1, Math.ceil(wait / 1000))) };
}
