import { createHash } from "node:crypto";
import { z } from "zod";
import type { Model } from "./catalogue.ts";
import { OpenAiError } from "./errors.ts";

const part = z.looseObject({ type: z.string().min(1), text: z.string().optional() });
const content = z.union([z.string(), z.array(part)]);
const message = z
  .looseObject({
    role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
    content: content.nullish(),
  })
  .refine(
    (each) => each.role === "assistant" || (each.content !== undefined && each.content !== null),
    "'content' is a required property",
  );

const chatSchema = z.looseObject({
  messages: z.array(message).min(1, "[] is too short"),
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  n: z.number().int().min(1).max(128).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
});
export type ChatRequest = z.infer<typeof chatSchema>;

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** What the sandbox says in a model's place. */
export interface Answer {
  readonly id: string;
  readonly text: string;
  readonly finishReason: "stop" | "length";
  readonly choices: number;
  readonly usage: Usage;
}

/** @throws OpenAiError 400 naming the parameter */
export function parseChat(body: unknown, model: Model): ChatRequest {
  const parsed = chatSchema.safeParse(body ?? {});
  if (!parsed.success) throw invalid(parsed.error);
  const request = parsed.data;
  if (model.completionTokensOnly && typeof request.max_tokens === "number") {
    throw new OpenAiError(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: "max_tokens", code: "unsupported_parameter" },
    );
  }
  if (model.fixedTemperature && (request.temperature ?? 1) !== 1) {
    throw new OpenAiError(
      `Unsupported value: 'temperature' does not support ${request.temperature} with this model. Only the default (1) value is supported.`,
      { param: "temperature", code: "unsupported_value" },
    );
  }
  const prompt = promptTokens(request);
  if (prompt > model.maxContextTokens) {
    throw new OpenAiError(
      `This model's maximum context length is ${model.maxContextTokens} tokens. However, your messages resulted in ${prompt} tokens. Please reduce the length of the messages.`,
      { param: "messages", code: "context_length_exceeded" },
    );
  }
  return request;
}

/** Says which parameter is wrong, as OpenAI does. */
export function invalid(error: z.ZodError): OpenAiError {
  const [first] = error.issues;
  const param = first?.path.reduce<string>(
    (path, key) =>
      typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`,
    "",
  );
  return new OpenAiError(
    param
      ? `Invalid value for '${param}': ${first?.message}.`
      : `Invalid request: ${first?.message ?? "no body"}.`,
    { ...(param ? { param } : {}), code: "invalid_value" },
  );
}

/**
 * The sandbox's answer: there is no model, and it says so. The same request to the same deployment always gets the same
 * answer.
 */
export function answerChat(request: ChatRequest, deployment: string, model: Model): Answer {
  const asked = request.messages.findLast((each) => each.role === "user") ?? request.messages.at(-1);
  const said = textOf(asked?.content).replace(/\s+/g, " ").trim();
  const quoted = said.length > 200 ? `${said.slice(0, 199)}…` : said;
  const full = `This is the Kiln sandbox answering for ${model.name} (deployment ${deployment}); no model ran. You said: ${quoted}`;
  const limit = Math.min(
    request.max_completion_tokens ?? request.max_tokens ?? model.maxOutputTokens,
    model.maxOutputTokens,
  );
  const text = full.slice(0, limit * charactersPerToken);
  const choices = request.n ?? 1;
  const prompt = promptTokens(request);
  const completion = countTokens(text) * choices;
  const digest = createHash("sha256")
    .update(JSON.stringify([deployment, request.messages]))
    .digest("base64url")
    .replace(/[-_]/g, "");
  return {
    id: `chatcmpl-${digest.slice(0, 29)}`,
    text,
    finishReason: text.length < full.length ? "length" : "stop",
    choices,
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

const charactersPerToken = 4;

/** About four characters a token: the rule of thumb that OpenAI gives for English. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** Every message costs a few tokens of its own, and so does the answer's beginning. */
function promptTokens(request: ChatRequest): number {
  return request.messages.reduce((sum, each) => sum + 3 + countTokens(textOf(each.content)), 3);
}

function textOf(from: z.infer<typeof content> | null | undefined): string {
  if (typeof from === "string") return from;
  return (from ?? []).map((each) => each.text ?? "").join("");
}

const safe = {
  hate: { filtered: false, severity: "safe" },
  self_harm: { filtered: false, severity: "safe" },
  sexual: { filtered: false, severity: "safe" },
  violence: { filtered: false, severity: "safe" },
};

/** The answer as one document. */
export function completion(answer: Answer, model: Model, created: number): object {
  return {
    id: answer.id,
    object: "chat.completion",
    created,
    model: `${model.name}-${model.version}`,
    system_fingerprint: "fp_kiln_sandbox",
    choices: Array.from({ length: answer.choices }, (_, index) => ({
      index,
      message: { role: "assistant", content: answer.text, refusal: null, annotations: [] },
      finish_reason: answer.finishReason,
      logprobs: null,
      content_filter_results: safe,
    })),
    usage: usageOf(answer),
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }],
  };
}

/** The answer as server-sent events, a few words at a time. */
export function* chunks(
  answer: Answer,
  model: Model,
  created: number,
  includeUsage: boolean,
): Generator<string> {
  const chunk = (rest: object) =>
    `data: ${JSON.stringify({
      id: answer.id,
      object: "chat.completion.chunk",
      created,
      model: `${model.name}-${model.version}`,
      system_fingerprint: "fp_kiln_sandbox",
      ...rest,
      ...(includeUsage && !("usage" in rest) ? { usage: null } : {}),
    })}\n\n`;
  const choice = (index: number, delta: object, finishReason: string | null = null) =>
    chunk({ choices: [{ index, delta, finish_reason: finishReason, logprobs: null }] });
  for (let index = 0; index < answer.choices; index += 1) {
    yield choice(index, { role: "assistant", content: "", refusal: null });
    for (const words of answer.text.match(/(?:\S*\s*){1,4}/g) ?? []) {
      if (words !== "") yield choice(index, { content: words });
    }
    yield choice(index, {}, answer.finishReason);
  }
  if (includeUsage) yield chunk({ choices: [], usage: usageOf(answer) });
  yield "data: [DONE]\n\n";
}

function usageOf({ usage }: Answer): object {
  return {
    ...usage,
    prompt_tokens_details: { audio_tokens: 0, cached_tokens: 0 },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: 0,
      reasoning_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
