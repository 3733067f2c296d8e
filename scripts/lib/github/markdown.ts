import { z } from "zod";
import { changesText } from "../card.ts";
import { duration } from "../output.ts";
import { lint } from "../scan/linter.ts";

/** What is taken of a verb's document. What is not named here is not shown, whatever else a document holds. */
const documentSchema = z.object({
  verb: z.string(),
  env: z.string().optional(),
  cloud: z.string().optional(),
  result: z.string(),
  region: z.string().optional(),
  changes: z
    .object({
      create: z.number(),
      update: z.number(),
      delete: z.number(),
      replace: z.number(),
      same: z.number(),
    })
    .optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
  violations: z.array(z.object({ policy: z.string(), level: z.string(), message: z.string() })).optional(),
  checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })).optional(),
  purged: z.array(z.object({ kind: z.string(), name: z.string() })).optional(),
  remaining: z.array(z.object({ what: z.string(), name: z.string(), why: z.string() })).optional(),
  outcome: z.string().optional(),
  slot: z.string().optional(),
  from: z.string().optional(),
  consumers: z.array(z.object({ app: z.string(), proof: z.string() })).optional(),
  reaped: z.array(z.object({ env: z.string(), result: z.string() })).optional(),
  kept: z.number().optional(),
  durationMs: z.number().optional(),
  error: z.object({ code: z.string(), message: z.string(), cause: z.string(), next: z.string() }).optional(),
});

/** The document of a verb, as `--json` prints it. */
export type VerbDocument = z.output<typeof documentSchema>;

/** Reads what a verb printed; undefined where that is no document, as when it ended before it could print one. Pure. */
export function parseDocument(text: string): VerbDocument | undefined {
  try {
    return documentSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const failures = ["failed", "found"];

/** The result card as Markdown. Values are shown as code, so that none is a link, a mention or HTML. Pure. */
export function documentMarkdown(document: VerbDocument): string {
  const { verb, env, result, changes, outputs = {}, violations = [], checks = [], error } = document;
  const rows: [string, string][] = [];
  if (document.region !== undefined) rows.push(["region", code(document.region)]);
  if (document.cloud !== undefined) rows.push(["cloud", code(document.cloud)]);
  if (changes !== undefined) rows.push(["changes", changesText(changes)]);
  for (const [name, value] of Object.entries(outputs))
    rows.push([code(name), code(typeof value === "string" ? value : JSON.stringify(value))]);
  for (const { name, passed, detail } of checks) rows.push([`${mark(passed)} ${code(name)}`, code(detail)]);
  for (const { kind, name } of document.purged ?? []) rows.push([`purged ${code(kind)}`, code(name)]);
  for (const { what, name, why } of document.remaining ?? [])
    rows.push([`remains: ${code(what)}`, `${code(name)}: ${code(why)}`]);
  if (document.outcome !== undefined)
    rows.push([code(document.outcome), code(`${document.from ?? "?"} → ${document.slot ?? "?"}`)]);
  for (const { app, proof } of document.consumers ?? []) rows.push([`consumer ${code(app)}`, code(proof)]);
  for (const { env: reaped, result: how } of document.reaped ?? []) rows.push([code(reaped), code(how)]);
  if (document.kept !== undefined) rows.push(["kept", String(document.kept)]);
  if (document.durationMs !== undefined) rows.push(["took", duration(document.durationMs)]);
  const title = [verb, env].filter((each) => each !== undefined).join(" ");
  return [
    `### ${mark(!failures.includes(result) && error === undefined)} ${code(title)}: ${code(result)}`,
    rows.length === 0
      ? ""
      : ["| | |", "| --- | --- |", ...rows.map(([a, b]) => `| ${a} | ${b} |`)].join("\n"),
    violations.length === 0
      ? ""
      : violations
          .map(({ policy, level, message }) => `- ${code(`${policy} (${level})`)}: ${code(message)}`)
          .join("\n"),
    error === undefined
      ? ""
      : [
          `**${code(error.message)}** (${code(error.code)})`,
          fenced(error.cause),
          `next: ${code(error.next)}`,
        ].join("\n\n"),
  ]
    .filter((each) => each !== "")
    .join("\n\n");
}

function mark(passed: boolean): string {
  return passed ? "✅" : "❌";
}

/** Code in a line, and in a cell of a table. */
function code(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("`", "'").replaceAll("|", "\\|").trim();
  return line === "" ? "-" : `\`${line}\``;
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** The text with `***` in place of whatever the scan would call a secret. */
export async function masked(text: string): Promise<string> {
  const found = await lint(text);
  return found
    .toSorted((a, b) => b.start - a.start)
    .reduce((kept, { start, end }) => {
      return `${kept.slice(0, start)}***${kept.slice(end)}`;
    }, text);
}
