import { CloudError } from "../core/errors.ts";

/** A request that the model's API refuses, in OpenAI's own error shape. */
export class OpenAiError extends CloudError {
  readonly type: string;
  readonly param: string | null;
  /** OpenAI's code may be null where Azure's is never. */
  readonly openAiCode: string | null;

  constructor(message: string, options: { param?: string; code?: string; status?: number } = {}) {
    super(options.status ?? 400, options.code ?? "BadRequest", message);
    this.name = "OpenAiError";
    this.type = "invalid_request_error";
    this.param = options.param ?? null;
    this.openAiCode = options.code ?? null;
  }
}

export function renderOpenAi(error: CloudError): unknown {
  if (!(error instanceof OpenAiError)) return error.body();
  const { message, type, param, openAiCode } = error;
  return { error: { message, type, param, code: openAiCode } };
}
