import https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { collectionPath, type Kind, objectPath } from "./kinds.ts";
import type { KubeObject } from "./objects.ts";

/** The API server said no, or was not there (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** As a Status object has it: `NotFound`, `Conflict`, `Forbidden`… */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** What the controllers ask of an API server. A test gives one that lives in memory. */
export interface Api {
  list(kind: Kind): Promise<{ items: KubeObject[]; metadata: { resourceVersion?: string } }>;
  get(kind: Kind, namespace: string | undefined, name: string): Promise<KubeObject>;
  create(kind: Kind, object: KubeObject): Promise<KubeObject>;
  /** Server-side apply, which takes over what others own. */
  apply(kind: Kind, object: KubeObject): Promise<KubeObject>;
  /** Puts a whole new status in place of the old. */
  putStatus(kind: Kind, object: KubeObject, status: unknown): Promise<KubeObject>;
  /** JSON merge patch. */
  merge(kind: Kind, object: KubeObject, patch: unknown): Promise<KubeObject>;
  /** Deletes this very object, not a later one of its name; none is fine. */
  remove(kind: Kind, object: KubeObject): Promise<void>;
  /** A token for a service account. @throws ApiError */
  tokenFor(namespace: string, serviceAccount: string, audiences: readonly string[]): Promise<string>;
}

/** Who the operators are to the API server: the field manager of what they write. */
export const operatorsManager = "kiln-operators";

/** Requests that may be on their way at once. */
const sockets = 16;

/**
 * The API over HTTPS, with the credentials of a kubeconfig. The official client's own API classes open a connection of
 * their own for each request and build typed objects of each answer; with a thousand models that is most of the work.
 */
export class HttpsApi implements Api {
  readonly #config: KubeConfig;
  readonly #server: URL;
  #agent: https.Agent | undefined;
  #headers: Record<string, string> = {};

  /** @throws Error when the kubeconfig names no cluster */
  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error("the kubeconfig names no cluster");
    this.#config = config;
    this.#server = new URL(cluster.server);
  }

  async list(kind: Kind): Promise<{ items: KubeObject[]; metadata: { resourceVersion?: string } }> {
    const list = await this.#request("GET", collectionPath(kind));
    const { items = [], metadata = {} } = list as {
      items?: KubeObject[];
      metadata?: { resourceVersion?: string };
    };
    // Items of a list come without their kind.
    return {
      items: items.map((each) => ({ ...each, apiVersion: kind.apiVersion, kind: kind.kind })),
      metadata,
    };
  }

  async get(kind: Kind, namespace: string | undefined, name: string): Promise<KubeObject> {
    return (await this.#request("GET", objectPath(kind, namespace, name))) as KubeObject;
  }

  async create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return (await this.#request(
      "POST",
      collectionPath(kind, object.metadata.namespace),
      object,
    )) as KubeObject;
  }

  async apply(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const path = `${pathOf(kind, object)}?fieldManager=${operatorsManager}&force=true`;
    return (await this.#request("PATCH", path, object, "application/apply-patch+yaml")) as KubeObject;
  }

  async putStatus(kind: Kind, object: KubeObject, status: unknown): Promise<KubeObject> {
    const patch = [{ op: "add", path: "/status", value: status }];
    const path = `${pathOf(kind, object)}/status?fieldManager=${operatorsManager}`;
    return (await this.#request("PATCH", path, patch, "application/json-patch+json")) as KubeObject;
  }

  async merge(kind: Kind, object: KubeObject, patch: unknown): Promise<KubeObject> {
    return (await this.#request(
      "PATCH",
      `${pathOf(kind, object)}?fieldManager=${operatorsManager}`,
      patch,
      "application/merge-patch+json",
    )) as KubeObject;
  }

  async remove(kind: Kind, object: KubeObject): Promise<void> {
    const { uid } = object.metadata;
    const body = {
      propagationPolicy: "Background",
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    try {
      await this.#request("DELETE", pathOf(kind, object), body);
    } catch (error) {
      const gone = error instanceof ApiError && (error.status === 404 || error.status === 409);
      if (!gone) throw error;
    }
  }

  async tokenFor(namespace: string, serviceAccount: string, audiences: readonly string[]): Promise<string> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`;
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences, expirationSeconds: 3600 },
    };
    const answer = (await this.#request("POST", path, request)) as { status: { token: string } };
    return answer.status.token;
  }

  async #request(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
  ): Promise<unknown> {
    await this.#connect();
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const request = https.request(
      {
        ...(this.#agent === undefined ? {} : { agent: this.#agent }),
        host: this.#server.hostname,
        port: this.#server.port,
        path,
        method,
        headers: {
          ...this.#headers,
          accept: "application/json",
          ...(payload === undefined ? {} : { "content-type": contentType, "content-length": payload.length }),
        },
        timeout: 30_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error("the API server does not answer")));
    request.on("error", reject);
    request.end(payload);
    const { status, text } = await promise.catch((error: Error) => {
      throw new ApiError(0, "Unreachable", error.message);
    });
    const answer: unknown = parse(text);
    if (status >= 200 && status < 300) return answer;
    const { reason = "Unknown", message = `HTTP ${status}` } = (answer ?? {}) as {
      reason?: string;
      message?: string;
    };
    throw new ApiError(status, reason, message);
  }

  /** The credentials once, and connections that stay open. */
  async #connect(): Promise<void> {
    if (this.#agent !== undefined) return;
    const options: https.RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    for (const [name, value] of Object.entries(options.headers ?? {})) this.#headers[name] = String(value);
    const { ca, cert, key } = options;
    this.#agent ??= new https.Agent({
      keepAlive: true,
      maxSockets: sockets,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  }
}

function pathOf(kind: Kind, object: KubeObject): string {
  return objectPath(kind, object.metadata.namespace, object.metadata.name);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
