/** Something went wrong with the sandbox itself: what, why in plain words, and what to do next. */
export class SandboxError extends Error {
  readonly code: string;
  override readonly cause: string;
  readonly next: string;
  /** Whether who asked, asked for what there is not. */
  readonly usage: boolean;

  constructor(code: string, message: string, cause: string, next: string, usage = false) {
    super(message);
    this.name = "SandboxError";
    this.code = code;
    this.cause = cause;
    this.next = next;
    this.usage = usage;
  }
}
