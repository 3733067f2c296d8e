import { setTimeout as sleep } from "node:timers/promises";
import type { ArmRequest, ArmResponse, ArmTransport } from "./transport.ts";

export const armHost = "management.azure.com";

/** An answer that was not what was asked for, worded as the real provider words it. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, message: string) {
    super(`Status=${status}${code === undefined ? "" : ` Code="${code}"`} Message="${message}"`);
    this.name = "ArmError";
    this.status = status;
    this.code = code;
  }
}

/** An answer with its headers in lower case and its body parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** How often and how patiently an answer is asked for again. Times in milliseconds. */
export interface RetryPolicy {
  readonly tries: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A `Retry-After` beyond this is not waited for (azcore: 120 s). */
  readonly patienceMs: number;
}

export const defaultRetry: RetryPolicy = {
  tries: 6,
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  patienceMs: 120_000,
};

/** What azcore asks again for. A 409 is an answer, but for this one code that means «wait». */
const again: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The provider's HTTP client: retries as azcore does, and turns what is no answer into `ArmError`. */
export class ArmClient {
  readonly #transport: ArmTransport;
  readonly #retry: RetryPolicy;

  constructor(transport: ArmTransport, retry: RetryPolicy = defaultRetry) {
    this.#transport = transport;
    this.#retry = retry;
  }

  /**
   * Sends until there is an answer that does not ask for another try. Every request that the provider sends may be sent
   * twice (PUT, GET, DELETE, and POSTs that only list), so an answer that was lost is asked for again.
   * @throws the signal's reason when it aborts; what the transport threw when every try was lost.
   */
  async send(request: ArmRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      request.signal?.throwIfAborted();
      const isLast = attempt >= this.#retry.tries;
      const outcome = await this.#once(request);
      let wait = this.#backoff(attempt);
      if ("lost" in outcome) {
        request.signal?.throwIfAborted();
        if (isLast) throw unanswered(request, outcome.lost);
      } else {
        wait = retryAfterMs(outcome.headers) ?? wait;
        if (isLast || !wantsRetry(outcome) || wait > this.#retry.patienceMs) return outcome;
      }
      await pause(wait, request.signal);
    }
  }

  async #once(request: ArmRequest): Promise<Answer | { lost: unknown }> {
    try {
      return normal(await this.#transport(request));
    } catch (error) {
      return { lost: error };
    }
  }

  #backoff(attempt: number): number {
    return Math.min(this.#retry.maxDelayMs, this.#retry.firstDelayMs * 2 ** (attempt - 1));
  }
}

function wantsRetry(answer: Answer): boolean {
  if (again.has(answer.status)) return true;
  return answer.status === 409 && errorOf(answer).code === "AnotherOperationInProgress";
}

function unanswered(request: ArmRequest, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${request.method} https://${request.host}${request.path}: no answer (${why})`, { cause });
}

/** The wait that an answer asks for: `retry-after-ms`, `x-ms-retry-after-ms`, then `Retry-After` in seconds. */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  for (const [name, unit] of [
    ["retry-after-ms", 1],
    ["x-ms-retry-after-ms", 1],
    ["retry-after", 1000],
  ] as const) {
    const text = headers[name];
    if (text !== undefined && /^\d+(\.\d+)?$/.test(text)) return Number(text) * unit;
  }
  return undefined;
}

/** Waits, or throws the signal's reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The error of an answer, as ARM and Key Vault word theirs. */
export function armError(answer: Answer): ArmError {
  const { code, message } = errorOf(answer);
  return new ArmError(answer.status, code, message);
}

function errorOf(answer: Answer): { code: string | undefined; message: string } {
  const { body } = answer;
  const error = isRecord(body) && isRecord(body.error) ? body.error : body;
  if (isRecord(error)) {
    const code = error.code ?? error.Code;
    const message = error.message ?? error.Message;
    if (typeof message === "string") return { code: typeof code === "string" ? code : undefined, message };
  }
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  return { code: undefined, message: text.slice(0, 500) };
}

function normal(response: ArmResponse): Answer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined)
      headers[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
  }
  return { status: response.status, headers, body: parsed(response.body) };
}

function parsed(body: unknown): unknown {
  if (body === null || body === "") return undefined;
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
