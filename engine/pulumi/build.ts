import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runGo } from "../go.ts";
import { compileProgram, fetchPrograms, type GoProgram, withGo } from "../go-build.ts";
import type { EnginePart, MakeContext, Way } from "../types.ts";
import { buildRecipe, moduleDirs, pinned } from "./recipe.ts";

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

const programs: readonly (GoProgram & { part: EnginePart; title: string; name: string })[] = [
  {
    part: "cli",
    title: "build the Pulumi CLI",
    name: "pulumi",
    moduleDir: moduleDirs.cli,
    packagePath: pinned.cliPackage,
    variables: { [pinned.versionVariable]: pinned.version },
  },
  {
    part: "language-host",
    title: "build the Node language host",
    name: "pulumi-language-nodejs",
    moduleDir: moduleDirs.languageHost,
    packagePath: pinned.hostPackage,
  },
];

async function build(context: MakeContext): Promise<void> {
  await withGo(context, Object.values(moduleDirs), async (runIn) => {
    const bin = join(context.staging, "bin");
    await mkdir(bin, { recursive: true });
    const fetched = await context.part("modules", "download the Go modules", (report) =>
      fetchPrograms(runIn, programs, report),
    );
    for (const program of fetched) {
      const { part, title, name } = program;
      await context.part(part, title, (report) => compileProgram(runIn, program, join(bin, name), report));
    }
    await context.part("policy-shim", "copy the policy shim", async () => {
      const { stdout } = await runGo(runIn(moduleDirs.cli), "find the sdk's module folder", [
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
  });
}
