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
  /** Interrupted by a signal, as shells count: 128 and the signal's number. */
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a policy says of a resource. */
export interface Violation {
  readonly policy: string;
  readonly level: string;
  /** URN of the resource. */
  readonly resource: string;
  readonly message: string;
}

/** A failure as people and programs are told it. */
export interface Trouble {
  readonly code: string;
  /** Every code of the cloud that came with the failure, `code` among them. @default `[code]` */
  readonly codes?: readonly string[];
  /** What failed. */
  readonly message: string;
  /** Why, in plain words. */
  readonly cause: string;
  /** What to do next. */
  readonly next: string;
  /** Each place of the configuration that is wrong, where that is the failure. */
  readonly problems?: readonly { readonly file: string; readonly key: string; readonly message: string }[];
  /** What the policies said, where that is the failure. */
  readonly violations?: readonly Violation[];
}

/** A failure that Kiln understands. */
export class KilnError extends Error implements Trouble {
  readonly code: string;
  readonly codes: readonly string[];
  override readonly cause: string;
  readonly next: string;
  readonly problems?: NonNullable<Trouble["problems"]>;
  readonly violations?: readonly Violation[];
  readonly exitCode: ExitCode;

  constructor(trouble: Trouble, exitCode: ExitCode = exitCodes.failed) {
    super(trouble.message);
    this.name = "KilnError";
    this.code = trouble.code;
    this.codes = trouble.codes ?? [trouble.code];
    this.cause = trouble.cause;
    this.next = trouble.next;
    if (trouble.problems !== undefined) this.problems = trouble.problems;
    if (trouble.violations !== undefined) this.violations = trouble.violations;
    this.exitCode = exitCode;
  }
}

export function usageError(message: string, cause: string, next = "See `kiln --help`."): KilnError {
  return new KilnError({ code: "Usage", message, cause, next }, exitCodes.usage);
}
