import { setTimeout as delay } from "node:timers/promises";
import { type Answer, isPassing, waitBefore } from "./answer.ts";
import { ApiError, UnreachableError } from "./api-error.ts";
import type { Connection, KubeRequest as Request } from "./connection.ts";
import type { JsonMap } from "./json.ts";
import { isLost } from "./lost.ts";
import { withSignal } from "./signals.ts";

export interface KubeRequest extends Request {
  /** The request ended without an answer, and is sent again: it may have been done already. */
  readonly onLost?: () => void;
}

export type KubeAnswer = Pick<Answer, "body" | "warnings">;

/** How long requests wait for an API server that is away or not itself, in milliseconds: it restarts in four seconds, on a busy machine in thirty. */
const patienceMs = 120_000;
/** Between two looks whether it is back. */
const lookMs = 100;
/** Refusals of one that is starting, which does not know rights and kinds yet. */
const doubtful: ReadonlySet<number> = new Set([401, 403, 404]);
/** An API server that was found ready is believed to be for so long. */
const readyMs = 1_000;

/**
 * Requests to one API server as one user, over the official client. One that is away for a while (killed, restarted) is
 * waited for: all that wait, wait for one and the same look. Until it is ready, it may refuse what it does not know yet
 * (rights, definitions), so refusals of that kind count only from a ready one.
 */
export class KubeClient {
  readonly server: string;
  readonly #connection: Connection;
  #back: Promise<void> | undefined;
  #look: Promise<boolean> | undefined;
  #readyUntil = 0;
  #closed = new AbortController();

  constructor(connection: Connection) {
    this.server = connection.server;
    this.#connection = connection;
  }

  /** Ends what is on its way, too. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the sandbox is stopping"));
    await this.#connection.close();
  }

  /** @throws ApiError for what is refused; UnreachableError */
  async send(request: KubeRequest): Promise<KubeAnswer> {
    const until = performance.now() + patienceMs;
    for (let attempt = 0; ; attempt++) {
      request.signal.throwIfAborted();
      let failure: ApiError | undefined;
      const ready = performance.now() < this.#readyUntil;
      try {
        const answer = await this.#connection.ask(request);
        if (answer.status < 300) return { body: answer.body, warnings: answer.warnings };
        failure = new ApiError(answer.status, answer.body);
        if (!isPassing(answer.status, failure)) {
          if (ready || !doubtful.has(answer.status)) throw failure;
          // It may have become ready after it refused: only the next refusal counts.
          if (await this.#isReady()) continue;
        }
        if (performance.now() > until) throw failure;
        await delay(waitBefore(answer.retryAfter, attempt), undefined, { signal: request.signal });
      } catch (error) {
        request.signal.throwIfAborted();
        this.#closed.signal.throwIfAborted();
        if (failure !== undefined || !isLost(error)) throw error;
        if (performance.now() > until) throw this.#unreachable(error);
        request.onLost?.();
        await withSignal(this.#whenBack(until, error), request.signal);
      }
    }
  }

  /**
   * Tells what changes in a collection from a version on, until the API server ends it or has said nothing for too long.
   * @throws ApiError when it is refused, 410 when the version is too old; whatever broke the connection
   */
  async watch(
    path: string,
    from: string,
    signal: AbortSignal,
    onEvent: (type: string, object: JsonMap) => void,
  ): Promise<void> {
    try {
      await this.#connection.watch(path, from, signal, onEvent);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code === 410) throw error;
      // Asked for as a request, it is refused with the reason; or not any more, and then it is begun again.
      const query = { watch: "true", resourceVersion: from, timeoutSeconds: "1" };
      await this.send({ method: "GET", path, query, signal });
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
      const answer = await this.#connection.ask({
        method: "GET",
        path: "/readyz",
        signal: AbortSignal.timeout(2_000),
      });
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
}
