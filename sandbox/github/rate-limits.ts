import type { Cloud } from "../core/cloud.ts";
import { GitHubError } from "./errors.ts";
import type { Viewer } from "./tokens.ts";

const hour = 60 * 60 * 1000;

/** Requests an hour. Source: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. */
const allowances = { user: 5000, job: 1000, anonymous: 60 } as const;

interface Window {
  used: number;
  /** Sandbox milliseconds. */
  readonly ends: number;
}

/** The primary rate limit: so many requests per caller and hour of the sandbox's clock. Not kept through a restart. */
export class RateLimits {
  readonly #cloud: Cloud;
  readonly #windows = new Map<string, Window>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /** Counts one request. @throws GitHubError 403 with `x-ratelimit-remaining: 0` when none is left */
  take(viewer: Viewer | undefined): Record<string, string> {
    const window = this.#window(viewer);
    const limited = this.#cloud.settings().throttling;
    if (limited && window.used >= limitOf(viewer)) {
      const whose = viewer === undefined ? "127.0.0.1" : `user ID ${viewer.account.id}`;
      throw new GitHubError(403, `API rate limit exceeded for ${whose}.`, {
        docs: "using-the-rest-api/rate-limits-for-the-rest-api",
        headers: this.headers(viewer),
      });
    }
    if (limited) window.used++;
    return this.headers(viewer);
  }

  headers(viewer: Viewer | undefined): Record<string, string> {
    const { limit, used, remaining, reset } = this.#figures(viewer);
    return {
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-used": String(used),
      "x-ratelimit-reset": String(reset),
      "x-ratelimit-resource": "core",
    };
  }

  report(viewer: Viewer | undefined): object {
    const core = this.#figures(viewer);
    return { resources: { core }, rate: core };
  }

  #figures(viewer: Viewer | undefined) {
    const window = this.#window(viewer);
    const limit = limitOf(viewer);
    // Clients wait by their own clock.
    const reset = Math.ceil((Date.now() + this.#cloud.clock.realMsUntil(window.ends)) / 1000);
    return { limit, used: window.used, remaining: Math.max(0, limit - window.used), reset };
  }

  #window(viewer: Viewer | undefined): Window {
    const key = viewer === undefined ? "" : `${viewer.account.login} ${viewer.job?.repositoryId ?? ""}`;
    const now = this.#cloud.clock.now();
    const known = this.#windows.get(key);
    if (known !== undefined && known.ends > now) return known;
    const made = { used: 0, ends: now + hour };
    this.#windows.set(key, made);
    return made;
  }
}

function limitOf(viewer: Viewer | undefined): number {
  if (viewer === undefined) return allowances.anonymous;
  return viewer.job === undefined ? allowances.user : allowances.job;
}
