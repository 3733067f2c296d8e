import type { Cloud } from "../core/cloud.ts";
import type { Collection } from "../core/store.ts";

/** What was answered on one route, or on all of a site's. */
export interface Tally {
  readonly total: number;
  /** By exact status. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Requests that the site's side broke off: an app that died or hung up in the middle of an answer. */
  readonly dropped: number;
}

/** Every answer that a site's host name gave since it was last reset. */
export interface SiteCounters extends Tally {
  /** Sandbox time of the first request or of the last reset. */
  readonly since: string;
  /** By status class: `2xx`, `4xx`… */
  readonly byClass: Readonly<Record<string, number>>;
  /** Answers other than 200, and what was dropped: what a rotation must keep at zero. */
  readonly notOk: number;
  /** Requests that the client itself gave up; they are no fault of the site and in no other number. */
  readonly clientAborted: number;
  /** By method and path without query, such as `POST /api/chat`; beyond 200 routes, `other`. */
  readonly byRoute: Readonly<Record<string, Tally>>;
}

export type Outcome =
  | { readonly kind: "answered"; readonly status: number }
  | { readonly kind: "dropped" | "client-aborted" };

const maxRoutes = 200;
const flushMs = 200;

/**
 * Counts answers by site. Good ones reach the disk within 200 ms, all others before the next request is looked at: a
 * crash of the sandbox must not hide a failure.
 */
export class Counters {
  readonly #saved: Collection<SiteCounters>;
  readonly #now: () => string;
  readonly #changed = new Map<string, SiteCounters>();
  #timer: NodeJS.Timeout | undefined;

  constructor(cloud: Cloud) {
    this.#saved = cloud.store.collection<SiteCounters>("site-counters");
    this.#now = () => cloud.clock.iso();
  }

  get(site: string): SiteCounters {
    const key = site.toLowerCase();
    return this.#changed.get(key) ?? this.#saved.get(key) ?? this.#empty();
  }

  reset(site: string): void {
    const key = site.toLowerCase();
    this.#changed.delete(key);
    this.#saved.put(key, this.#empty());
  }

  forget(site: string): void {
    this.#changed.delete(site.toLowerCase());
    this.#saved.delete(site.toLowerCase());
  }

  count(site: string, route: string, outcome: Outcome): void {
    const key = site.toLowerCase();
    this.#changed.set(key, counted(this.get(key), route, outcome));
    if (outcome.kind === "answered" && outcome.status < 300) {
      this.#timer ??= setTimeout(() => this.flush(), flushMs).unref();
    } else this.flush();
  }

  /** Brings the counts to the disk. One that is full does not stop the count: it goes on in memory. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [key, counters] of [...this.#changed]) {
      try {
        this.#saved.put(key, counters);
        this.#changed.delete(key);
      } catch (error) {
        console.error(error);
      }
    }
  }

  #empty(): SiteCounters {
    return {
      since: this.#now(),
      total: 0,
      byStatus: {},
      byClass: {},
      byRoute: {},
      dropped: 0,
      notOk: 0,
      clientAborted: 0,
    };
  }
}

/** The counters after one more request. */
export function counted(before: SiteCounters, route: string, outcome: Outcome): SiteCounters {
  if (outcome.kind === "client-aborted") return { ...before, clientAborted: before.clientAborted + 1 };
  const known = route in before.byRoute || Object.keys(before.byRoute).length < maxRoutes;
  const at = known ? route : "other";
  const status = outcome.kind === "answered" ? outcome.status : undefined;
  const group = status === undefined ? undefined : `${Math.floor(status / 100)}xx`;
  return {
    ...before,
    ...tallied(before, status),
    byClass: group === undefined ? before.byClass : plusOne(before.byClass, group),
    notOk: before.notOk + (status === 200 ? 0 : 1),
    byRoute: { ...before.byRoute, [at]: tallied(before.byRoute[at], status) },
  };
}

function tallied(before: Tally | undefined, status: number | undefined): Tally {
  const { total, byStatus, dropped } = before ?? { total: 0, byStatus: {}, dropped: 0 };
  return {
    total: total + 1,
    byStatus: status === undefined ? byStatus : plusOne(byStatus, String(status)),
    dropped: dropped + (status === undefined ? 1 : 0),
  };
}

function plusOne(counts: Readonly<Record<string, number>>, key: string): Record<string, number> {
  return { ...counts, [key]: (counts[key] ?? 0) + 1 };
}
