import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import type { CloudTarget } from "./target.ts";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends one request to a host of the cloud, on the target's way (the sandbox's proxy, or directly). */
export async function ask(
  target: Pick<CloudTarget, "clientOptions">,
  request: {
    readonly url: string;
    readonly method: "GET" | "POST";
    readonly json?: unknown;
    /** A header's value is in no log of the pipeline unless the pipeline knows it for harmless. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Answer> {
  const pipeline = createPipelineFromOptions({
    ...target.clientOptions,
    retryOptions: { maxRetries: 3, ...target.clientOptions.retryOptions },
    userAgentOptions: { userAgentPrefix: "kiln" },
  });
  const response = await pipeline.sendRequest(
    target.clientOptions.httpClient ?? createDefaultHttpClient(),
    createPipelineRequest({
      url: request.url,
      method: request.method,
      timeout: request.timeoutMs,
      abortSignal: request.signal,
      headers: createHttpHeaders(request.headers),
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
    }),
  );
  return { status: response.status, body: response.bodyAsText ?? "" };
}
