import { z } from "zod";
import { CloudError } from "../core/errors.ts";
import type { SecretFields } from "./secret-model.ts";

const maxValueBytes = 25_000;

const attributesSchema = z.looseObject({
  enabled: z.boolean().nullish(),
  nbf: z.number().int().min(0).nullish(),
  exp: z.number().int().min(0).nullish(),
});
const fieldsSchema = z.looseObject({
  contentType: z.string().max(255).nullish(),
  tags: z
    .record(z.string().max(512), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 15, "at most 15 tags")
    .nullish(),
  attributes: attributesSchema.nullish(),
});
const setSchema = fieldsSchema.extend({ value: z.string().nullish() });
const blobSchema = z.object({ value: z.string().min(1) });

/** @throws CloudError 400 `BadParameter`, as Key Vault answers every malformed request */
export function badParameter(message: string): CloudError {
  return new CloudError(400, "BadParameter", message);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  throw badParameter(`The request body is not valid: ${problems.join("; ")}.`);
}

/** A secret's name has letters, digits and dashes: no underscores. */
export function requireSecretName(name: string): void {
  if (/^[0-9a-zA-Z-]{1,127}$/.test(name)) return;
  throw badParameter(
    `The request URI contains an invalid name: ${name}. It matches ^[0-9a-zA-Z-]+$ and has at most 127 characters.`,
  );
}

export function requireSecretValue(value: string | null | undefined): string {
  if (value === null || value === undefined) {
    throw badParameter("The value of the secret is missing from the request body ('value').");
  }
  if (Buffer.byteLength(value) > maxValueBytes) {
    throw badParameter(`The value of the secret is longer than ${maxValueBytes} bytes.`);
  }
  return value;
}

export function parseSet(body: unknown): { value: string; fields: SecretFields } {
  const parsed = parse(setSchema, body);
  return { value: requireSecretValue(parsed.value), fields: fieldsOf(parsed) };
}

export function parseUpdate(body: unknown): SecretFields {
  return fieldsOf(parse(fieldsSchema, body));
}

export function parseBlob(body: unknown): string {
  return parse(blobSchema, body).value;
}

function fieldsOf(body: z.infer<typeof fieldsSchema>): SecretFields {
  const { nbf, exp, enabled } = body.attributes ?? {};
  if (typeof nbf === "number" && typeof exp === "number" && nbf >= exp) {
    throw badParameter("The secret's 'nbf' must be before its 'exp'.");
  }
  return {
    contentType: body.contentType ?? undefined,
    tags: body.tags ?? undefined,
    enabled: enabled ?? undefined,
    nbf: nbf ?? undefined,
    exp: exp ?? undefined,
  };
}
