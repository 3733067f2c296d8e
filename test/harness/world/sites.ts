import type { PipelineRequest } from "@azure/core-rest-pipeline";
import { health } from "../../../labs/foundry-backend/app.ts";
import { missing, readSettings } from "../../../labs/foundry-backend/settings.ts";
import { resolveSettings } from "../../../sandbox/appservice/environment.ts";
import { referencesOf } from "../../../sandbox/appservice/references.ts";
import type { SiteRuntime } from "../../../sandbox/appservice/runtime.ts";
import { siteNamed, siteOfHost, siteType, stateOf } from "../../../sandbox/appservice/state.ts";
import type { Cloud } from "../../../sandbox/core/cloud.ts";

/** What the apps need of the world that they are in. */
interface Surroundings {
  readonly cloud: Cloud;
  readonly sites: Pick<Sites, "drainMs" | "swapMs" | "foreign">;
  now(): number;
  ask(
    method: string,
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number }>;
}

type Environment = Readonly<Record<string, string>>;

interface Process {
  readonly env: Environment;
  readonly fingerprint: string;
}

interface SiteAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The apps of a world: the settings that each serves with, and the backend's own code on them. */
export class Sites {
  /** How long a site takes to serve with changed settings; the process before serves until then. */
  swapMs = 250;
  /** How long a process that was replaced goes on with what it had begun. */
  drainMs = 2_000;
  /** Names of sites whose app is not the backend: it has no routes that a rotation knows. */
  readonly foreign = new Set<string>();
  readonly #world: Surroundings;
  readonly #all = new Map<string, SiteModel>();

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** What serves a host; undefined when it is no site's. */
  of(host: string): SiteModel | undefined {
    if (host.endsWith(".scm.azurewebsites.net")) return undefined;
    const site = siteOfHost(this.#world.cloud, host);
    return site === undefined ? undefined : this.named(site.name);
  }

  named(name: string): SiteModel {
    const key = name.toLowerCase();
    const found = this.#all.get(key) ?? new SiteModel(this.#world, key);
    this.#all.set(key, found);
    return found;
  }

  /** Makes all processes what the cloud's data say that they should be by now. */
  look(): void {
    const { cloud } = this.#world;
    const names = cloud.resources.ofType(siteType).map(({ name }) => name.toLowerCase());
    for (const name of this.#all.keys()) if (!names.includes(name)) this.#all.delete(name);
    for (const name of names) this.named(name).look();
  }

  /** No process runs any more; the next look starts them anew. */
  forget(): void {
    this.#all.clear();
  }

  /** For the services that bring code: nothing runs here. */
  readonly runtime = {} as SiteRuntime;
}

/** One site, with the processes that a change of its settings replaces one by the other. */
export class SiteModel {
  readonly #world: Surroundings;
  readonly #name: string;
  #current: Process | undefined;
  #next: { readonly process: Process; readonly at: number } | undefined;
  #draining: { readonly process: Process; readonly until: number }[] = [];

  constructor(world: Surroundings, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** The values of a setting that its processes hold now: that of the one that serves first. */
  held(setting: string): string[] {
    const all = [this.#current, ...this.#draining.map(({ process }) => process)];
    return all.flatMap((each) => each?.env[setting] ?? []);
  }

  look(): void {
    const now = this.#world.now();
    if (this.#next !== undefined && this.#next.at <= now) {
      const { process, at } = this.#next;
      if (this.#current !== undefined) {
        this.#draining.push({ process: this.#current, until: at + this.#world.sites.drainMs });
      }
      this.#current = process;
      this.#next = undefined;
    }
    this.#draining = this.#draining.filter(({ until }) => until > now);
    const wanted = this.#wanted();
    if (wanted === undefined) return;
    if (this.#current === undefined) this.#current = wanted;
    else if (this.#next === undefined && this.#current.fingerprint !== wanted.fingerprint) {
      this.#next = { process: wanted, at: now + this.#world.sites.swapMs };
    }
  }

  async answer(request: PipelineRequest): Promise<SiteAnswer> {
    this.look();
    const { pathname } = new URL(request.url);
    if (this.#current === undefined) return answerOf(503, { error: "There is no app." });
    if (this.#world.sites.foreign.has(this.#name)) return answerOf(404, { error: "There is no such page." });
    const settings = readSettings(this.#current.env);
    if (pathname === "/api/health") {
      const { status, body } = health(settings, request.headers.get("x-key-challenge"));
      return answerOf(status, body);
    }
    if (pathname !== "/api/chat") return answerOf(404, { error: "There is no such route." });
    const reason = missing(settings);
    if (reason !== undefined) return answerOf(503, { error: reason });
    const url = new URL(
      `openai/deployments/${settings.deployment}/chat/completions?api-version=${settings.apiVersion}`,
      settings.endpoint,
    );
    const { status } = await this.#world.ask(
      "POST",
      url.href,
      { messages: [{ role: "user", content: "Hello" }] },
      { authorization: "", "api-key": settings.key.loaded ? settings.key.value : "" },
    );
    return status === 200
      ? answerOf(200, { reply: "Hello" })
      : answerOf(502, { error: "The model refused.", upstreamStatus: status });
  }

  #wanted(): Process | undefined {
    const { cloud } = this.#world;
    const site = siteNamed(cloud, this.#name);
    if (site === undefined) return undefined;
    const state = stateOf(cloud, site.id);
    const env = resolveSettings(state, referencesOf(cloud, site));
    return { env, fingerprint: JSON.stringify([state.restarts, Object.entries(env).sort()]) };
  }
}

function answerOf(status: number, body: object): SiteAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
