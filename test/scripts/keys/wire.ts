import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";

/** An answer of the cloud, as it goes over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A request as it went over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Host and path, without the query. */
  readonly place: string;
  readonly version: string | null;
  readonly token: string | undefined;
  readonly body: unknown;
}

/** What the SDKs send their requests through in a test. Answers by method and path; what is not foreseen fails. */
export class Wire implements HttpClient {
  readonly requests: WireRequest[] = [];
  readonly #answers = new Map<string, WireAnswer[]>();

  /** Answers requests of this kind with these, one after the other; the last one for good. */
  on(kind: string, ...answers: WireAnswer[]): this {
    this.#answers.set(kind, answers);
    return this;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const url = new URL(request.url);
    const place = url.host + url.pathname;
    const kind = `${request.method} ${place}`;
    const answers = this.#answers.get(kind);
    const next = (answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0]) ?? {
      status: 418,
    };
    const { body } = request;
    this.requests.push({
      method: request.method,
      place,
      version: url.searchParams.get("api-version"),
      token: request.headers.get("authorization"),
      body: typeof body === "string" && body !== "" ? JSON.parse(body) : body,
    });
    return {
      request,
      status: next.status,
      headers: createHttpHeaders({ "content-type": "application/json", ...next.headers }),
      bodyAsText: next.body === undefined ? "" : JSON.stringify(next.body),
    };
  }
}

/** Someone whose token names what it is for. */
export const credential: TokenCredential = {
  getToken: async (scopes) => ({
    token: `token for ${[scopes].flat().join()}`,
    expiresOnTimestamp: Date.now() + 3_600_000,
  }),
};

export const ARM_TOKEN = "Bearer token for https://management.azure.com/.default";
