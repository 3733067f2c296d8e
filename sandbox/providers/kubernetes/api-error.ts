import { type Json, mapsAt, numberAt, textAt } from "./json.ts";

/** What the API server refused, as it says it in a `Status`. */
export class ApiError extends Error {
  readonly code: number;
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Forbidden`, … */
  readonly reason: string;
  /** What the refusal is about: `namespaces`, `deployments`, … */
  readonly kind: string;
  /** The fields that are wrong. */
  readonly fields: readonly string[];

  constructor(code: number, body: Json | undefined) {
    super(textAt(body, "message") ?? `the API server answered ${code}`);
    this.name = "ApiError";
    this.code = numberAt(body, "code") ?? code;
    this.reason = textAt(body, "reason") ?? "";
    this.kind = textAt(body, "details", "kind") ?? "";
    this.fields = mapsAt(body, "details", "causes").flatMap((cause) => textAt(cause, "field") ?? []);
  }
}

export function isApiError(error: unknown, ...codes: readonly number[]): error is ApiError {
  return error instanceof ApiError && codes.includes(error.code);
}

/** The namespace that the object is to stand in is not there (yet). */
export function isNamespaceMissing(error: unknown): boolean {
  return isApiError(error, 404) && error.kind === "namespaces";
}

/** There is no API server, or no answer from it for as long as patience lasted. */
export class UnreachableError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`configured Kubernetes cluster is unreachable: ${reason}`, { cause });
    this.name = "UnreachableError";
  }
}

/** The API server knows no such kind: a CustomResourceDefinition may not be there yet. */
export class NoMatchError extends Error {
  constructor(kind: string, apiVersion: string) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
    this.name = "NoMatchError";
  }
}
