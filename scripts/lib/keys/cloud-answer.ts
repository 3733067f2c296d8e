import { KilnError } from "../errors.ts";
import { withoutKeys } from "./key-material.ts";

/** What an error of an Azure SDK says, without the request and the answer it drags along. */
export interface CloudAnswer {
  /** HTTP status; undefined when there was no answer at all. */
  readonly status: number | undefined;
  readonly code: string;
  /** Key Vault's finer code, for example `ObjectIsDeletedButRecoverable`. */
  readonly innerCode: string | undefined;
  readonly message: string;
  /** How long the cloud asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** Reads an SDK's error. Gives undefined for an error that no cloud sent. Pure. */
export function cloudAnswer(error: unknown): CloudAnswer | undefined {
  if (!(error instanceof Error) || error.name !== "RestError") return undefined;
  const { statusCode, code, details, response } = error as RestErrorShape;
  const body = bodyOf(details);
  return {
    status: statusCode,
    code: body?.code ?? code ?? "NoAnswer",
    // Key Vault's SDK renames the field, the others leave it as it is sent.
    innerCode: body?.innererror?.code ?? body?.innerError?.code,
    message: withoutKeys(body?.message ?? error.message),
    retryAfterMs: retryAfter(response?.headers),
  };
}

/** Puts an error into words that hold nothing of the request; what Kiln said itself passes unchanged. */
export function asKilnError(error: unknown, what: string, next: string): KilnError {
  if (error instanceof KilnError) return error;
  const answer = cloudAnswer(error);
  if (answer !== undefined) {
    const code = answer.innerCode ?? answer.code;
    const status = answer.status === undefined ? "no answer" : `status ${answer.status}`;
    const cause = `Code="${code}" Message="${answer.message}" (${status})`;
    return new KilnError({ code, message: what, cause, next });
  }
  const name = error instanceof Error ? error.name : "Unknown";
  const cause = error instanceof Error ? withoutKeys(error.message) : "The reason is not known.";
  return new KilnError({ code: name, message: what, cause, next });
}

type ErrorBody = {
  readonly code?: string;
  readonly message?: string;
  readonly innererror?: { readonly code?: string };
  readonly innerError?: { readonly code?: string };
};

interface RestErrorShape {
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: unknown;
  readonly response?: { readonly headers?: { get(name: string): string | undefined } };
}

function bodyOf(details: unknown): ErrorBody | undefined {
  if (typeof details !== "object" || details === null) return undefined;
  return "error" in details ? (details.error as ErrorBody | undefined) : (details as ErrorBody);
}

function retryAfter(headers: { get(name: string): string | undefined } | undefined): number | undefined {
  for (const [name, unit] of [
    ["retry-after-ms", 1],
    ["x-ms-retry-after-ms", 1],
    ["retry-after", 1000],
  ] as const) {
    const value = Number(headers?.get(name) ?? Number.NaN);
    if (Number.isFinite(value) && value >= 0) return value * unit;
  }
  return undefined;
}
