import pc from "picocolors";
import type { Trouble } from "./errors.ts";

/** Where a verb says things. With `--json` people's text is dropped: stdout then carries one document only. */
export interface Output {
  readonly json: boolean;
  /** Whether the text goes to a terminal, where lines can be rewritten. */
  readonly live: boolean;
  /** A line for people. */
  say(line?: string): void;
  /** A line for people that matters beyond the run: notices and warnings go to stderr. */
  warn(line: string): void;
  /** The verb's document, with `--json`. */
  document(content: object): void;
}

export function createOutput(json: boolean, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Output {
  return {
    json,
    live: !json && stdout.isTTY === true,
    say: (line = "") => {
      if (!json) stdout.write(`${line}\n`);
    },
    warn: (line) => {
      if (!json) stderr.write(`${pc.yellow("!")} ${line}\n`);
    },
    document: (content) => {
      if (json) stdout.write(`${JSON.stringify(content, null, 2)}\n`);
    },
  };
}

/** A failure in four lines. */
export function troubleText(trouble: Trouble): string {
  const indent = (text: string) => text.replaceAll("\n", "\n        ");
  return [
    `${pc.red("error:")} ${indent(trouble.message)}`,
    `  ${pc.bold("why:")}  ${indent(trouble.cause)}`,
    `  ${pc.bold("next:")} ${indent(trouble.next)}`,
    pc.dim(`  code: ${trouble.code}`),
  ].join("\n");
}

/** `850 ms`, `4.2 s`, `3 min 05 s`, `5 h 12 min`, `12 days`. */
export function duration(ms: number): string {
  // Each unit ends where its rounding would show a whole one of the next.
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const two = (count: number) => String(count).padStart(2, "0");
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2 * 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / (24 * 60))} days`;
}

/** Outputs of a stack as rows; a map takes one for each of its entries. Pure. */
export function outputRows(outputs: { readonly [name: string]: unknown }): string[][] {
  return Object.entries(outputs).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, each]) => [`${name}.${key}`, String(each)])
      : [[name, String(value)]],
  );
}

/** Rows as aligned columns. */
export function table(rows: readonly (readonly string[])[], indent = "  "): string {
  const widths = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join("  ");
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join("\n");
}
