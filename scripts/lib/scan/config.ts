import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { exitCodes, KilnError, usageError } from "../errors.ts";
import { withoutKeys } from "../keys/key-material.ts";
import { catalogue } from "./linter.ts";

/** Where a project says what the scan is to let pass, from its top folder. */
export const ALLOW_FILE = ".kiln/scan.json";

/** Kinds of scan: of files and what is staged; of the history and ranges of it; of logs. */
export const SCOPES = ["files", "history", "logs"] as const;
export type Scope = (typeof SCOPES)[number];

const day = z.iso.date({ error: "a day is written YYYY-MM-DD" });
const reason = z.string({ error: "every allowance needs a reason" }).trim().min(10, {
  error: "say why in a sentence (10 characters or more)",
});

/** A regular expression that does not match everything. */
const expression = z.string().transform((source, context) => {
  try {
    const compiled = new RegExp(source, "u");
    if (!compiled.test("")) return compiled;
    context.addIssue("it matches an empty text, so it would allow everything");
  } catch {
    context.addIssue("it is no regular expression");
  }
  return z.NEVER;
});

const allowance = z
  .strictObject({
    /** One rule; default every rule. */
    rule: z
      .string()
      .refine((id) => catalogue().some((rule) => rule.id === id), { error: "there is no rule of that name" })
      .optional(),
    /** A path from the top folder, or a glob: `test/fixtures/**`. */
    path: z
      .string()
      .min(1)
      .refine((glob) => !/^[*/]*$/.test(glob), { error: "it would allow everything" })
      .optional(),
    /** A regular expression that is found in the secret itself; never the secret. */
    pattern: expression.optional(),
    /** A finding's fingerprint. */
    fingerprint: z
      .string()
      .regex(/^[0-9a-f]{40}$/, { error: "a fingerprint has 40 hexadecimal digits" })
      .optional(),
    /** Which scans it is for; default all. */
    in: z.array(z.enum(SCOPES)).min(1).optional(),
    reason,
    /** Last day it holds, in UTC; default it does not end. */
    expires: day.optional(),
  })
  .refine(
    (entry) => entry.path !== undefined || entry.pattern !== undefined || entry.fingerprint !== undefined,
    {
      error: "say what it allows: path, pattern or fingerprint",
    },
  );

const schema = z.strictObject({ version: z.literal(1), allow: z.array(allowance).default([]) });

export type Allowance = z.output<typeof allowance>;

const baselineSchema = z.strictObject({
  version: z.literal(1),
  findings: z.array(
    z.strictObject({
      fingerprint: z.string().regex(/^[0-9a-f]{40}$/, { error: "a fingerprint has 40 hexadecimal digits" }),
      rule: z.string(),
      path: z.string(),
    }),
  ),
});

export type BaselineEntry = z.output<typeof baselineSchema>["findings"][number];

/** Reads a file of a schema; says everything that is wrong with it at once, and nothing of what it holds. */
function read<T extends z.ZodType>(file: string, what: string, form: T, next: string): z.output<T> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // JSON's own message quotes what it read.
    const why = code === undefined ? `${file} is not JSON.` : `${file} cannot be read (${code}).`;
    throw usageError(`the ${what} is not valid`, why, next);
  }
  const parsed = form.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: at, message }) => ({
    file,
    key: at.length === 0 ? "(whole)" : at.join("."),
    message: withoutKeys(message),
  }));
  throw new KilnError(
    {
      code: "ConfigInvalid",
      message: `the ${what} is not valid`,
      cause: problems.map(({ key, message }) => `${file}: ${key}: ${message}`).join("\n"),
      next,
      problems,
    },
    exitCodes.usage,
  );
}

/** What the project lets pass; nothing where it has no such file. */
export function loadAllowances(root: string): readonly Allowance[] {
  const file = path.join(root, ALLOW_FILE);
  if (!existsSync(file)) return [];
  return read(file, "allow list", schema, `Correct ${ALLOW_FILE}, then run it again.`).allow;
}

/** Findings that were known before. @throws KilnError usage, when there is no such file or it is none */
export function loadBaseline(file: string): readonly BaselineEntry[] {
  const next = "Make one with `kiln scan --baseline FILE --write-baseline`.";
  return read(file, "baseline", baselineSchema, next).findings;
}

/** A baseline as it is written: in order, so that a change of it reads as what changed. Pure. */
export function baselineText(findings: readonly BaselineEntry[]): string {
  const entries = new Map(
    findings.map(({ fingerprint, rule, path: at }) => [fingerprint, { fingerprint, rule, path: at }]),
  );
  const order = ({ path: at, rule, fingerprint }: BaselineEntry) => `${at}\0${rule}\0${fingerprint}`;
  const sorted = [...entries.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return `${JSON.stringify({ version: 1, findings: sorted }, null, 2)}\n`;
}
