import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type GoRun, runGo } from "../go.ts";
import { compileProgram, fetchPrograms, moduleCounter, withGo } from "../go-build.ts";
import type { MakeContext, Way } from "../types.ts";
import { buildRecipe, crds, type Group, moduleDirs, programs, versionVariables } from "./recipe.ts";

/**
 * Builds the programs of these groups from their Go modules with the user's `go`, and takes the definitions of custom resources
 * out of theirs. Every module is verified against the go.sum files in `modules/`.
 */
export function buildWayOf(groups: readonly Group[]): Way {
  return {
    made: "built",
    candidate: "build from Go modules",
    recipe: buildRecipe,
    make: (context) => build(context, groups),
  };
}

async function build(context: MakeContext, groups: readonly Group[]): Promise<void> {
  const mine = programs
    .filter(({ group }) => groups.includes(group))
    .map((program) => ({
      ...program,
      moduleDir: moduleDirs[program.group],
      ...(program.group === "kubernetes" && { variables: versionVariables }),
    }));
  const dirs = [...new Set(mine.map(({ moduleDir }) => moduleDir)), moduleDirs.crds];
  await withGo(context, dirs, async (runIn) => {
    const bin = join(context.staging, "bin");
    await mkdir(bin, { recursive: true });
    // The definitions first: they take seconds, and without them nothing else is of use.
    await context.part("crds", "take the resource definitions from their Go modules", (report) =>
      takeDefinitions(runIn(moduleDirs.crds), join(context.staging, "crds"), report),
    );
    const fetched = await context.part("modules", "download the Go modules", (report) =>
      fetchPrograms(runIn, mine, report),
    );
    for (const program of fetched) {
      const { name } = program;
      await context.part(name, `build ${name}`, (report) =>
        compileProgram(runIn, program, join(bin, name), report),
      );
    }
  });
}

/** Downloads the modules that have definitions, as a whole, and copies these out of them. */
async function takeDefinitions(run: GoRun, folder: string, report: (detail: string) => void): Promise<void> {
  const modules = [...new Set(crds.map(({ module }) => module))];
  const onLine = moduleCounter(report);
  for (const [index, module] of modules.entries()) {
    report(`${index} of ${modules.length} modules, now ${module}`);
    await runGo(run, "download the modules", ["mod", "download", module], onLine);
  }
  const { stdout } = await runGo(run, "find the folders of the modules", [
    "list",
    "-mod=readonly",
    "-m",
    "-f",
    "{{.Path}}\t{{.Dir}}",
    ...modules,
  ]);
  const dirs = new Map(stdout.split("\n").map((line) => line.trim().split("\t", 2) as [string, string]));
  await mkdir(folder, { recursive: true });
  for (const { module, from, file } of crds) {
    await copyFile(join(dirs.get(module) ?? "", from), join(folder, file));
    // Files of a module are read-only, which a cache that is removed or replaced must not be.
    await chmod(join(folder, file), 0o644);
  }
  report(`${modules.length} of ${modules.length} modules, ${crds.length} definitions`);
}
