/** An allowance in a line: `kiln-scan-allow: <rule> -- reason`, in whatever comment the language has. */
export interface InlineAllowance {
  readonly rule: string;
  readonly reason: string;
  readonly line: number;
  readonly column: number;
  /** Whether the line holds nothing else, so that it speaks for the next one too. */
  readonly alone: boolean;
}

// Put together, since the scan reads this file too.
const MARK = ["kiln", "scan", "allow:"].join("-");
/** A rule in angle brackets is how documentation writes it. */
const ALLOWANCE = new RegExp(
  String.raw`${MARK}(?![ \t]*<)[ \t]*(?<rule>[A-Za-z0-9-]{0,60})[ \t]*(?:(?:--|–|—)[ \t]*(?<reason>[^\r\n]{0,400}))?`,
  "g",
);
/** What ends a comment. */
const ENDING = /\s*(?:\*\/|-->|\}\}|"""|#>)?\s*$/;

/** Every allowance that a text makes for its own lines. Pure. */
export function inlineAllowances(text: string): InlineAllowance[] {
  const found: InlineAllowance[] = [];
  let line = 1;
  let lineStart = 0;
  if (!text.includes(MARK)) return found;
  for (const match of text.matchAll(ALLOWANCE)) {
    for (let next = text.indexOf("\n", lineStart); next !== -1 && next < match.index; ) {
      line++;
      lineStart = next + 1;
      next = text.indexOf("\n", lineStart);
    }
    const { rule = "", reason = "" } = match.groups ?? {};
    found.push({
      rule,
      reason: reason.replace(ENDING, "").trim(),
      line,
      column: match.index - lineStart + 1,
      alone: /^[\s/*#;<!{-]*$/.test(text.slice(lineStart, match.index)),
    });
  }
  return found;
}

/** Whether an allowance speaks for a place. Pure. */
export const speaksFor = (allowance: InlineAllowance, rule: string, line: number): boolean =>
  allowance.rule === rule && (allowance.line === line || (allowance.alone && allowance.line + 1 === line));

/** Why an allowance is none; undefined when it holds. Pure. */
export function faultOf(allowance: InlineAllowance, rules: ReadonlySet<string>): string | undefined {
  if (!rules.has(allowance.rule)) return "an allowance of a rule that is none";
  if ((allowance.reason.match(/\p{L}/gu)?.length ?? 0) < 8) return "an allowance without a reason";
  return undefined;
}
