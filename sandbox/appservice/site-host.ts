import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../core/cloud.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { BoundedLog } from "./bounded-log.ts";
import { codeFolder, pruneCode, siteFolder } from "./deployments.ts";
import { appEnvironment, platformVariables, portVariables, resolveSettings } from "./environment.ts";
import { Instance, type Launch, type LifeBounds } from "./instance.ts";
import type { Ports } from "./ports.ts";
import type { Processes } from "./processes.ts";
import { referencesOf } from "./references.ts";
import { findStartCommand } from "./start-command.ts";
import { siteNamed, stateOf } from "./state.ts";

/** What a request to a site meets. */
export type Route =
  | { readonly kind: "instance"; readonly instance: Instance }
  | { readonly kind: "no-site" | "stopped" | "no-code" }
  | { readonly kind: "failed"; readonly reason: string };

/** What all sites of the sandbox share. */
export interface HostContext {
  readonly cloud: Cloud;
  readonly processes: Processes;
  readonly ports: Ports;
  readonly bounds: LifeBounds;
  /** How an app reaches the cloud. */
  readonly network: () => Record<string, string>;
}

/** Real milliseconds before a start that failed is tried again, by how often it failed in a row; once is forgiven. */
export function backoffMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(30_000, 1000 * 2 ** (failures - 2));
}

/** A process that ends by itself sooner than this after its start counts as a start that failed. */
const settledAfterMs = 10_000;

/** Keeps one site's process what its settings, references and code say it should be. */
export class SiteHost {
  readonly #context: HostContext;
  readonly #name: string;
  readonly #log: BoundedLog;
  readonly #draining = new Map<Instance, Promise<void>>();
  #current: Instance | undefined;
  #work: Promise<void> | undefined;
  #again = false;
  readonly #closing = new AbortController();
  #failure: { fingerprint: string; reason: string; count: number; at: number } | undefined;

  constructor(context: HostContext, name: string) {
    this.#context = context;
    this.#name = name;
    this.#log = new BoundedLog(path.join(logFolder(context.cloud, name), "platform.log"));
  }

  /** The process now, for people. */
  status(): { state: string; pid?: number; reason?: string; draining: number } {
    const draining = this.#draining.size;
    const current = this.#current;
    if (current?.alive) return { state: "Running", pid: current.pid, draining };
    if (this.#work !== undefined) return { state: "Starting", draining };
    if (this.#failure !== undefined) return { state: "Failed", reason: this.#failure.reason, draining };
    return { state: "Idle", draining };
  }

  /** Where a request goes now. Waits for a start that is due; never for a replacement while the old process serves. */
  async route(): Promise<Route> {
    for (;;) {
      const refused = this.#refused();
      if (refused !== undefined) return { kind: refused };
      if (this.#current?.alive) return { kind: "instance", instance: this.#current };
      if (this.#closing.signal.aborted) return { kind: "failed", reason: "the sandbox is stopping" };
      const wanted = this.#wanted();
      if (typeof wanted === "string") return { kind: wanted };
      const failure = this.#work === undefined ? this.#recentFailure(wanted) : undefined;
      if (failure !== undefined) return { kind: "failed", reason: failure };
      const before = this.#failure;
      await this.reconcile();
      if (!this.#current?.alive && this.#failure !== before && this.#failure !== undefined)
        return { kind: "failed", reason: this.#failure.reason };
    }
  }

  /** Makes the process what it should be; concurrent calls share the work and a change meanwhile is not missed. */
  reconcile(): Promise<void> {
    this.#again = true;
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  /** Whether there is a process, or one is being started; else the next request starts it. */
  get active(): boolean {
    return this.#current?.alive === true || this.#work !== undefined;
  }

  /** An instance that nobody could reach is replaced, unless it is already. */
  async unreachable(instance: Instance): Promise<void> {
    if (this.#current === instance) {
      this.#say(`process ${instance.pid} does not accept connections`);
      this.#retire();
    }
    await this.#work;
  }

  /** Ends all processes of the site within `bounds`. */
  async close(bounds: LifeBounds): Promise<void> {
    this.#closing.abort();
    this.#retire(bounds);
    await this.#work;
    this.#retire(bounds);
    await Promise.all([
      ...this.#draining.values(),
      ...[...this.#draining.keys()].map((i) => i.retire(bounds)),
    ]);
    this.#log.close();
  }

  async #run(): Promise<void> {
    // Whoever called sees the change that it called for, and all that belong to the same request.
    await Promise.resolve();
    while (this.#again && !this.#closing.signal.aborted) {
      this.#again = false;
      const wanted = this.#wanted();
      if (typeof wanted === "string") {
        this.#failure = undefined;
        this.#retire();
        continue;
      }
      if (this.#current?.alive && this.#current.fingerprint === wanted.fingerprint) continue;
      await this.#replace(wanted);
    }
  }

  async #replace(wanted: Wanted): Promise<void> {
    const { processes, ports, bounds } = this.#context;
    this.#say(`starting deployment ${wanted.deploymentId}`);
    try {
      const launch = await this.#launch(wanted);
      const started = await Instance.start(launch, processes, ports, bounds, this.#closing.signal);
      if (this.#closing.signal.aborted) {
        await started.retire({ ...bounds, drain: 0 });
        return;
      }
      this.#retire();
      this.#current = started;
      if (this.#failure?.fingerprint !== wanted.fingerprint) this.#failure = undefined;
      this.#watch(started);
      this.#say(`process ${started.pid} serves on port ${started.port}`);
      this.#prune();
    } catch (error) {
      // As in Azure: an app that does not come up with its new settings is down, not running on the old ones.
      const reason = error instanceof Error ? error.message : String(error);
      this.#failed(wanted.fingerprint, reason);
      this.#say(`did not start: ${reason}`);
      if (!this.#again) this.#retire();
    }
  }

  async #launch({ site, fingerprint, deploymentId, settings, command }: Wanted): Promise<Launch> {
    const { cloud, network } = this.#context;
    const folder = siteFolder(cloud, site.name);
    const code = codeFolder(cloud, site.name, deploymentId);
    const start = await findStartCommand(code, command, process.execPath);
    await Promise.all(
      ["home", "tmp"].map((name) => mkdir(path.join(folder, name), { recursive: true, mode: 0o700 })),
    );
    const environment = appEnvironment({
      platform: platformVariables({
        site,
        folder,
        instanceId: createHash("sha256").update(site.id.toLowerCase()).digest("hex"),
        path: [path.join(code, "node_modules", ".bin"), path.dirname(process.execPath)].join(path.delimiter),
      }),
      settings,
      network: network(),
    });
    return {
      fingerprint,
      deploymentId,
      ...start,
      env: (port) => ({ ...environment, ...portVariables(port) }),
      log: path.join(logFolder(cloud, site.name), "application.log"),
    };
  }

  #watch(instance: Instance): void {
    void instance.exited.then(({ code, signal }) => {
      if (this.#current !== instance) return;
      this.#current = undefined;
      this.#say(`process ${instance.pid} ended (${signal ?? `code ${code}`})`);
      const soon = Date.now() - instance.startedAt < settledAfterMs;
      // Somebody killed it: nothing is wrong with the app, it starts again at once.
      if (soon && signal === null) this.#failed(instance.fingerprint, `the app ended with code ${code}`);
      else this.#failure = undefined;
    });
  }

  #retire(bounds: LifeBounds = this.#context.bounds): void {
    const old = this.#current;
    this.#current = undefined;
    if (old === undefined) return;
    this.#say(`process ${old.pid} is replaced or stopped; ${old.inFlight} requests in flight`);
    const drained = old.retire(bounds).finally(() => {
      this.#draining.delete(old);
      this.#prune();
    });
    this.#draining.set(old, drained);
  }

  #failed(fingerprint: string, reason: string): void {
    const count = this.#failure?.fingerprint === fingerprint ? this.#failure.count + 1 : 1;
    this.#failure = { fingerprint, reason, count, at: Date.now() };
  }

  #recentFailure(wanted: Wanted): string | undefined {
    const failure = this.#failure;
    if (failure?.fingerprint !== wanted.fingerprint) return undefined;
    return Date.now() - failure.at < backoffMs(failure.count) ? failure.reason : undefined;
  }

  /** Deletes code that no process and no record needs any more. */
  #prune(): void {
    const site = siteNamed(this.#context.cloud, this.#name);
    if (site === undefined || this.#closing.signal.aborted) return;
    const inUse = [this.#current, ...this.#draining.keys()].flatMap((each) => each?.deploymentId ?? []);
    pruneCode(this.#context.cloud, site, inUse).catch((error) => this.#say(String(error)));
  }

  /** Why no process is to serve the site now, if so. */
  #refused(): "no-site" | "stopped" | undefined {
    const site = siteNamed(this.#context.cloud, this.#name);
    if (site === undefined) return "no-site";
    const { state, enabled } = site.body.properties as { state?: string; enabled?: boolean };
    return state === "Stopped" || enabled === false ? "stopped" : undefined;
  }

  /** What the cloud's data say the process should be. */
  #wanted(): Wanted | "no-site" | "stopped" | "no-code" {
    const { cloud } = this.#context;
    const refused = this.#refused();
    const site = siteNamed(cloud, this.#name);
    if (refused !== undefined || site === undefined) return refused ?? "no-site";
    const kept = stateOf(cloud, site.id);
    if (kept.active === undefined) return "no-code";
    const settings = resolveSettings(kept, referencesOf(cloud, site));
    const command = String((kept.config as JsonObject).appCommandLine ?? "");
    const fingerprint = createHash("sha256")
      .update(JSON.stringify([site.id, kept.active, kept.restarts, command, Object.entries(settings).sort()]))
      .digest("hex");
    return { site, deploymentId: kept.active, settings, command, fingerprint };
  }

  #say(what: string): void {
    this.#log.write(`${new Date().toISOString()} ${what}\n`);
  }
}

interface Wanted {
  readonly site: Resource;
  readonly deploymentId: string;
  readonly settings: Record<string, string>;
  readonly command: string;
  readonly fingerprint: string;
}

export function logFolder(cloud: Cloud, siteName: string): string {
  return path.join(siteFolder(cloud, siteName), "log");
}
