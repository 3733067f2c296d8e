import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, UnreachableError } from "./api-error.ts";
import { isJsonMap, type JsonMap } from "./json.ts";

/** Where an API server is and how one signs in to it. */
export interface Connection {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<https.AgentOptions, "ca" | "cert" | "key" | "servername" | "rejectUnauthorized">;
}

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** @default application/json */
  readonly contentType?: string;
  readonly signal: AbortSignal;
  /** The request ended without an answer, and is sent again: it may have been done already. */
  readonly onLost?: () => void;
}

export interface KubeAnswer {
  readonly body: JsonMap;
  /** What the API server wants whoever asked to know: deprecated versions, unknown fields. */
  readonly warnings: readonly string[];
}

/** Connections for single requests; more than that many would only wait for the API server. */
const maxSockets = 48;
/** How long requests wait for an API server that is away or not itself, in milliseconds: it restarts in four seconds, on a busy machine in thirty. */
const patienceMs = 120_000;
/** Between two looks whether it is back. */
const lookMs = 100;
/** Refusals of one that is starting, which does not know rights and kinds yet. */
const doubtful: ReadonlySet<number> = new Set([401, 403, 404]);
/** An API server that was found ready is believed to be for so long. */
const readyMs = 1_000;

/**
 * Requests to one API server as one user, over kept connections. One that is away for a while (killed, restarted) is
 * waited for: all that wait, wait for one and the same look. Until it is ready, it may refuse what it does not know yet
 * (rights, definitions), so refusals of that kind count only from a ready one.
 */
export class KubeClient {
  readonly server: string;
  readonly #base: URL;
  readonly #connection: Connection;
  readonly #agent: https.Agent;
  readonly #watchAgent: https.Agent;
  #back: Promise<void> | undefined;
  #look: Promise<boolean> | undefined;
  #readyUntil = 0;
  #closed = new AbortController();

  constructor(connection: Connection) {
    this.server = connection.server;
    this.#base = new URL(connection.server);
    this.#connection = connection;
    this.#agent = new https.Agent({ ...connection.tls, keepAlive: true, maxSockets });
    this.#watchAgent = new https.Agent({ ...connection.tls, keepAlive: true });
  }

  close(): void {
    this.#closed.abort(new Error("the sandbox is stopping"));
    this.#agent.destroy();
    this.#watchAgent.destroy();
  }

  /** @throws ApiError for what is refused; UnreachableError */
  async send(request: KubeRequest): Promise<KubeAnswer> {
    const until = performance.now() + patienceMs;
    for (let attempt = 0; ; attempt++) {
      request.signal.throwIfAborted();
      let failure: ApiError | undefined;
      const ready = performance.now() < this.#readyUntil;
      try {
        const answer = await this.#once(request);
        if (answer.status < 300) return { body: answer.body, warnings: answer.warnings };
        failure = new ApiError(answer.status, answer.body);
        if (!passing(answer.status, failure)) {
          if (ready || !doubtful.has(answer.status)) throw failure;
          // It may have become ready after it refused: only the next refusal counts.
          if (await this.#isReady()) continue;
        }
        if (performance.now() > until) throw failure;
        await delay(retryAfter(answer.retryAfter, attempt), undefined, { signal: request.signal });
      } catch (error) {
        request.signal.throwIfAborted();
        if (failure !== undefined || !isLost(error)) throw error;
        if (performance.now() > until) throw this.#unreachable(error);
        request.onLost?.();
        await withSignal(this.#whenBack(until, error), request.signal);
      }
    }
  }

  /** Reads a stream of lines until it ends; a stream may stand still for as long as the API server likes. */
  async stream(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onLine: (line: string) => void,
  ): Promise<void> {
    const all = AbortSignal.any([signal, this.#closed.signal]);
    const response = await this.#open({ method: "GET", path, query, signal: all }, this.#watchAgent);
    response.setEncoding("utf8");
    if (response.statusCode !== 200)
      throw new ApiError(response.statusCode ?? 0, parse(await whole(response)));
    let rest = "";
    for await (const chunk of response) {
      rest += String(chunk);
      let end = rest.indexOf("\n");
      let from = 0;
      for (; end !== -1; end = rest.indexOf("\n", from)) {
        onLine(rest.slice(from, end));
        from = end + 1;
      }
      rest = rest.slice(from);
    }
  }

  #isReady(): Promise<boolean> {
    this.#look ??= this.#lookReady().finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  async #lookReady(): Promise<boolean> {
    try {
      const answer = await this.#once({ method: "GET", path: "/readyz", signal: AbortSignal.timeout(2_000) });
      // Anyone may ask, as soon as rights are known.
      const ready = answer.status < 300;
      if (ready) this.#readyUntil = performance.now() + readyMs;
      return ready;
    } catch {
      return false;
    }
  }

  #whenBack(until: number, cause: unknown): Promise<void> {
    this.#readyUntil = 0;
    this.#back ??= (async () => {
      try {
        while (!(await this.#isReady())) {
          this.#closed.signal.throwIfAborted();
          if (performance.now() > until) throw this.#unreachable(cause);
          await delay(lookMs);
        }
      } finally {
        this.#back = undefined;
      }
    })();
    return this.#back;
  }

  #unreachable(cause: unknown): UnreachableError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new UnreachableError(`${this.server} does not answer (${reason})`, cause);
  }

  async #once(request: KubeRequest): Promise<{
    status: number;
    body: JsonMap;
    warnings: string[];
    retryAfter: string | undefined;
  }> {
    const response = await this.#open(request, this.#agent);
    response.setEncoding("utf8");
    const text = await whole(response);
    return {
      status: response.statusCode ?? 0,
      body: parse(text),
      warnings: warningsOf(response.headers.warning),
      retryAfter: response.headers["retry-after"],
    };
  }

  #open(request: KubeRequest, agent: https.Agent): Promise<import("node:http").IncomingMessage> {
    const url = new URL(request.path, this.#base);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    return new Promise((resolve, reject) => {
      const outgoing = https.request(
        url,
        {
          method: request.method,
          agent,
          signal: request.signal,
          headers: {
            ...this.#connection.headers,
            accept: "application/json",
            "user-agent": "pulumi-kubernetes",
            ...(body === undefined
              ? {}
              : {
                  "content-type": request.contentType ?? "application/json",
                  "content-length": Buffer.byteLength(body),
                }),
          },
        },
        resolve,
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}

async function whole(response: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

function parse(text: string): JsonMap {
  try {
    const json: unknown = JSON.parse(text);
    return isJsonMap(json) ? json : {};
  } catch {
    return text === "" ? {} : { message: text.trim() };
  }
}

/** Refusals that pass by themselves: too much at once, an API server that starts or stops, an etcd that changes its leader. */
function passing(status: number, failure: ApiError): boolean {
  if (status === 429 || status === 502 || status === 503 || status === 504) return true;
  return (
    status === 500 &&
    /etcdserver|leader changed|connection refused|not yet ready|shutting down/i.test(failure.message)
  );
}

/** Milliseconds. */
function retryAfter(seconds: string | undefined, attempt: number): number {
  const asked = Number(seconds);
  return Number.isFinite(asked) && asked > 0
    ? Math.min(asked, 5) * 1000
    : Math.min(100 * 2 ** attempt, 2_000);
}

/** Whether a request ended without an answer, as it does when the API server is killed. */
export function isLost(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === "AbortError") return false;
  return [
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "ERR_STREAM_PREMATURE_CLOSE",
    "ECONNABORTED",
  ].includes(String(code));
}

/** Texts of `Warning` headers (RFC 9111, 5.5): `299 - "text"`, more than one with commas between. */
export function warningsOf(header: string | undefined): string[] {
  return [...(header ?? "").matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}

/** Waits with others, but not longer than one's own signal allows. */
function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
