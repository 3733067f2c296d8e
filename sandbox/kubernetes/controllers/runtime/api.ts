import type { Connection, KubeRequest } from "../../../providers/kubernetes/connection.ts";
import { textAt } from "../../../providers/kubernetes/json.ts";
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

/** The longest that a request may take, its turn included, in milliseconds. */
const longestMs = 60_000;

/** The API by the official client. */
export class ClientApi implements Api {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
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
    method: KubeRequest["method"],
    path: string,
    body?: unknown,
    contentType = "application/json",
  ): Promise<unknown> {
    const signal = AbortSignal.timeout(longestMs);
    const answer = await this.#connection
      .ask({ method, path, body, contentType, signal })
      .catch((error: Error) => {
        const message = signal.aborted ? "the API server does not answer" : error.message;
        throw new ApiError(0, "Unreachable", message);
      });
    const { status, body: said } = answer;
    if (status >= 200 && status < 300) return said;
    const reason = textAt(said, "reason") ?? "Unknown";
    throw new ApiError(status, reason, textAt(said, "message") ?? `HTTP ${status}`);
  }
}

function pathOf(kind: Kind, object: KubeObject): string {
  return objectPath(kind, object.metadata.namespace, object.metadata.name);
}
