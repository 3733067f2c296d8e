import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { InjectOptions } from "fastify";
import { createArm } from "../../sandbox/arm/app.ts";
import { cognitive } from "../../sandbox/cognitive/module.ts";
import { type Cloud, openCloud } from "../../sandbox/core/cloud.ts";
import type { KnownPrincipal } from "../../sandbox/core/principals.ts";
import { roleDefinitions } from "../../sandbox/core/rbac.ts";
import type { Service } from "../../sandbox/core/service.ts";
import type { SettingsPatch } from "../../sandbox/core/settings.ts";
import { Store } from "../../sandbox/core/store.ts";
import { createVault } from "../../sandbox/keyvault/app.ts";
import { keyVault } from "../../sandbox/keyvault/module.ts";
import { createOpenAi } from "../../sandbox/openai/app.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as they come off the wire
type Body = any;

export interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly text: string;
  readonly headers: Record<string, string | undefined>;
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Whose token goes along; null sends none. @default owner */
  readonly as?: KnownPrincipal | null;
}

/** Making an RSA key takes longer than most tests: one serves every cloud of a test file. */
let signingKey: unknown;

function keepSigningKey(dir: string): void {
  if (signingKey === undefined) return;
  const store = new Store(path.join(dir, "cloud.sqlite"));
  store.collection("token-keys").put("signing", signingKey);
  store.close();
}

/** The sandbox's cloud in this process, without the wire's front door and with time that moves only by `pass`. */
export class LocalCloud {
  readonly cloud: Cloud;
  readonly group: string;
  readonly #dir = mkdtempSync(path.join(tmpdir(), "kiln-cloud-"));
  readonly #arm: Service;
  readonly #vault: Service;
  readonly #openAi: Service;
  #now = Date.parse("2026-03-02T10:00:00Z");

  readonly #tokens = new Map<string, string>();

  constructor() {
    keepSigningKey(this.#dir);
    this.cloud = openCloud(this.#dir, () => this.#now);
    signingKey ??= this.cloud.store.collection("token-keys").get("signing");
    for (const name of ["owner", "contributor", "reader", "stranger"])
      this.cloud.principals.createService(name);
    this.cloud.changeSettings({ throttling: false });
    this.#arm = createArm(this.cloud, [cognitive, keyVault]);
    this.#vault = createVault(this.cloud);
    this.#openAi = createOpenAi(this.cloud);
    this.group = `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/rg`;
  }

  settings(patch: SettingsPatch): void {
    this.cloud.changeSettings(patch);
  }

  /** Lets sandbox time go by, in milliseconds. */
  pass(ms: number): void {
    this.#now += ms;
  }

  async close(): Promise<void> {
    await Promise.all([this.#arm.close(), this.#vault.close(), this.#openAi.close()]);
    this.cloud.close();
    rmSync(this.#dir, { recursive: true });
  }

  /** A request to ARM; a path that does not begin with `/subscriptions` is below the subscription. */
  async arm(method: string, url: string, ask: Ask = {}): Promise<Answer> {
    const full = /^\/(subscriptions|metadata)/.test(url)
      ? url
      : `/subscriptions/${this.cloud.subscriptionId}${url}`;
    const query = full.includes("?") ? "" : "?api-version=2025-06-01";
    return this.#send(
      this.#arm,
      method,
      `${full}${query}`,
      "management.azure.com",
      "https://management.azure.com",
      ask,
    );
  }

  /** A request to ARM with exactly this address. */
  raw(method: string, url: string, ask: Ask = {}): Promise<Answer> {
    const path = url.replace("https://management.azure.com", "");
    return this.#send(this.#arm, method, path, "management.azure.com", "https://management.azure.com", ask);
  }

  /** The same, and lets time pass until its operation is over. */
  async armDone(method: string, url: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.arm(method, url, ask);
    this.pass(10_000);
    const poll = answer.headers["azure-asyncoperation"];
    if (poll !== undefined) {
      const over = await this.arm("GET", poll.replace("https://management.azure.com", ""));
      if (over.body.status !== "Succeeded") throw new Error(`the operation ended as ${over.text}`);
    }
    return answer;
  }

  vault(host: string, method: string, url: string, ask: Ask = {}): Promise<Answer> {
    const query = url.includes("api-version") ? "" : `${url.includes("?") ? "&" : "?"}api-version=7.6`;
    return this.#send(
      this.#vault,
      method,
      `${url}${query}`,
      `${host}.vault.azure.net`,
      "https://vault.azure.net",
      ask,
    );
  }

  openAi(account: string, method: string, url: string, ask: Ask = {}): Promise<Answer> {
    return this.#send(
      this.#openAi,
      method,
      url,
      `${account}.openai.azure.com`,
      "https://cognitiveservices.azure.com",
      { as: null, ...ask },
    );
  }

  principal(name: KnownPrincipal) {
    const found = this.cloud.principals.byName(name);
    if (found === undefined) throw new Error(`no principal ${name}`);
    return found;
  }

  /** Gives a role to a principal; it takes effect once the propagation delay has passed. */
  async grant(name: KnownPrincipal, role: string, scope: string): Promise<Answer> {
    const definition = roleDefinitions.find((each) => each.name === role);
    const body = {
      properties: {
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${definition?.id}`,
        principalId: this.principal(name).objectId,
        principalType: "ServicePrincipal",
      },
    };
    return this.arm(
      "PUT",
      `${scope}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`,
      {
        body,
      },
    );
  }

  async makeGroup(name = "rg", location = "eastus"): Promise<string> {
    await this.arm("PUT", `/resourceGroups/${name}`, { body: { location } });
    return `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/${name}`;
  }

  async #send(
    service: Service,
    method: string,
    url: string,
    host: string,
    audience: string,
    { body, headers = {}, as = "owner" }: Ask,
  ): Promise<Answer> {
    const bearer = as === null ? {} : { authorization: `Bearer ${await this.#token(as, audience)}` };
    const answer = await service.inject({
      method: method as NonNullable<InjectOptions["method"]>,
      url,
      headers: { host, ...bearer, ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const text = answer.body;
    const isJson = String(answer.headers["content-type"] ?? "").includes("json");
    return {
      status: answer.statusCode,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
      headers: answer.headers as Record<string, string | undefined>,
    };
  }

  async #token(name: KnownPrincipal, audience: string): Promise<string> {
    const key = `${name} ${audience}`;
    const token = this.#tokens.get(key) ?? (await this.cloud.tokens.issue(this.principal(name), audience));
    this.#tokens.set(key, token);
    return token;
  }
}
