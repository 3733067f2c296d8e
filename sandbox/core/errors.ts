/**
 * An answer that the cloud gives instead of what was asked. Services throw it; each host renders it in its own
 * error shape (ARM and Key Vault: `{error:{code,message,…}}`).
 */
export class CloudError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Key Vault's second, finer code (`error.innererror.code`). */
  readonly innerCode: string | undefined;
  readonly details: readonly { code: string; message: string }[] | undefined;
  readonly target: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    options: {
      headers?: Record<string, string>;
      innerCode?: string;
      details?: readonly { code: string; message: string }[];
      target?: string;
    } = {},
  ) {
    super(message);
    this.name = "CloudError";
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.innerCode = options.innerCode;
    this.details = options.details;
    this.target = options.target;
  }

  /** The error as ARM and Key Vault put it on the wire. */
  body(): { error: Record<string, unknown> } {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.target === undefined ? {} : { target: this.target }),
        ...(this.details === undefined ? {} : { details: this.details }),
        ...(this.innerCode === undefined ? {} : { innererror: { code: this.innerCode } }),
      },
    };
  }
}
