import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { strToU8, zipSync } from "fflate";
import {
  createSiteRuntime,
  type RuntimeOptions,
  type SiteRuntime,
} from "../../../sandbox/appservice/runtime.ts";
import { createScm } from "../../../sandbox/appservice/scm.ts";
import { createSites } from "../../../sandbox/appservice/sites-host.ts";
import { web } from "../../../sandbox/appservice/web.ts";
import { createArm } from "../../../sandbox/arm/app.ts";
import type { ArmModule } from "../../../sandbox/arm/http.ts";
import { type Cloud, openCloud } from "../../../sandbox/core/cloud.ts";
import type { KnownPrincipal } from "../../../sandbox/core/principals.ts";
import type { Service } from "../../../sandbox/core/service.ts";
import type { SettingsPatch } from "../../../sandbox/core/settings.ts";
import { createVault } from "../../../sandbox/keyvault/app.ts";
import { keyVault } from "../../../sandbox/keyvault/module.ts";
import { insights, operationalInsights } from "../../../sandbox/monitor/index.ts";
import { storage } from "../../../sandbox/storage/index.ts";

const modules: readonly ArmModule[] = [web, keyVault, storage, operationalInsights, insights];

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  // The tests look into answers of many shapes.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

/** A cloud in a folder of its own, spoken to by its ARM service without a network. */
export class TestCloud {
  readonly dataDir: string;
  cloud: Cloud;
  arm: Service;
  readonly #tokens = new Map<string, string>();

  constructor(settings: SettingsPatch = { profile: "instant", throttling: false }) {
    this.dataDir = mkdtempSync(path.join(tmpdir(), "kiln-appservice-"));
    this.cloud = openCloud(this.dataDir);
    this.cloud.changeSettings(settings);
    for (const name of ["owner", "reader", "stranger"]) this.cloud.principals.createService(name);
    this.arm = createArm(this.cloud, modules);
  }

  reopen(): void {
    this.cloud.close();
    this.cloud = openCloud(this.dataDir);
    this.arm = createArm(this.cloud, modules);
  }

  close(): void {
    this.cloud.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async token(name: KnownPrincipal = "owner", audience = "https://management.azure.com"): Promise<string> {
    const key = `${name} ${audience}`;
    const principal = this.cloud.principals.byName(name);
    if (principal === undefined) throw new Error(`no principal ${name}`);
    const token = this.#tokens.get(key) ?? (await this.cloud.tokens.issue(principal, audience));
    this.#tokens.set(key, token);
    return token;
  }

  /** An ARM path below the group `rg`. */
  at(rest: string): string {
    return `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/rg/providers/${rest}`;
  }

  async call(
    method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE",
    url: string,
    body?: unknown,
    as: KnownPrincipal = "owner",
  ): Promise<Answer> {
    const response = await this.arm.inject({
      method,
      url: `${url}${url.includes("?") ? "&" : "?"}api-version=2025-05-01`,
      headers: { authorization: `Bearer ${await this.token(as)}`, "content-type": "application/json" },
      payload: body === undefined ? "" : JSON.stringify(body),
    });
    const text = response.body;
    const json = String(response.headers["content-type"]).includes("json") && text !== "";
    return { status: response.statusCode, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  /** The group `rg` and the Linux plan `plan`. */
  async foundation(): Promise<void> {
    await this.call("PUT", `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/rg`, {
      location: "eastus",
    });
    await this.call("PUT", this.at("Microsoft.Web/serverfarms/plan"), {
      location: "eastus",
      sku: { name: "B1" },
      properties: { reserved: true },
    });
  }

  site(name = "app"): string {
    return this.at(`Microsoft.Web/sites/${name}`);
  }

  async putSite(name = "app", more: Record<string, unknown> = {}): Promise<Answer> {
    const { properties, ...rest } = more as { properties?: object };
    return this.call("PUT", this.site(name), {
      location: "eastus",
      kind: "functionapp,linux",
      identity: { type: "SystemAssigned" },
      ...rest,
      properties: { serverFarmId: this.at("Microsoft.Web/serverfarms/plan"), ...properties },
    });
  }

  /** Replaces the app settings. */
  settings(properties: Record<string, string>, name = "app"): Promise<Answer> {
    return this.call("PUT", `${this.site(name)}/config/appsettings`, { properties });
  }

  async references(name = "app"): Promise<Answer["body"]> {
    const { body } = await this.call("GET", `${this.site(name)}/config/configreferences/appsettings`);
    return Object.fromEntries(
      body.value.map((each: { name: string; properties: object }) => [each.name, each.properties]),
    );
  }

  /** A vault with role-based access that the owner may write to. */
  async putVault(name: string): Promise<void> {
    const owner = this.cloud.principals.byName("owner")?.objectId ?? "";
    await this.call("PUT", this.at(`Microsoft.KeyVault/vaults/${name}`), {
      location: "eastus",
      properties: {
        tenantId: this.cloud.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
      },
    });
    await this.grant(
      this.at(`Microsoft.KeyVault/vaults/${name}`),
      owner,
      "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    );
  }

  /** Lets a principal read the secrets of a vault. */
  async grantReading(vault: string, principalId: string): Promise<void> {
    const scope = this.at(`Microsoft.KeyVault/vaults/${vault}`);
    await this.grant(scope, principalId, "4633458b-17de-408a-b874-0445c86b69e6");
  }

  async grant(scope: string, principalId: string, role: string): Promise<void> {
    const answer = await this.call(
      "PUT",
      `${scope}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`,
      {
        properties: {
          principalId,
          principalType: "ServicePrincipal",
          roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${role}`,
        },
      },
    );
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  }

  /** Writes a new version of a secret and returns the version. */
  async putSecret(vault: string, name: string, value: string): Promise<string> {
    const service = createVault(this.cloud);
    const response = await service.inject({
      method: "PUT",
      url: `/secrets/${name}?api-version=7.4`,
      headers: {
        host: `${vault}.vault.azure.net`,
        authorization: `Bearer ${await this.token("owner", "https://vault.azure.net")}`,
        "content-type": "application/json",
      },
      payload: JSON.stringify({ value }),
    });
    if (response.statusCode !== 200) throw new Error(response.body);
    return String(response.json().id).split("/").at(-1) ?? "";
  }
}

/** A TestCloud whose sites really run, reached on a loopback port by their host names. */
export class RunningCloud extends TestCloud {
  runtime: SiteRuntime;
  #scm: Service;
  #server: http.Server;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #options: RuntimeOptions;

  constructor(options: Partial<RuntimeOptions> = {}, settings?: SettingsPatch) {
    super(settings);
    this.#options = { childEnv: () => ({ HTTPS_PROXY: "http://127.0.0.1:9" }), ...options };
    this.runtime = createSiteRuntime(this.cloud, this.#options);
    this.#scm = createScm(this.cloud, this.runtime);
    this.#server = http.createServer(createSites(this.cloud, this.runtime));
  }

  async start(): Promise<this> {
    await this.runtime.start();
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    await this.foundation();
    return this;
  }

  /** As a restart of the sandbox does it. */
  async restart(): Promise<void> {
    await this.stop();
    this.reopen();
    this.runtime = createSiteRuntime(this.cloud, this.#options);
    this.#scm = createScm(this.cloud, this.runtime);
    this.#server = http.createServer(createSites(this.cloud, this.runtime));
    await this.runtime.start();
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    await this.runtime.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async end(): Promise<void> {
    await this.stop();
    this.#agent.destroy();
    this.close();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Sends a request to a site's host name. */
  visit(
    route: string,
    options: { method?: string; name?: string; body?: string; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; body: string; headers: http.IncomingHttpHeaders }> {
    const { method = "GET", name = "app", body, headers } = options;
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          host: "127.0.0.1",
          port: this.port,
          path: route,
          method,
          agent: this.#agent,
          headers: { host: `${name}.azurewebsites.net`, ...headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString(),
              headers: response.headers,
            }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  /** Sends a request to a site's scm host. */
  async scm(
    method: "GET" | "POST" | "PUT" | "DELETE",
    url: string,
    options: { body?: Buffer; authorization?: string; as?: KnownPrincipal; name?: string } = {},
  ): Promise<Answer> {
    const response = await this.#scm.inject({
      method,
      url,
      headers: {
        host: `${options.name ?? "app"}.scm.azurewebsites.net`,
        authorization: options.authorization ?? `Bearer ${await this.token(options.as)}`,
        "content-type": "application/octet-stream",
      },
      ...(options.body === undefined ? {} : { payload: options.body }),
    });
    const json = String(response.headers["content-type"]).includes("json") && response.body !== "";
    return {
      status: response.statusCode,
      headers: response.headers,
      body: json ? response.json() : response.body,
    };
  }

  async deploy(files: Record<string, string>, name = "app"): Promise<Answer> {
    const answer = await this.scm("POST", "/api/publish?type=zip", { body: zip(files), name });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer;
  }
}

export function zip(files: Record<string, string>): Buffer {
  return Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))),
  );
}

/** Waits until a condition holds, looking again whenever the event loop has turned. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await setImmediate();
  }
}

const host = JSON.stringify({
  version: "2.0",
  customHandler: {
    description: { defaultExecutablePath: "node", arguments: ["app.mjs"] },
    enableForwardingHttpRequest: true,
  },
});

/** A Function App that tells about itself; `more` is added to its routes. */
export function testApp(more = ""): Record<string, string> {
  return {
    "host.json": host,
    "main/function.json": JSON.stringify({ bindings: [{ type: "httpTrigger", route: "{*route}" }] }),
    "app.mjs": `
import http from "node:http";
const held = [];
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/api/env") return response.end(JSON.stringify(process.env));
  if (url.pathname === "/api/pid") return response.end(String(process.pid));
  if (url.pathname === "/api/cwd") return response.end(process.cwd());
  if (url.pathname === "/api/key") return response.end(process.env.KEY ?? "none");
  if (url.pathname === "/api/headers") return response.end(JSON.stringify(request.headers));
  if (url.pathname === "/api/hold") { held.push(response); return; }
  if (url.pathname === "/api/held") return response.end(String(held.length));
  if (url.pathname === "/api/echo") { response.writeHead(201, { "x-method": request.method }); return void request.pipe(response); }
  if (url.pathname === "/api/break") { response.writeHead(200, { "content-length": "100" }); response.write("half"); setImmediate(() => response.destroy()); return; }
  if (url.pathname === "/api/exit") process.exit(3);
  if (url.pathname === "/api/say") { console.log(url.searchParams.get("what")); return response.end("said"); }
  ${more}
  response.writeHead(404).end();
});
process.on("SIGUSR2", () => { for (const response of held.splice(0)) response.end("let go by " + process.pid); });
server.listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), "127.0.0.1");
`,
  };
}
