import { readFileSync } from "node:fs";
import https from "node:https";
import { text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Requests to the API server that send and take plain text: asking whether it is ready, and definitions of megabytes, which go
 * as they stand in their files. Where objects are worked with there is the official client, which takes half a second and
 * 90 MB to load.
 */
export class PlainApi {
  readonly #options: https.RequestOptions;

  constructor(options: { port: number; caFile: string; token: string }) {
    this.#options = {
      host: "127.0.0.1",
      port: options.port,
      ca: readFileSync(options.caFile),
      // Not the process's agent, which may have a proxy.
      agent: new https.Agent({ keepAlive: true, maxSockets: 4 }),
      headers: { authorization: `Bearer ${options.token}` },
    };
  }

  /** @throws Error when nothing answers */
  request(
    method: string,
    path: string,
    options: { body?: string; contentType?: string; accept?: string; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = https.request(
        {
          ...this.#options,
          method,
          path,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          headers: {
            ...(this.#options.headers as Record<string, string>),
            accept: options.accept ?? "application/json",
            ...(options.body === undefined
              ? {}
              : { "content-type": options.contentType ?? "application/json" }),
          },
        },
        (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(options.body);
    });
  }

  close(): void {
    (this.#options.agent as https.Agent).destroy();
  }
}

/** What the API server said no to, in its words. */
export class Refusal extends Error {
  readonly status: number;

  constructor(what: string, { status, body }: Answer) {
    super(`the API server refused ${what} (${status}): ${messageOf(body)}`);
    this.name = "Refusal";
    this.status = status;
  }
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message ?? body);
  } catch {
    return body;
  }
}

/** Whether something failed for the server's reasons, which has ended or is busy, and not for what it was asked. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Refusal) return error.status >= 500 || error.status === 409 || error.status === 429;
  const { code } = error as NodeJS.ErrnoException;
  return ["ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(code ?? "");
}
