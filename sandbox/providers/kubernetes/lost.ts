/** How a request ends whose API server is killed, or was never there: codes of the system's and of undici's, which the official client sends with. */
const lost: ReadonlySet<unknown> = new Set([
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  // A pool of connections that ended with the last of them, while requests were still in its line.
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
]);

/** Whether a request ended without an answer, as it does when the API server is killed. */
export function isLost(error: unknown): boolean {
  return lost.has((error as { code?: unknown } | undefined)?.code);
}

/** What went wrong in the end: `fetch failed` and `terminated` tell it only in their cause. */
export function rootOf(error: unknown): unknown {
  let found = error;
  while (found instanceof Error && found.cause instanceof Error) found = found.cause;
  return found;
}
