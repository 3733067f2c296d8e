import { randomUUID } from "node:crypto";
import https from "node:https";
import { json } from "node:stream/consumers";
import type { Cloud } from "../core/cloud.ts";
import { accessTokenSeconds } from "../core/tokens.ts";
import type { ProviderPorts, ProviderServer } from "../providers/server.ts";
import type { ArmRequest, ArmResponse } from "../providers/transport.ts";

interface Session {
  readonly clientId: string;
  readonly projectDir: string;
  /** Of an older sandbox, those of its providers. */
  readonly ports: Partial<ProviderPorts>;
}

/** How providers reach the cloud, and as whom. */
interface Reach {
  environment(clientId: string): Record<string, string>;
  agent(): https.Agent;
  /** The principal's token of the sandbox's GitHub. */
  gitHubToken(clientId: string): string;
  readonly gitHubOwner: string;
  /** The path of the principal's kubeconfig; undefined while there is no API server to use it with. */
  kubeconfig(clientId: string): string | undefined;
}

const armAudience = "https://management.azure.com";

/** Seconds before its end at which a session's token is renewed. */
const renewal = 300;

/**
 * The gRPC providers that engines attach to: one set of ports for each principal and project, so that a provider acts
 * as who runs Pulumi, in the folder where it runs. Ports stay the same from life to life of the sandbox, since shells
 * were told them.
 */
export class ProviderSessions {
  readonly #cloud: Cloud;
  readonly #reach: Reach;
  readonly #open = new Map<string, Promise<ProviderServer>>();
  #agent: https.Agent | undefined;

  constructor(cloud: Cloud, reach: Reach) {
    this.#cloud = cloud;
    this.#reach = reach;
  }

  async open(clientId: string, projectDir: string): Promise<ProviderPorts> {
    const key = `${clientId} ${projectDir}`;
    const saved = this.#saved().get(key);
    let opening = this.#open.get(key);
    if (opening === undefined) {
      opening = this.#serve(clientId, projectDir, saved?.ports);
      this.#open.set(key, opening);
      opening.catch(() => this.#open.delete(key));
    }
    const { ports } = await opening;
    if (JSON.stringify(saved?.ports) !== JSON.stringify(ports)) {
      this.#saved().put(key, { clientId, projectDir, ports });
    }
    return ports;
  }

  /** Opens what was open in the last life. A port that someone took meanwhile is left for `open` to replace. */
  async reopen(): Promise<void> {
    for (const { clientId, projectDir } of this.#saved().values()) {
      if (this.#cloud.principals.byClientId(clientId) !== undefined) await this.open(clientId, projectDir);
    }
  }

  async close(): Promise<void> {
    for (const server of await Promise.allSettled(this.#open.values())) {
      if (server.status === "fulfilled") await server.value.close();
    }
    this.#agent?.destroy();
  }

  #saved() {
    return this.#cloud.store.collection<Session>("provider-sessions");
  }

  async #serve(
    clientId: string,
    projectDir: string,
    ports: Partial<ProviderPorts> | undefined,
  ): Promise<ProviderServer> {
    // gRPC and the generated messages are slow to load, and a sandbox used without Pulumi never needs them.
    const { serveProviders } = await import("../providers/server.ts");
    const getToken = this.#tokens(clientId);
    const options = {
      subscriptionId: this.#cloud.subscriptionId,
      tenantId: this.#cloud.tenantId,
      armTransport: this.#transport(clientId, getToken),
      getToken,
      gitHubOwner: this.#reach.gitHubOwner,
      kubeconfig: () => this.#reach.kubeconfig(clientId),
      commandEnv: () => this.#reach.environment(clientId),
      projectDir,
    };
    if (ports === undefined) return serveProviders(options);
    try {
      return await serveProviders({ ...options, ports });
    } catch {
      return serveProviders(options);
    }
  }

  /** Sends a provider's requests through the front door, as any client's. */
  #transport(
    clientId: string,
    getToken: (audience: string) => Promise<string>,
  ): (request: ArmRequest) => Promise<ArmResponse> {
    const tokenFor = async ({ host }: ArmRequest): Promise<string> => {
      if (host === "api.github.com") return this.#reach.gitHubToken(clientId);
      return getToken(host.endsWith(".vault.azure.net") ? "https://vault.azure.net" : armAudience);
    };
    return async (request) => {
      this.#agent ??= this.#reach.agent();
      return send(this.#agent, request.token ?? (await tokenFor(request)), request);
    };
  }

  /** Tokens of one principal, each kept until shortly before its end. */
  #tokens(clientId: string): (scope: string) => Promise<string> {
    const kept = new Map<string, { value: Promise<string>; until: number }>();
    return async (scope) => {
      const audience = scope.replace(/\/\.default$/, "");
      const principal = this.#cloud.principals.byClientId(clientId);
      if (principal === undefined)
        throw new Error(`the sandbox has no principal with the client id '${clientId}' any more`);
      let token = kept.get(audience);
      if (token === undefined || token.until < Date.now()) {
        const value = this.#cloud.tokens.issue(principal, audience);
        token = { value, until: Date.now() + (accessTokenSeconds - renewal) * 1000 };
        kept.set(audience, token);
        this.#cloud.mint.rememberToken(await value, principal.name);
      }
      return token.value;
    };
  }
}

function send(agent: https.Agent, token: string, request: ArmRequest): Promise<ArmResponse> {
  const url = new URL(request.path, `https://${request.host}`);
  for (const [name, value] of Object.entries(request.query)) url.searchParams.set(name, value);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  return new Promise((resolve, reject) => {
    const outgoing = https.request(
      url,
      {
        method: request.method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          "user-agent": "pulumi",
          "x-ms-client-request-id": randomUUID(),
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        },
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
      (response) => {
        const headers = response.headers as Record<string, string | undefined>;
        const status = response.statusCode ?? 0;
        const isJson = /json/.test(headers["content-type"] ?? "");
        const read = isJson
          ? json(response)
          : new Promise((done) => response.resume().on("end", () => done(undefined)));
        read.then((parsed) => resolve({ status, headers, body: parsed }), reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
