import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type ExitCode, exitCodes, usageError } from "../lib/errors.ts";
import { baselineText, loadBaseline } from "../lib/scan/config.ts";
import { findingLines, scanError, summaryLines } from "../lib/scan/report.ts";
import { sarifOf } from "../lib/scan/sarif.ts";
import { type ScanReport, scan as search, type Target } from "../lib/scan/scan.ts";
import type { VerbContext } from "../lib/session.ts";

export interface ScanFlags {
  readonly paths: readonly string[];
  readonly history?: boolean;
  readonly reflog?: boolean;
  readonly staged?: boolean;
  readonly range?: string;
  readonly log?: string;
  readonly baseline?: string;
  readonly writeBaseline?: boolean;
  readonly format: "text" | "sarif";
  readonly output?: string;
}

/** `kiln scan`: searches files, the history or a log for secrets. Exit code 5 when there is one. */
export async function scan(context: VerbContext, flags: ScanFlags): Promise<ExitCode> {
  const { env, out, signal } = context;
  const cwd = process.cwd();
  const target = targetOf(flags);
  checkOutput(flags, out.json);
  const writes = flags.writeBaseline === true && flags.baseline !== undefined;
  const baseline =
    flags.baseline === undefined || writes ? [] : loadBaseline(path.resolve(cwd, flags.baseline));
  const report = await search(target, { cwd, env, baseline, signal, stdin: process.stdin });
  for (const notice of report.notices) out.warn(notice);
  if (writes) return keepBaseline(context, report, path.resolve(cwd, flags.baseline));
  const clean = report.findings.length === 0;
  const sarif = flags.format === "sarif";
  if (sarif) {
    const text = `${JSON.stringify(sarifOf(report, version()), null, 2)}\n`;
    if (flags.output === undefined) context.stdout.write(text);
    else write(path.resolve(cwd, flags.output), text);
  }
  if (!sarif || flags.output !== undefined) {
    for (const line of [...findingLines(report), ...summaryLines(report)]) out.say(line);
    if (!clean) out.say(`\nnext: ${scanError(report).next}`);
  }
  out.document({
    verb: "scan",
    target: target.kind,
    result: clean ? "clean" : "found",
    ...report,
    ...(clean ? {} : { error: scanError(report) }),
  });
  return clean ? exitCodes.done : exitCodes.check;
}

/** The one thing that is searched. Pure. */
export function targetOf(flags: ScanFlags): Target {
  const { paths, history, staged, range, log, reflog } = flags;
  const wanted: Target[] = [];
  if (paths.length > 0) wanted.push({ kind: "files", paths });
  if (history === true) wanted.push({ kind: "history", reflog: reflog === true });
  if (staged === true) wanted.push({ kind: "staged" });
  if (range !== undefined) wanted.push({ kind: "range", range });
  if (log !== undefined) wanted.push({ kind: "log", file: log });
  if (wanted.length > 1) {
    throw usageError(
      "more than one thing to scan",
      `A run scans one thing; this names ${wanted.map(({ kind }) => kind).join(" and ")}.`,
      "Give paths, or one of --history, --staged, --range and --log.",
    );
  }
  if (reflog === true && history !== true) {
    throw usageError("--reflog goes with --history", "It widens what of the history is searched.");
  }
  return wanted[0] ?? { kind: "files", paths: [] };
}

function checkOutput({ format, output, baseline, writeBaseline }: ScanFlags, json: boolean): void {
  if (output !== undefined && format !== "sarif") {
    throw usageError("--output goes with --format sarif", "The other forms go to stdout.");
  }
  if (json && format === "sarif" && output === undefined) {
    throw usageError(
      "--json and --format sarif both want stdout",
      "One document goes there and nothing else.",
      "Say where the SARIF goes: --output FILE.",
    );
  }
  if (writeBaseline === true && baseline === undefined) {
    throw usageError("--write-baseline goes with --baseline FILE", "It has to know where to.");
  }
}

function keepBaseline({ out }: VerbContext, report: ScanReport, file: string): ExitCode {
  write(file, baselineText(report.findings));
  out.document({ verb: "scan", result: "written", baseline: file, ...report });
  out.say(`${report.findings.length} findings are the baseline now: ${file}`);
  return exitCodes.done;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw usageError(
      `${file} cannot be written`,
      `The system says ${(error as NodeJS.ErrnoException).code}.`,
      "Name a file in a folder that is there.",
    );
  }
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
