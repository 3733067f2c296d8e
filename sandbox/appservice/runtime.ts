import { renameSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../core/cloud.ts";
import { Counters, type Outcome, type SiteCounters } from "./counters.ts";
import { failCutOffBuilds, siteFolder } from "./deployments.ts";
import { type Instance, type LifeBounds, lifeBounds } from "./instance.ts";
import { Ports } from "./ports.ts";
import type { RecordedProcess } from "./processes.ts";
import { Processes } from "./processes.ts";
import { referencesDueAt, referencesOf } from "./references.ts";
import { onSiteChanged } from "./signals.ts";
import { type HostContext, type Route, SiteHost } from "./site-host.ts";
import { siteNamed, siteType } from "./state.ts";

export interface RuntimeOptions {
  /** Variables by which an app's process reaches the cloud: its proxy, its CA certificate. */
  readonly childEnv: () => Record<string, string>;
  /** Bounds of the processes' lives. @default those of App Service */
  readonly bounds?: Partial<LifeBounds>;
}

/** What runs the apps of all sites. */
export interface SiteRuntime {
  /** Ends what an earlier crash left, and begins to follow the cloud. Apps start on their first request. */
  start(): Promise<void>;
  /** Ends all apps; requests in flight get `drainMs` real milliseconds. @default 1000 */
  stop(drainMs?: number): Promise<void>;
  /** Where a request to the site goes now; waits for a start that is due. */
  route(site: string): Promise<Route>;
  /** Tells that an instance from `route` did not accept a connection. */
  unreachable(site: string, instance: Instance): Promise<void>;
  count(site: string, route: string, outcome: Outcome): void;
  counters(site: string): SiteCounters;
  resetCounters(site: string): void;
  /** What runs for the site now, for people: `Running`, `Starting`, `Failed` with a reason, `Idle`. */
  status(site: string): { state: string; pid?: number; reason?: string; draining: number };
}

/** The longest wait that a timer can be set to. */
const maxTimerMs = 2 ** 31 - 1;

export function createSiteRuntime(cloud: Cloud, options: RuntimeOptions): SiteRuntime {
  return new Runtime(cloud, options);
}

class Runtime implements SiteRuntime {
  readonly #cloud: Cloud;
  readonly #context: HostContext;
  readonly #counters: Counters;
  readonly #hosts = new Map<string, SiteHost>();
  readonly #trashing = new Set<Promise<void>>();
  #unfollow: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(cloud: Cloud, options: RuntimeOptions) {
    this.#cloud = cloud;
    this.#counters = new Counters(cloud);
    this.#context = {
      cloud,
      processes: new Processes(cloud.store.collection<RecordedProcess>("site-processes")),
      ports: new Ports(),
      bounds: { ...lifeBounds, ...options.bounds },
      network: options.childEnv,
    };
  }

  async start(): Promise<void> {
    this.#context.processes.reap();
    for (const site of this.#cloud.resources.ofType(siteType)) failCutOffBuilds(this.#cloud, site);
    this.#unfollow = [
      onSiteChanged(this.#cloud, (siteId) => this.#changed(siteId)),
      this.#cloud.clock.onMoved(() => this.#fetchDue()),
    ];
    this.#fetchDue();
    await this.#trashStrangers();
  }

  async stop(drainMs = 1000): Promise<void> {
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
    clearTimeout(this.#timer);
    const bounds = { ...this.#context.bounds, drain: drainMs };
    await Promise.all([...this.#hosts.values()].map((host) => host.close(bounds)));
    await this.#context.processes.close();
    await Promise.all(this.#trashing);
    this.#hosts.clear();
    this.#counters.flush();
  }

  route(site: string): Promise<Route> {
    return this.#host(site).route();
  }

  unreachable(site: string, instance: Instance): Promise<void> {
    return this.#host(site).unreachable(instance);
  }

  count(site: string, route: string, outcome: Outcome): void {
    this.#counters.count(site, route, outcome);
  }

  counters(site: string): SiteCounters {
    return this.#counters.get(site);
  }

  resetCounters(site: string): void {
    this.#counters.reset(site);
  }

  status(site: string): { state: string; pid?: number; reason?: string; draining: number } {
    return this.#hosts.get(site.toLowerCase())?.status() ?? { state: "Idle", draining: 0 };
  }

  #host(site: string): SiteHost {
    const key = site.toLowerCase();
    const found = this.#hosts.get(key) ?? new SiteHost(this.#context, key);
    this.#hosts.set(key, found);
    return found;
  }

  #changed(siteId: string): void {
    const name = siteId.slice(siteId.lastIndexOf("/") + 1);
    // The change may still be in a transaction: it is looked at when that is over.
    queueMicrotask(() => {
      if (siteNamed(this.#cloud, name) === undefined) this.#gone(name);
      else this.#host(name).reconcile().catch(report);
      this.#setTimer();
    });
  }

  /** Fetches the references whose time has come, and looks at those sites' processes. */
  #fetchDue(): void {
    const now = this.#cloud.clock.now();
    for (const site of this.#cloud.resources.ofType(siteType)) {
      if (referencesDueAt(this.#cloud, site) > now) continue;
      try {
        referencesOf(this.#cloud, site);
      } catch (error) {
        report(error);
      }
      const host = this.#hosts.get(site.name.toLowerCase());
      if (host?.active) host.reconcile().catch(report);
    }
    this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const due = this.#cloud.resources.ofType(siteType).map((site) => referencesDueAt(this.#cloud, site));
    if (due.length === 0) return;
    const wait = this.#cloud.clock.realMsUntil(Math.min(...due));
    // What is due still could not be fetched (a full disk): it is tried again in a second, not at once.
    const delay = wait === 0 ? 1000 : Math.min(maxTimerMs, wait);
    this.#timer = setTimeout(() => this.#fetchDue(), delay).unref();
  }

  #gone(name: string): void {
    const key = name.toLowerCase();
    const host = this.#hosts.get(key);
    this.#hosts.delete(key);
    this.#counters.forget(key);
    const ended = host?.close({ ...this.#context.bounds, drain: 1000 }) ?? Promise.resolve();
    // Moved aside at once: a new site may take the name before the old one's files are gone.
    const trash = `${siteFolder(this.#cloud, key)}.deleted-${Date.now()}`;
    try {
      renameSync(siteFolder(this.#cloud, key), trash);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") report(error);
    }
    this.#trash(ended.then(() => rm(trash, { recursive: true, force: true })));
  }

  /** Removes the files of sites that are no more, such as after a reset of the sandbox. */
  async #trashStrangers(): Promise<void> {
    const folder = path.join(this.#cloud.dataDir, "sites");
    for (const name of await readdir(folder).catch(() => [])) {
      if (siteNamed(this.#cloud, name) === undefined)
        this.#trash(rm(path.join(folder, name), { recursive: true, force: true }));
    }
  }

  #trash(work: Promise<void>): void {
    const tracked = work.catch(report).finally(() => this.#trashing.delete(tracked));
    this.#trashing.add(tracked);
  }
}

function report(error: unknown): void {
  console.error(error);
}
