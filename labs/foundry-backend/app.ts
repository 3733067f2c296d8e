import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ask } from "./model.ts";
import { missing, type Settings } from "./settings.ts";

/** Limits of the app. All have a default. */
export interface Limits {
  /** Largest request body, in bytes. @default 65536 */
  readonly bodyBytes?: number;
  /** How long the model may take, in milliseconds. @default 60000 */
  readonly modelTimeoutMs?: number;
}

/** Header that asks the health check for a proof of the key: 16 to 128 letters, digits, `_` and `-`, used once. */
export const CHALLENGE_HEADER = "x-key-challenge";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** The backend as an HTTP server that does not listen yet. */
export function createApp(settings: Settings, limits: Limits = {}): Server {
  const { bodyBytes = 64 * 1024, modelTimeoutMs = 60_000 } = limits;
  const server = createServer(async (request, response) => {
    const answer = await route(request).catch(
      (): Answer => ({ status: 500, body: { error: "The request could not be handled." } }),
    );
    send(response, answer, !server.listening);
  });
  // A client that never finishes its request must not keep the process from ending.
  server.requestTimeout = 30_000;
  server.headersTimeout = 15_000;
  return server;

  async function route(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? "/").split("?", 1)[0];
    if (path === "/api/health") {
      return only(request, "GET") ?? health(settings, request.headers[CHALLENGE_HEADER]);
    }
    if (path === "/api/chat") return only(request, "POST") ?? (await chat(request));
    return { status: 404, body: { error: "There is GET /api/health and POST /api/chat." } };
  }

  async function chat(request: IncomingMessage): Promise<Answer> {
    const body = await readBody(request, bodyBytes);
    if (body === undefined) {
      const error = `The body is larger than ${bodyBytes} bytes.`;
      return { status: 413, body: { error }, headers: { connection: "close" } };
    }
    const message = messageOf(body);
    if (message === undefined) {
      return {
        status: 400,
        body: { error: 'Send JSON of the form {"message": "…"} with a text that is not empty.' },
      };
    }
    const reason = missing(settings);
    if (reason !== undefined) return { status: 503, body: { error: reason } };
    const answer = await ask(settings, message, modelTimeoutMs);
    if (answer.kind === "reply") return { status: 200, body: { reply: answer.reply, model: answer.model } };
    if (answer.kind === "timeout") return { status: 504, body: { error: answer.message } };
    return {
      status: 502,
      body: { error: answer.message, upstreamStatus: answer.status },
      ...(answer.retryAfter === undefined ? {} : { headers: { "retry-after": answer.retryAfter } }),
    };
  }
}

/**
 * Whether the app can call the model. Tells that a key is loaded, never the key.
 *
 * To a challenge it answers with a proof of which key it is: only who holds the same key can say it, and from the proof
 * nobody gets to the key. So a rotation sees that the app serves with the new one.
 */
export function health(settings: Settings, challenge?: string | readonly string[]): Answer {
  const reason = missing(settings);
  const keyLoaded = settings.key.loaded;
  const { deployment } = settings;
  const keyProof = proofOf(settings, challenge);
  const proof = keyProof === undefined ? {} : { keyProof };
  return reason === undefined
    ? { status: 200, body: { status: "ok", keyLoaded, deployment, ...proof } }
    : { status: 503, body: { status: "unavailable", keyLoaded, deployment, reason, ...proof } };
}

/** HMAC-SHA256 of the challenge under the key, in base64url. A short challenge could be one that others have used too. */
function proofOf({ key }: Settings, challenge: string | readonly string[] | undefined): string | undefined {
  if (!key.loaded || typeof challenge !== "string" || !/^[\w-]{16,128}$/.test(challenge)) return undefined;
  return createHmac("sha256", key.value).update(challenge).digest("base64url");
}

function only(request: IncomingMessage, method: string): Answer | undefined {
  if (request.method === method) return undefined;
  return { status: 405, body: { error: `Use ${method}.` }, headers: { allow: method } };
}

/** The body as text, or undefined when it is larger than allowed. What is too much is not kept. */
async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(body: string): string | undefined {
  try {
    const { message } = (JSON.parse(body) ?? {}) as { message?: unknown };
    return typeof message === "string" && message.trim() !== "" ? message : undefined;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer, closing: boolean): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
    ...(closing ? { connection: "close" } : {}),
  });
  response.end(text);
}
