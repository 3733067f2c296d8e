/** One HTTP call of the provider, as `management.azure.com` or a vault's host would see it. */
export interface ArmRequest {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  /** `management.azure.com`, `{vault}.vault.azure.net` or `api.github.com`. The transport brings the token that fits it. */
  readonly host: string;
  readonly path: string;
  /** For Azure always with `api-version`. */
  readonly query: Readonly<Record<string, string>>;
  /** A token of the caller's own; the transport brings none then. */
  readonly token?: string;
  /** JSON. */
  readonly body?: unknown;
  /** Set when the caller may stop waiting; a transport may leave a call that was sent to run to its end. */
  readonly signal?: AbortSignal;
}

export interface ArmResponse {
  readonly status: number;
  /** Any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON or its text; undefined or "" when there is none. */
  readonly body: unknown;
}

/** Sends a request as the session's principal. Rejects when no answer came. */
export type ArmTransport = (request: ArmRequest) => Promise<ArmResponse>;
