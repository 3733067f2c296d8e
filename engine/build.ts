import { chmod, copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "./errors.ts";
import { findGo, type GoRun, runGo, whatToInstall } from "./go.ts";
import { buildFlags, buildRecipe, moduleDirs, pinned } from "./recipe.ts";
import type { MakeContext, Way } from "./types.ts";
import { compareVersions, goDirective, parseVersion, refuseGo } from "./versions.ts";

/**
 * Builds the pinned engine from its Go modules with the user's `go`: the CLI, the language host (from the last sdk that contains
 * it), and the scripts that lie in the sdk's module folder. Every module is verified against the go.sum files in `modules/`.
 */
export const buildWay: Way = {
  made: "built",
  candidate: "build from Go modules",
  recipe: buildRecipe,
  make: build,
};

async function build(context: MakeContext): Promise<void> {
  const { env, log, signal, staging } = context;
  const neededGo = await oldestGo();
  const go = await findGo(env, neededGo);
  // Go leaves its work folder behind when it is killed; inside the staging folder it is swept with it.
  const work = join(staging, "work");
  await mkdir(work);
  const common = { go, env: { ...env, GOTMPDIR: env.GOTMPDIR || work }, log, neededGo, signal };
  await checkGo({ ...common, cwd: staging });
  const cli: GoRun = { ...common, cwd: moduleDirs.cli };
  const host: GoRun = { ...common, cwd: moduleDirs.languageHost };

  const bin = join(staging, "bin");
  await mkdir(bin, { recursive: true });
  const counts = await context.part("modules", "download the Go modules", async (report) => {
    let fetched = 0;
    const onModule = (name: string) => {
      fetched += 1;
      report(`${fetched} fetched, now ${name}`);
    };
    return {
      cli: await fetchModules(cli, pinned.cliPackage, onModule),
      host: await fetchModules(host, pinned.hostPackage, onModule),
    };
  });
  await context.part("cli", "build the Pulumi CLI", (report) =>
    compile(
      cli,
      pinned.cliPackage,
      join(bin, "pulumi"),
      counts.cli,
      report,
      `-X ${pinned.versionVariable}=${pinned.version}`,
    ),
  );
  await context.part("language-host", "build the Node language host", (report) =>
    compile(host, pinned.hostPackage, join(bin, "pulumi-language-nodejs"), counts.host, report),
  );
  await context.part("policy-shim", "copy the policy shim", async () => {
    const { stdout } = await runGo(cli, "find the sdk's module folder", [
      "list",
      "-mod=readonly",
      "-m",
      "-f",
      "{{.Dir}}",
      pinned.sdk,
    ]);
    for (const name of pinned.shims) {
      await copyFile(join(stdout.trim(), "nodejs", "dist", name), join(bin, name));
      // Files of a module carry no run bit.
      await chmod(join(bin, name), 0o755);
    }
  });
  await rm(work, { recursive: true, force: true });
}

/** The oldest Go that may build both modules. */
export async function oldestGo(): Promise<string> {
  const directives = await Promise.all(
    Object.values(moduleDirs).map(
      async (dir) => goDirective(await readFile(join(dir, "go.mod"), "utf8")) ?? "1.21",
    ),
  );
  const order = (text: string) => parseVersion(text) ?? { major: 0, minor: 0, patch: 0, prerelease: false };
  return directives.reduce((a, b) => (compareVersions(order(a), order(b)) >= 0 ? a : b));
}

/** @throws EngineError ENGINE_GO_TOO_OLD, before anything is downloaded */
async function checkGo(run: GoRun): Promise<void> {
  const { stdout } = await runGo(run, "tell its version", ["env", "GOVERSION", "GOTOOLCHAIN"]);
  const [installed = "", toolchain = ""] = stdout.split("\n").map((line) => line.trim());
  const why = refuseGo(installed, toolchain, run.neededGo);
  if (!why) return;
  throw new EngineError("ENGINE_GO_TOO_OLD", {
    message: "The Pulumi engine cannot be built here.",
    cause: `${why[0]?.toUpperCase()}${why.slice(1)} (${run.go}).`,
    next: whatToInstall(run.neededGo),
  });
}

/**
 * Downloads exactly the modules that a package needs, which is fewer than `go mod download` fetches: listing its dependencies needs
 * their sources.
 * @returns how many packages it is made of, the standard library's included
 */
async function fetchModules(
  run: GoRun,
  packagePath: string,
  onModule: (name: string) => void,
): Promise<number> {
  const onLine = (line: string) => {
    if (line.startsWith("go: downloading ")) onModule(line.slice("go: downloading ".length));
  };
  const { stdout } = await runGo(
    run,
    "download the engine's modules",
    ["list", "-mod=readonly", "-deps", "-f", "{{.ImportPath}}", packagePath],
    onLine,
  );
  return stdout.split("\n").filter((line) => line !== "").length;
}

async function compile(
  run: GoRun,
  packagePath: string,
  output: string,
  total: number,
  report: (detail: string) => void,
  linkVariable?: string,
): Promise<void> {
  let compiled = 0;
  const onLine = (line: string) => {
    // `-v` prints the name of each package as it is compiled; other lines (warnings) start with `#` or contain spaces.
    if (line.startsWith("#") || line.includes(" ")) return;
    compiled += 1;
    report(`${compiled} of ${total} packages`);
  };
  const ldflags = `-ldflags=-s -w${linkVariable ? ` ${linkVariable}` : ""}`;
  await runGo(
    run,
    `build ${packagePath}`,
    ["build", "-v", ...buildFlags, ldflags, "-o", output, packagePath],
    onLine,
  );
}
