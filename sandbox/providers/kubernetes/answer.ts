import type { ApiError } from "./api-error.ts";
import { isJsonMap, type JsonMap } from "./json.ts";

/** An answer of the API server, a refusal or not. */
export interface Answer {
  readonly status: number;
  readonly body: JsonMap;
  /** What the API server wants whoever asked to know: deprecated versions, unknown fields. */
  readonly warnings: readonly string[];
  /** The header of that name. */
  readonly retryAfter: string | undefined;
}

/** @param headers with names in lower case */
export function answerOf(
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
  text: string,
): Answer {
  return {
    status,
    body: parse(text),
    warnings: warningsOf(headers.warning),
    retryAfter: headers["retry-after"],
  };
}

function parse(text: string): JsonMap {
  try {
    const json: unknown = JSON.parse(text);
    return isJsonMap(json) ? json : {};
  } catch {
    return text === "" ? {} : { message: text.trim() };
  }
}

/** Texts of `Warning` headers (RFC 9111, 5.5): `299 - "text"`, more than one with commas between. */
export function warningsOf(header: string | undefined): string[] {
  return [...(header ?? "").matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
}

/** Refusals that pass by themselves: too much at once, an API server that starts or stops, an etcd that changes its leader. */
export function isPassing(status: number, failure: ApiError): boolean {
  if (status === 429 || status === 502 || status === 503 || status === 504) return true;
  return (
    status === 500 &&
    /etcdserver|leader changed|connection refused|not yet ready|shutting down/i.test(failure.message)
  );
}

/** The wait before a refused request is sent again, in milliseconds: as the API server wants it, or longer each time. */
export function waitBefore(retryAfter: string | undefined, attempt: number): number {
  const asked = Number(retryAfter);
  return Number.isFinite(asked) && asked > 0
    ? Math.min(asked, 5) * 1000
    : Math.min(100 * 2 ** attempt, 2_000);
}
