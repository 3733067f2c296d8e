import { createHash } from "node:crypto";
import { z } from "zod";
import { draw } from "../core/faults.ts";
import type { Model } from "./catalogue.ts";
import { countTokens, invalid } from "./chat.ts";
import { OpenAiError } from "./errors.ts";

const embeddingsSchema = z.looseObject({
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048)]),
  model: z.string().nullish(),
  dimensions: z.number().int().min(1).nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsSchema>;

/** @throws OpenAiError 400 naming the parameter */
export function parseEmbeddings(body: unknown, model: Model): EmbeddingsRequest {
  const parsed = embeddingsSchema.safeParse(body ?? {});
  if (!parsed.success) throw invalid(parsed.error);
  const { dimensions } = parsed.data;
  if (typeof dimensions === "number" && dimensions > (model.dimensions ?? 0)) {
    throw new OpenAiError(
      `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${model.dimensions}.`,
      { param: "dimensions", code: "invalid_value" },
    );
  }
  return parsed.data;
}

export function embeddingTokens(request: EmbeddingsRequest): number {
  return inputsOf(request).reduce((sum, text) => sum + countTokens(text), 0);
}

/** Unit vectors drawn from the text's hash: equal texts are equal, others are far apart; they mean nothing beyond that. */
export function answerEmbeddings(request: EmbeddingsRequest, model: Model): object {
  const length = request.dimensions ?? model.dimensions ?? 0;
  const tokens = embeddingTokens(request);
  return {
    object: "list",
    data: inputsOf(request).map((text, index) => {
      const vector = vectorOf(text, length);
      return {
        object: "embedding",
        index,
        embedding: request.encoding_format === "base64" ? encode(vector) : vector,
      };
    }),
    model: model.name,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function inputsOf({ input }: EmbeddingsRequest): readonly string[] {
  return typeof input === "string" ? [input] : input;
}

function vectorOf(text: string, length: number): number[] {
  const seed = createHash("sha256").update(text).digest().readUInt32BE();
  const raw = Array.from({ length }, (_, n) => draw(seed, n) * 2 - 1);
  const norm = Math.hypot(...raw);
  return raw.map((each) => each / norm);
}

function encode(vector: readonly number[]): string {
  return Buffer.from(new Float32Array(vector).buffer).toString("base64");
}
