import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { vaultProperties } from "./state.ts";

/** One version of a secret. Times are Unix seconds, as Key Vault counts. */
export interface SecretVersion {
  /** As it was written first; names are the same without regard to case. */
  readonly name: string;
  readonly version: string;
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly nbf?: number;
  readonly exp?: number;
  readonly created: number;
  readonly updated: number;
}

/** What a request may set on a version. */
export interface SecretFields {
  readonly contentType?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly enabled?: boolean | undefined;
  readonly nbf?: number | undefined;
  readonly exp?: number | undefined;
}

/** A secret: its versions, oldest first, and where it is between life and death. Times in sandbox milliseconds. */
export interface SecretRecord {
  readonly instance: string;
  readonly name: string;
  readonly versions: readonly string[];
  /** Soft-deleted; until `doneAt` it is still being deleted. */
  readonly deleted?: { readonly at: number; readonly doneAt: number; readonly purgesAt: number };
  /** Recovered: readable from `readableAt`, writable from `writableAt` (Azure reports it done before it is). */
  readonly recovering?: { readonly readableAt: number; readonly writableAt: number };
  /** Purged, but the name is held until then. */
  readonly purgedUntil?: number;
}

/** How recoverable what a vault holds is, in Key Vault's words. */
export function recovery(vault: Resource): { recoveryLevel: string; recoverableDays: number } {
  const { softDeleteRetentionInDays: days, enablePurgeProtection } = vaultProperties(vault);
  const level = days < 90 ? "CustomizedRecoverable" : "Recoverable";
  return {
    recoveryLevel: enablePurgeProtection === true ? level : `${level}+Purgeable`,
    recoverableDays: days,
  };
}

export function secretNotFound(what: string): CloudError {
  return new CloudError(
    404,
    "SecretNotFound",
    `A secret with (name/id) ${what} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );
}

export function deletedNotFound(name: string): CloudError {
  return new CloudError(404, "SecretNotFound", `Deleted Secret not found: ${name}`);
}

export function conflict(innerCode: string, message: string): CloudError {
  return new CloudError(409, "Conflict", message, { innerCode });
}

export function defined(fields: SecretFields): Omit<Partial<SecretVersion>, "value"> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
