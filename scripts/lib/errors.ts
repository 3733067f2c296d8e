/** Exit codes of the kiln command. */
export const exitCodes = {
  done: 0,
  /** The cloud or the program failed. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** A policy said no. */
  policy: 3,
  /** The environment is locked by another run. */
  locked: 4,
  /** A check failed: smoke, drift, leak. */
  check: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure as people and programs are told it. */
export interface Trouble {
  readonly code: string;
  /** What failed. */
  readonly message: string;
  /** Why, in plain words. */
  readonly cause: string;
  /** What to do next. */
  readonly next: string;
}

/** A failure that Kiln understands. */
export class KilnError extends Error implements Trouble {
  readonly code: string;
  override readonly cause: string;
  readonly next: string;
  readonly exitCode: ExitCode;

  constructor(trouble: Trouble, exitCode: ExitCode = exitCodes.failed) {
    super(trouble.message);
    this.name = "KilnError";
    this.code = trouble.code;
    this.cause = trouble.cause;
    this.next = trouble.next;
    this.exitCode = exitCode;
  }
}

export function usageError(message: string, cause: string, next = "See `kiln --help`."): KilnError {
  return new KilnError({ code: "Usage", message, cause, next }, exitCodes.usage);
}

/** Turns anything thrown into a failure that can be told; what is not understood passes through whole. */
export function toKilnError(error: unknown): KilnError {
  if (error instanceof KilnError) return error;
  if (!(error instanceof Error)) {
    return new KilnError({
      code: "Unexpected",
      message: String(error),
      cause: "Kiln did not expect this.",
      next: reportIt,
    });
  }
  // Errors of the engine's and the sandbox's own kind have the same three parts; they are known by their shape, so that
  // saying an error needs none of their code.
  const { code, cause, next } = error as Error & { code?: unknown; next?: unknown };
  if (error.name === "ConfigError") {
    return new KilnError(
      {
        code: "Configuration",
        message: error.message,
        cause: "The configuration was checked before anything was touched.",
        next: "Mend the places named, then run it again.",
      },
      exitCodes.usage,
    );
  }
  if (typeof code === "string" && typeof next === "string" && typeof cause === "string") {
    return new KilnError({ code, message: error.message, cause, next });
  }
  if (code === "ENOSPC") {
    return new KilnError({
      code: "DiskFull",
      message: "there is no room left on the disk",
      cause: error.message,
      next: "Free some space (or set KILN_HOME to a folder on another disk), then run it again.",
    });
  }
  return new KilnError({
    code: typeof code === "string" ? code : "Unexpected",
    message: error.message,
    cause: cause instanceof Error ? cause.message : "Kiln did not expect this.",
    next: reportIt,
  });
}

const reportIt = "Run it again with KILN_DEBUG=1 for the whole story, and report it if it stays.";
