import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CloudError } from "./errors.ts";
import type { Collection } from "./store.ts";
import { retryAfter } from "./throttle.ts";

export const faultEffects = [
  "throttle",
  "server-error",
  "conflict",
  "refuse",
  "lost",
  "delay",
  "hold",
] as const;

/** How often a request that is held looks whether it may go on, in real milliseconds. */
const holdMs = 20;

/** A rule for going wrong on purpose. */
export const faultRuleSchema = z.strictObject({
  effect: z.enum(faultEffects),
  /** Only requests of this method. */
  method: z
    .string()
    .regex(/^[A-Za-z]+$/)
    .transform((method) => method.toUpperCase())
    .optional(),
  /** Only hosts that this regular expression finds, without regard to case. */
  host: z.string().refine(isRegExp, "not a regular expression").optional(),
  /** Only paths (without query) that this regular expression finds, without regard to case. */
  path: z.string().refine(isRegExp, "not a regular expression").optional(),
  /** Lets this many matching requests through first. @default 0 */
  after: z.number().int().min(0).default(0),
  /** Strikes this often, then the rule is spent. Without it the rule lasts until it is removed. */
  times: z.number().int().min(1).optional(),
  /** Strikes with this probability, drawn from `seed`. @default 1 */
  probability: z.number().gt(0).max(1).default(1),
  /** Start of the drawing; the same seed and the same requests give the same faults. @default 1 */
  seed: z.number().int().min(0).default(1),
  /** `server-error`, `refuse`: the status. @default 500, and 400 for `refuse` */
  status: z.number().int().min(400).max(599).optional(),
  /** `conflict`, `refuse`, `server-error`: the error code. */
  code: z.string().min(1).optional(),
  /** `refuse`: what the error says. */
  message: z.string().min(1).optional(),
  /** `throttle`: what `Retry-After` says, in seconds. `delay`: how long, in real milliseconds. */
  retryAfterSeconds: z.number().int().min(1).max(3600).default(1),
  delayMs: z.number().int().min(1).max(600_000).default(1000),
});
export type FaultRule = z.infer<typeof faultRuleSchema>;

interface StoredFault extends FaultRule {
  readonly id: string;
  readonly seen: number;
  readonly struck: number;
}

/** What to do to the present request. */
export type Fault =
  | { readonly effect: "reply"; readonly error: CloudError }
  | { readonly effect: "lost" }
  /** Goes on once that is over. */
  | { readonly effect: "delay"; wait(): Promise<void> };

/** The rules in force. Which requests they strike depends on nothing but the rules and the order of the requests. */
export class Faults {
  readonly #rules: Collection<StoredFault>;

  constructor(rules: Collection<StoredFault>) {
    this.#rules = rules;
  }

  list(): StoredFault[] {
    return this.#rules.values();
  }

  add(rule: FaultRule): StoredFault {
    const stored = { ...rule, id: randomUUID().slice(0, 8), seen: 0, struck: 0 };
    this.#rules.put(stored.id, stored);
    return stored;
  }

  /** Removes one rule, or all; returns how many went. */
  remove(id?: string): number {
    const ids = id === undefined ? this.list().map((rule) => rule.id) : [id];
    return ids.filter((each) => this.#rules.delete(each)).length;
  }

  /** The faults that strike this request, in the order of their rules. */
  strike(method: string, host: string, path: string): Fault[] {
    if (this.#rules.size === 0) return [];
    const faults: Fault[] = [];
    for (const rule of this.#rules.values()) {
      if (!matches(rule, method, host, path)) continue;
      const spent = rule.times !== undefined && rule.struck >= rule.times;
      if (spent) continue;
      const strikes = rule.seen >= rule.after && draw(rule.seed, rule.seen) < rule.probability;
      this.#rules.put(rule.id, { ...rule, seen: rule.seen + 1, struck: rule.struck + (strikes ? 1 : 0) });
      if (strikes) faults.push(effectOf(rule, () => this.#rules.get(rule.id) !== undefined));
    }
    return faults;
  }
}

function matches(rule: FaultRule, method: string, host: string, path: string): boolean {
  return (
    (rule.method === undefined || rule.method === method) &&
    (rule.host === undefined || new RegExp(rule.host, "i").test(host)) &&
    (rule.path === undefined || new RegExp(rule.path, "i").test(path))
  );
}

function effectOf(rule: FaultRule, isThere: () => boolean): Fault {
  switch (rule.effect) {
    case "throttle":
      return {
        effect: "reply",
        error: new CloudError(429, rule.code ?? "TooManyRequests", "Too many requests (injected fault).", {
          headers: retryAfter(rule.retryAfterSeconds * 1000),
        }),
      };
    case "server-error":
      return {
        effect: "reply",
        error: new CloudError(
          rule.status ?? 500,
          rule.code ?? "InternalServerError",
          "The service failed (injected fault).",
        ),
      };
    case "conflict":
      return {
        effect: "reply",
        error: new CloudError(
          409,
          rule.code ?? "RequestConflict",
          "Another operation is being performed on the parent resource (injected fault).",
        ),
      };
    case "refuse":
      return {
        effect: "reply",
        error: new CloudError(
          rule.status ?? 400,
          rule.code ?? "BadRequest",
          rule.message ?? "The service refuses (injected fault).",
        ),
      };
    case "lost":
      return { effect: "lost" };
    case "delay":
      return { effect: "delay", wait: () => delay(rule.delayMs) };
    case "hold":
      return {
        effect: "delay",
        wait: async () => {
          while (isThere()) await delay(holdMs);
        },
      };
  }
}

/** The n-th draw of a seed, in [0, 1): splitmix32, so that a draw needs no state but its number. */
export function draw(seed: number, n: number): number {
  let z = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(n + 1, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
