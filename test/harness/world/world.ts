import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  createHttpHeaders,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { InjectOptions } from "fastify";
import { createScm } from "../../../sandbox/appservice/scm.ts";
import { siteExists } from "../../../sandbox/appservice/state.ts";
import { web } from "../../../sandbox/appservice/web.ts";
import { createArm } from "../../../sandbox/arm/app.ts";
import { cognitive } from "../../../sandbox/cognitive/module.ts";
import { type Cloud, openCloud } from "../../../sandbox/core/cloud.ts";
import type { FaultRule } from "../../../sandbox/core/faults.ts";
import type { Principal } from "../../../sandbox/core/principals.ts";
import type { Service } from "../../../sandbox/core/service.ts";
import { Store } from "../../../sandbox/core/store.ts";
import { createVault } from "../../../sandbox/keyvault/app.ts";
import { keyVault } from "../../../sandbox/keyvault/module.ts";
import { vaultExists } from "../../../sandbox/keyvault/state.ts";
import { insights, operationalInsights } from "../../../sandbox/monitor/index.ts";
import { accountExists, createOpenAi } from "../../../sandbox/openai/app.ts";
import { storage } from "../../../sandbox/storage/index.ts";
import { Sites } from "./sites.ts";

/** Making an RSA key takes longer than a whole run: one serves every world of a process. */
let signingKey: unknown;

function keepSigningKey(dir: string): void {
  if (signingKey === undefined) return;
  const store = new Store(path.join(dir, "cloud.sqlite"));
  store.collection("token-keys").put("signing", signingKey);
  store.close();
}

/** What a fault does to one request; `lost` is after commit. */
export type Fault =
  | "lost"
  | (Pick<FaultRule, "effect"> & Partial<Pick<FaultRule, "status" | "code" | "retryAfterSeconds">>);

/** A moment of a world. */
export interface Saved {
  readonly now: number;
  readonly documents: ReadonlyMap<string, Map<string, unknown>>;
}

/**
 * The sandbox's cloud in this process, without sockets, TLS and processes, reached by the real SDKs through an
 * `HttpClient`. Time passes by requests and by sleeping only.
 */
export class World {
  readonly cloud: Cloud;
  readonly sites: Sites;
  readonly owner: Principal;
  /** How long a request takes, in milliseconds of the world's time. */
  callMs = 20;
  /** Told after each request, when everything that follows from it has happened. */
  onServed: () => void = () => undefined;
  readonly #dir = mkdtempSync(path.join(tmpdir(), "kiln-world-"));
  readonly #services: Readonly<Record<"arm" | "vault" | "openAi" | "scm", Service>>;
  readonly #tokens = new Map<string, string>();
  #now = Date.parse("2026-03-02T10:00:00Z");

  constructor() {
    keepSigningKey(this.#dir);
    this.cloud = openCloud(this.#dir, () => this.#now);
    signingKey ??= this.cloud.store.collection("token-keys").get("signing");
    this.owner = this.cloud.principals.createService("owner").principal;
    this.cloud.changeSettings({ profile: "instant", throttling: false });
    this.sites = new Sites(this);
    this.#services = {
      arm: createArm(this.cloud, [cognitive, keyVault, web, storage, operationalInsights, insights]),
      vault: createVault(this.cloud),
      openAi: createOpenAi(this.cloud),
      scm: createScm(this.cloud, this.sites.runtime),
    };
  }

  now(): number {
    return this.#now;
  }

  /** Lets time go by until then. */
  until(at: number): void {
    this.#now = Math.max(this.#now, at);
    this.sites.look();
  }

  /** As long as it takes for everything that is under way to be asked for the next thing. */
  async sleep(ms: number): Promise<void> {
    const at = this.#now + ms;
    await setImmediate();
    this.until(at);
  }

  /** Everything as it is now, to come back to. */
  save(): Saved {
    const { store } = this.cloud;
    const all = store.kinds().map((kind) => [kind, new Map(store.collection(kind).entries())] as const);
    return { now: this.#now, documents: new Map(all) };
  }

  /** Back to a moment of before. */
  restore({ now, documents }: Saved): void {
    const { store, operations } = this.cloud;
    store.transaction(() => {
      for (const kind of store.kinds()) {
        const collection = store.collection(kind);
        const wanted = documents.get(kind) ?? new Map<string, unknown>();
        for (const [id] of collection.entries()) if (!wanted.has(id)) collection.delete(id);
        for (const [id, value] of wanted) {
          if (collection.get(id) === value) continue;
          collection.put(id, value);
          wanted.set(id, collection.get(id));
        }
      }
    });
    operations.forget();
    this.#now = now;
    this.sites.forget();
    this.sites.look();
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#services).map((service) => service.close()));
    this.cloud.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Signs in as the owner. */
  readonly credential: TokenCredential = {
    getToken: async (scopes) => {
      const audience = String([scopes].flat()[0]).replace(/\/\.default$/, "");
      return { token: await this.token(audience), expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };

  async token(audience: string, principal: Principal = this.owner): Promise<string> {
    const key = `${principal.objectId} ${audience}`;
    const token = this.#tokens.get(key) ?? (await this.cloud.tokens.issue(principal, audience));
    this.#tokens.set(key, token);
    return token;
  }

  /** Handles a request as it comes from an SDK. @throws RestError when there is no answer */
  async serve(request: PipelineRequest, fault?: Fault): Promise<PipelineResponse> {
    this.until(this.#now + this.callMs);
    const answer = await this.#answer(request, fault);
    this.sites.look();
    this.onServed();
    if (fault === "lost") throw noAnswer("ECONNRESET", "socket hang up", request);
    const headers = createHttpHeaders(answer.headers);
    return { request, status: answer.status, headers: this.#waited(headers), bodyAsText: answer.body };
  }

  /** A request to ARM, the vaults or the model as the owner, beside every run. */
  async ask(method: string, url: string, body?: unknown, headers: Record<string, string> = {}) {
    const host = new URL(url).hostname;
    const audience = host.endsWith(".vault.azure.net")
      ? "https://vault.azure.net"
      : "https://management.azure.com";
    const { status, body: text } = await this.#inject(host, {
      method,
      url,
      headers: {
        authorization: `Bearer ${await this.token(audience)}`,
        "content-type": "application/json",
        ...headers,
      },
      payload: body === undefined ? "" : JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into as they come off the wire
    const parsed: any = text === "" ? undefined : JSON.parse(text);
    return { status, body: parsed };
  }

  /** The same to ARM, for what must succeed. */
  async arm(method: string, resource: string, body?: unknown) {
    const base = `https://management.azure.com/subscriptions/${this.cloud.subscriptionId}`;
    const answer = await this.ask(method, `${base}${resource}?api-version=2025-06-01`, body);
    if (answer.status >= 300) throw new Error(`${method} ${resource}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async #answer(request: PipelineRequest, fault: Fault | undefined) {
    const { hostname } = new URL(request.url);
    if (!this.#resolves(hostname)) throw noAnswer("ENOTFOUND", `getaddrinfo ENOTFOUND ${hostname}`, request);
    const rule = fault === undefined || fault === "lost" ? undefined : this.#strike(fault);
    try {
      const site = this.sites.of(hostname);
      if (site !== undefined) return await site.answer(request);
      return await this.#inject(hostname, {
        method: request.method,
        url: request.url,
        headers: request.headers.toJSON(),
        payload: payloadOf(request.body),
      });
    } finally {
      if (rule !== undefined) this.cloud.faults.remove(rule);
    }
  }

  #strike(fault: Exclude<Fault, "lost">): string {
    const rule = {
      after: 0,
      times: 1,
      probability: 1,
      seed: 1,
      retryAfterSeconds: 1,
      delayMs: 1,
      ...fault,
    };
    return this.cloud.faults.add(rule).id;
  }

  async #inject(
    host: string,
    options: { method: string; url: string; headers: Record<string, string>; payload: string | Buffer },
  ) {
    const { pathname, search } = new URL(options.url);
    const answer = await this.#serviceOf(host).inject({
      method: options.method as NonNullable<InjectOptions["method"]>,
      url: pathname + search,
      headers: { ...options.headers, host },
      payload: options.payload,
    });
    const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: answer.body,
    };
  }

  #serviceOf(host: string): Service {
    if (host === "management.azure.com") return this.#services.arm;
    if (host.endsWith(".vault.azure.net")) return this.#services.vault;
    if (host.endsWith(".scm.azurewebsites.net")) return this.#services.scm;
    if (/\.(openai|cognitiveservices)\.azure\.com$/.test(host)) return this.#services.openAi;
    throw new Error(`the world has no host ${host}`);
  }

  #resolves(host: string): boolean {
    if (host.endsWith(".vault.azure.net")) return vaultExists(this.cloud, host);
    if (host.endsWith(".azurewebsites.net")) return siteExists(this.cloud, host);
    return !/\.(openai|cognitiveservices)\.azure\.com$/.test(host) || accountExists(this.cloud, host);
  }

  /** The wait that an answer asks for has passed by the time it is seen: an SDK waits in real time. */
  #waited(headers: ReturnType<typeof createHttpHeaders>) {
    const ms = Number(headers.get("retry-after-ms") ?? Number(headers.get("retry-after") ?? 0) * 1000);
    if (ms > 0) {
      this.until(this.#now + ms);
      headers.delete("retry-after");
      headers.set("retry-after-ms", "1");
    }
    return headers;
  }
}

function payloadOf(body: PipelineRequest["body"]): string | Buffer {
  if (body === undefined || body === null) return "";
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body);
  throw new Error("the world takes texts and bytes only");
}

/** As the SDKs' own client tells that no answer came. */
function noAnswer(code: string, message: string, request: PipelineRequest): RestError {
  return new RestError(message, { code, request });
}
