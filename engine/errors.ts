import type { Kit } from "./types.ts";

/** What can go wrong while providing a kit. */
export type EngineErrorCode =
  | "ENGINE_UNAVAILABLE"
  | "ENGINE_DOWNLOAD_FAILED"
  | "ENGINE_GO_MISSING"
  | "ENGINE_GO_TOO_OLD"
  | "ENGINE_MODULES_UNREACHABLE"
  | "ENGINE_BUILD_FAILED"
  | "ENGINE_BROKEN"
  | "ENGINE_DISK_FULL"
  | "ENGINE_CACHE_UNUSABLE"
  | "ENGINE_UNSUPPORTED_PLATFORM"
  | "ENGINE_INTERRUPTED";

/** A kit could not be provided. `message` says what failed, `cause` why, `next` what to do about it. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  override readonly cause: string;
  readonly next: string;

  constructor(code: EngineErrorCode, parts: { message: string; cause: string; next: string }) {
    super(parts.message);
    this.name = "EngineError";
    this.code = code;
    this.cause = parts.cause;
    this.next = parts.next;
  }
}

/** Codes that no other way of making a kit can get around. */
const final: readonly EngineErrorCode[] = [
  "ENGINE_DISK_FULL",
  "ENGINE_CACHE_UNUSABLE",
  "ENGINE_UNSUPPORTED_PLATFORM",
  "ENGINE_INTERRUPTED",
];

/** Whether an error ends the attempt, instead of leading to the next way. */
export function isFinal(error: EngineError): boolean {
  return final.includes(error.code);
}

/** What an error says of the kit it is about. */
export type Subject = Pick<Kit, "name" | "room" | "instead">;

/** The disk (or the user's quota on it) that holds `place` is full. */
export function diskFull(kit: Subject, place: string, detail: string): EngineError {
  return new EngineError("ENGINE_DISK_FULL", {
    message: `There is no room left on the disk for the ${kit.name}.`,
    cause: `${detail} (a first build needs ${kit.room}: Go's module and build caches and ${place})`,
    next: `Free some space, or point KILN_ENGINE_CACHE, GOCACHE and GOMODCACHE to a larger disk, then run it again. Nothing half-made is kept.`,
  });
}

/** The caller's signal was aborted. */
export function interrupted(name = "engine"): EngineError {
  return new EngineError("ENGINE_INTERRUPTED", {
    message: `Preparing the ${name} was interrupted.`,
    cause: "The command was asked to stop before it was complete.",
    next: "Run it again; what Go has already downloaded and compiled is reused.",
  });
}

/**
 * Translates an error of the file system (or of SQLite, which holds the lock) about `place`. An EngineError passes through;
 * anything unknown is returned as it is, because hiding a programming error would help nobody.
 */
export function fromSystem(error: unknown, kit: Subject, place: string): unknown {
  if (error instanceof EngineError || !(error instanceof Error)) return error;
  const { code, errcode } = error as Error & { code?: string; errcode?: number };
  const sqlite = code === "ERR_SQLITE_ERROR" ? (errcode ?? 0) & 0xff : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || sqlite === 13) return diskFull(kit, place, error.message);
  const unusable = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ELOOP", "ENAMETOOLONG", "EIO"];
  if ((code !== undefined && unusable.includes(code)) || sqlite !== undefined) {
    return new EngineError("ENGINE_CACHE_UNUSABLE", {
      message: `The engine cache ${place} cannot be written.`,
      cause: error.message,
      next: "Give this user the right to write there, or set KILN_ENGINE_CACHE to a folder on a local disk that it may write.",
    });
  }
  return error;
}
