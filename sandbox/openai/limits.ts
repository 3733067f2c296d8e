import { deploymentHiddenOf } from "../cognitive/state.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { retryAfter } from "../core/throttle.ts";

const windowMs = 60_000;

/**
 * The tokens-per-minute limit of each deployment: a thousand per unit of capacity, counted in minutes of the sandbox's
 * clock that begin with the first request. Off with the sandbox's `throttling` setting.
 */
export class TokenLimits {
  readonly #cloud: Cloud;
  readonly #windows = new Map<string, { readonly from: number; readonly used: number }>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /**
   * Counts a request and tells its rate limit headers.
   * @throws CloudError 429 with `Retry-After` until the minute is over
   */
  spend(
    deployment: Resource,
    tokens: number,
    about: { operation: string; apiVersion: string },
  ): Record<string, string> {
    const limit = deploymentHiddenOf(deployment).capacity * 1000;
    const key = deployment.id.toLowerCase();
    const now = this.#cloud.clock.now();
    const last = this.#windows.get(key);
    const window =
      last === undefined || now >= last.from + windowMs || now < last.from ? { from: now, used: 0 } : last;
    const used = window.used + tokens;
    if (used > limit && this.#cloud.settings().throttling) {
      const wait = this.#cloud.clock.realMsUntil(window.from + windowMs);
      const headers = retryAfter(wait);
      throw new CloudError(
        429,
        "429",
        `Requests to the ${about.operation} Operation under Azure OpenAI API version ${about.apiVersion} have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after ${headers["retry-after"]} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.`,
        { headers: { ...headers, "x-ratelimit-remaining-tokens": String(Math.max(0, limit - window.used)) } },
      );
    }
    this.#windows.set(key, { from: window.from, used });
    return {
      "x-ratelimit-limit-tokens": String(limit),
      "x-ratelimit-remaining-tokens": String(Math.max(0, limit - used)),
    };
  }
}
