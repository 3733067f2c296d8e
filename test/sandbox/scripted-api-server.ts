import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Cluster, User } from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type TlsMaterial, tlsMaterial } from "../../sandbox/front/certificates.ts";
import { KubeClient } from "../../sandbox/providers/kubernetes/client.ts";
import { Connection } from "../../sandbox/providers/kubernetes/connection.ts";
import { SharedConfig } from "../../sandbox/providers/kubernetes/shared-config.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const say =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
export const refuse = (code: number, reason: string, message: string, headers?: Record<string, string>) =>
  say(code, { kind: "Status", code, reason, message }, headers);
export const hangUp: Answer = (request) => request.socket.destroy();
/** A watch on which nothing happens. */
export const quiet: Answer = (_, response) => response.writeHead(200).flushHeaders();

/** An object of a list or a watch. */
export const object = (name: string, version: number, uid = name) => ({
  metadata: { name, uid, resourceVersion: String(version), generation: 1 },
});
export const list = (version: number, ...items: object[]) =>
  say(200, { kind: "ThingList", apiVersion: "v1", metadata: { resourceVersion: String(version) }, items });
export const event = (type: string, of: object) => `${JSON.stringify({ type, object: of })}\n`;

/** An API server of which every answer is scripted; it is always ready. */
export class ScriptedApiServer {
  /** What it does with the next requests. */
  script: Answer[] = [];
  /** And what when nothing is left. */
  otherwise: Answer = say(200, { fine: true });
  /** Method and path of all that it was asked. */
  readonly asked: string[] = [];
  /** Connections that were made to it. */
  connections = 0;
  readonly #tls: TlsMaterial;
  readonly #server: https.Server;

  constructor(tls: TlsMaterial) {
    this.#tls = tls;
    this.#server = https.createServer(tls, (request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      if (request.url === "/readyz") response.end("ok");
      else (this.script.shift() ?? this.otherwise)(request, response);
    });
    this.#server.on("secureConnection", () => this.connections++);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param port a free one by default */
  async listen(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Has another answer requests, those for `/readyz` included. */
  answer(answer: Answer): void {
    this.#server.removeAllListeners("request");
    this.#server.on("request", answer);
  }

  /** How many connections are open. */
  open(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  /** What a kubeconfig says of it; it answers under another name than its address. */
  config(cluster: Partial<Cluster> = {}, user: Partial<User> = { token: "a-token" }): SharedConfig {
    const config = new SharedConfig("pulumi-kubernetes");
    config.loadFromClusterAndUser(
      {
        name: "it",
        server: `https://127.0.0.1:${this.port}`,
        caData: Buffer.from(this.#tls.ca).toString("base64"),
        tlsServerName: "management.azure.com",
        skipTLSVerify: false,
        ...cluster,
      },
      { name: "me", ...user },
    );
    return config;
  }

  async client(options: { quietMs?: number } = {}): Promise<KubeClient> {
    return new KubeClient(await Connection.open(this.config(), options));
  }
}

/** The server of the test that runs. */
export let server: ScriptedApiServer;
/** A slow machine must not turn a condition into a failure. */
export const soon = { timeout: 60_000 };

/** Gives each test of a file a server of its own, which ends after whatever the test itself has open. */
export function useScriptedServer(): void {
  let folder: string;
  let tls: TlsMaterial;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "scripted-api-server-"));
    tls = await tlsMaterial(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    server = new ScriptedApiServer(tls);
    await server.listen();
  });
  afterEach(() => server.close());
}
