import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "./errors.ts";
import { findGo, type GoRun, runGo, whatToInstall } from "./go.ts";
import { buildFlags } from "./recipe.ts";
import type { MakeContext } from "./types.ts";
import { compareVersions, goDirective, parseVersion, refuseGo } from "./versions.ts";

/** One executable to build. */
export type GoProgram = {
  /** Folder of the main module that pins it. */
  moduleDir: string;
  /** Import path of its main package. */
  packagePath: string;
  /** Go variables to set: `<import path>.<name>` to value. */
  variables?: Readonly<Record<string, string>>;
};

/** A program whose modules are there, with the packages that have to be compiled for it. */
export type FetchedProgram = GoProgram & { packages: number };

/**
 * Runs `work` with the user's `go`, once that has been found new enough for all of `moduleDirs`.
 * @param work gets a function that makes the run for one of the folders
 * @throws EngineError ENGINE_GO_MISSING, ENGINE_GO_TOO_OLD, before anything is downloaded
 */
export async function withGo(
  { kit, env, log, signal, staging }: MakeContext,
  moduleDirs: readonly string[],
  work: (runIn: (moduleDir: string) => GoRun) => Promise<void>,
): Promise<void> {
  const neededGo = await oldestGo(moduleDirs);
  const go = await findGo(kit, env, neededGo);
  // Go leaves its work folder behind when it is killed; inside the staging folder it is swept with it.
  const temporary = join(staging, "work");
  await mkdir(temporary);
  const goEnv = { ...env, GOTMPDIR: env.GOTMPDIR || temporary };
  const runIn = (cwd: string): GoRun => ({ kit, go, cwd, env: goEnv, log, neededGo, signal });
  await checkGo(runIn(staging));
  await work(runIn);
  await rm(temporary, { recursive: true, force: true });
}

/** The oldest Go that may build all of these main modules. */
export async function oldestGo(moduleDirs: readonly string[]): Promise<string> {
  const directives = await Promise.all(
    moduleDirs.map(async (dir) => goDirective(await readFile(join(dir, "go.mod"), "utf8")) ?? "1.21"),
  );
  const order = (text: string) => parseVersion(text) ?? { major: 0, minor: 0, patch: 0, prerelease: false };
  return directives.reduce((a, b) => (compareVersions(order(a), order(b)) >= 0 ? a : b));
}

/** @throws EngineError ENGINE_GO_TOO_OLD */
async function checkGo(run: GoRun): Promise<void> {
  const { stdout } = await runGo(run, "tell its version", ["env", "GOVERSION", "GOTOOLCHAIN"]);
  const [installed = "", toolchain = ""] = stdout.split("\n").map((line) => line.trim());
  const why = refuseGo(installed, toolchain, run.neededGo);
  if (!why) return;
  throw new EngineError("ENGINE_GO_TOO_OLD", {
    message: `The ${run.kit.name} cannot be built here.`,
    cause: `${why[0]?.toUpperCase()}${why.slice(1)} (${run.go}).`,
    next: whatToInstall(run.kit, run.neededGo),
  });
}

/** The line by which Go tells that it fetches a module. */
const fetching = "go: downloading ";

/** Counts the modules that Go says it fetches, and reports them. */
export function moduleCounter(report: (detail: string) => void): (line: string) => void {
  let fetched = 0;
  return (line) => {
    if (!line.startsWith(fetching)) return;
    fetched += 1;
    report(`${fetched} fetched, now ${line.slice(fetching.length)}`);
  };
}

/**
 * Downloads exactly the modules that programs need, which is fewer than `go mod download` fetches: listing the dependencies of their
 * packages needs the sources.
 * @returns them with the number of their packages, the standard library's included, each counted for the first that needs it
 */
export async function fetchPrograms<T extends GoProgram>(
  runIn: (moduleDir: string) => GoRun,
  programs: readonly T[],
  report: (detail: string) => void,
): Promise<(T & FetchedProgram)[]> {
  const onLine = moduleCounter(report);
  const seen = new Set<string>();
  const fetched: (T & FetchedProgram)[] = [];
  for (const program of programs) {
    const { stdout } = await runGo(
      runIn(program.moduleDir),
      "download the modules",
      ["list", "-mod=readonly", "-deps", "-f", "{{.ImportPath}}", program.packagePath],
      onLine,
    );
    // The same package of another main module may be of another version, and is then compiled again.
    const packages = stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `${program.moduleDir} ${line}`)
      .filter((line) => !seen.has(line));
    for (const line of packages) seen.add(line);
    fetched.push({ ...program, packages: packages.length });
  }
  return fetched;
}

/** Builds one program; what Go has compiled before is reused. */
export async function compileProgram(
  runIn: (moduleDir: string) => GoRun,
  program: FetchedProgram,
  output: string,
  report: (detail: string) => void,
): Promise<void> {
  const { moduleDir, packagePath, packages, variables = {} } = program;
  let compiled = 0;
  const onLine = (line: string) => {
    // `-v` prints the name of each package as it is compiled; other lines (warnings) start with `#` or contain spaces.
    if (line.startsWith("#") || line.includes(" ")) return;
    compiled += 1;
    report(`${compiled} of ${packages} packages`);
  };
  const set = Object.entries(variables).map(([name, value]) => ` -X ${name}=${value}`);
  const ldflags = `-ldflags=-s -w${set.join("")}`;
  await runGo(
    runIn(moduleDir),
    `build ${packagePath}`,
    ["build", "-v", ...buildFlags, ldflags, "-o", output, packagePath],
    onLine,
  );
}
