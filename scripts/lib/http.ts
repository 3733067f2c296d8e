import {
  createDefaultHttpClient,
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
  request: { url: string; method: "GET" | "POST"; json?: unknown; timeoutMs: number; signal: AbortSignal },
): Promise<Answer> {
  const pipeline = createPipelineFromOptions({
    ...target.clientOptions,
    retryOptions: { maxRetries: 3 },
    userAgentOptions: { userAgentPrefix: "kiln" },
  });
  const response = await pipeline.sendRequest(
    createDefaultHttpClient(),
    createPipelineRequest({
      url: request.url,
      method: request.method,
      timeout: request.timeoutMs,
      abortSignal: request.signal,
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
    }),
  );
  return { status: response.status, body: response.bodyAsText ?? "" };
}
