import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import pc from "picocolors";
import { REMARK, workflowFiles } from "../../../components/github/workflows/index.ts";
import { type ExitCode, exitCodes } from "../../lib/errors.ts";
import { kilnPaths } from "../../lib/paths.ts";
import type { VerbContext } from "../../lib/session.ts";

/** A workflow's file, and how it compares with its definition. */
export interface FileComparison {
  /** Relative to the repository. */
  readonly file: string;
  /** `stale`: it was rendered once, and no definition gives it any more. */
  readonly state: "same" | "differs" | "missing" | "stale";
}

/**
 * `kiln github workflows`: the files in `.github/workflows` against their definitions. Files that Kiln never rendered are not
 * its business. Exit code 5 when some differ and are not to be written.
 */
export async function workflows(context: VerbContext, options: { write: boolean }): Promise<ExitCode> {
  const { out } = context;
  const { project } = kilnPaths(context.env);
  const wanted = workflowFiles();
  const files = compareFiles(wanted, filesThere(project, [...wanted.keys()]));
  const different = files.filter(({ state }) => state !== "same");
  if (options.write) for (const each of different) settle(project, each, wanted);
  const passed = options.write || different.length === 0;
  const marks = { same: pc.green("✓"), differs: pc.red("≠"), missing: pc.red("+"), stale: pc.red("-") };
  for (const { file, state } of files) {
    const done = options.write && state !== "same";
    out.say(`  ${done ? pc.green("✓") : marks[state]} ${file}: ${done ? `${state}; written` : state}`);
  }
  const error = {
    code: "WorkflowsDiffer",
    message: `${different.length} of ${files.length} workflows are not what their definitions give`,
    cause: different.map(({ file, state }) => `${file}: ${state}`).join("\n"),
    next: "Run `kiln github workflows --write` and commit what it wrote.",
  };
  out.document({
    verb: "github workflows",
    result: options.write ? "written" : passed ? "same" : "differ",
    files,
    ...(passed ? {} : { error }),
  });
  if (!passed) out.say(`\n${error.message}. ${error.next}`);
  return passed ? exitCodes.done : exitCodes.check;
}

/** Compares what is wanted with what is there, both by path. Pure. */
export function compareFiles(
  wanted: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
): FileComparison[] {
  const files = [...new Set([...wanted.keys(), ...there.keys()])].sort();
  return files.flatMap((file): FileComparison[] => {
    const want = wanted.get(file);
    const have = there.get(file);
    if (want === undefined) return have?.startsWith(`# ${REMARK}\n`) ? [{ file, state: "stale" }] : [];
    return [{ file, state: have === undefined ? "missing" : have === want ? "same" : "differs" }];
  });
}

function filesThere(project: string, wanted: readonly string[]): Map<string, string> {
  const there = new Map<string, string>();
  for (const folder of new Set(wanted.map((file) => path.dirname(file)))) {
    for (const name of namesIn(path.join(project, folder))) {
      const file = `${folder}/${name}`;
      if (/\.ya?ml$/.test(name)) there.set(file, readFileSync(path.join(project, file), "utf8"));
    }
  }
  return there;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function settle(project: string, { file, state }: FileComparison, wanted: ReadonlyMap<string, string>): void {
  const target = path.join(project, file);
  if (state === "stale") {
    rmSync(target);
    return;
  }
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, wanted.get(file) ?? "");
}
