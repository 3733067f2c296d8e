import type { Settings } from "./settings.ts";

/** What the model said, or why it did not. */
export type ModelAnswer =
  | { readonly kind: "reply"; readonly reply: string; readonly model: string | undefined }
  | {
      readonly kind: "failed";
      /** Plain words for the caller. Never holds what the model's side said: that may echo the request. */
      readonly message: string;
      /** Status of the model's answer, when there was one. */
      readonly status?: number;
      /** The answer's Retry-After, in seconds or as a date. */
      readonly retryAfter?: string;
    }
  | { readonly kind: "timeout"; readonly message: string };

/** Longest answer that is read, in bytes. */
const ANSWER_LIMIT = 4 * 1024 * 1024;

/** Asks the model one thing. Never throws, and never puts the key into what it returns. */
export async function ask(settings: Settings, message: string, timeoutMs: number): Promise<ModelAnswer> {
  const { endpoint = "", deployment = "", apiVersion, key } = settings;
  const url = new URL(
    `openai/deployments/${encodeURIComponent(deployment)}/chat/completions?api-version=${encodeURIComponent(apiVersion)}`,
    endpoint.endsWith("/") ? endpoint : `${endpoint}/`,
  );
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "api-key": key.loaded ? key.value : "" },
      body: JSON.stringify({ messages: [{ role: "user", content: message }] }),
      // The key goes to the endpoint that is configured, and to no other that an answer names.
      redirect: "error",
      signal,
    });
    if (response.ok) return await readReply(response);
    await response.body?.cancel();
    const retryAfter = response.headers.get("retry-after");
    return {
      kind: "failed",
      message: `The model answered with status ${response.status}.`,
      status: response.status,
      ...(retryAfter === null ? {} : { retryAfter }),
    };
  } catch {
    // The error is not looked at: a rejected header's message quotes the header, which is the key.
    if (signal.aborted)
      return { kind: "timeout", message: `The model did not answer within ${timeoutMs} ms.` };
    return { kind: "failed", message: "The model could not be reached." };
  }
}

async function readReply(response: Response): Promise<ModelAnswer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_LIMIT)
      return { kind: "failed", message: "The model's answer is too long.", status: response.status };
    chunks.push(chunk);
  }
  const answer = parse(Buffer.concat(chunks).toString("utf8")) as Completion | undefined;
  const reply = answer?.choices?.[0]?.message?.content;
  if (typeof reply !== "string") {
    return { kind: "failed", message: "The model's answer holds no reply.", status: response.status };
  }
  return { kind: "reply", reply, model: typeof answer?.model === "string" ? answer.model : undefined };
}

interface Completion {
  readonly model?: unknown;
  readonly choices?: readonly { readonly message?: { readonly content?: unknown } }[];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
