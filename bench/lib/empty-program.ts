import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { copyPackage } from "./packages.ts";
import type { Place } from "./place.ts";
import { runTimed } from "./process.ts";
import type { Sample } from "./rounds.ts";

/**
 * An ordinary Pulumi project whose program is empty: an ES module with nothing in it, which the Node of this run executes
 * without a TypeScript compiler (the faster of the two ways), with a state of its own in a `file://` backend and a
 * passphrase, like the sandbox's.
 */
export interface EmptyProgram {
  /** A preview that finds nothing to change. */
  preview(): Promise<Sample>;
}

/**
 * Makes the project and brings its stack up once.
 * @param packages where its packages are: `checkout` links this checkout's node_modules, with all that is installed there;
 *   `own` holds `@pulumi/pulumi` with what that needs, as after installing nothing else
 */
export async function emptyProgram(place: Place, packages: "checkout" | "own"): Promise<EmptyProgram> {
  const folder = path.join(place.folder, `empty-${packages}`);
  const state = path.join(folder, "state");
  mkdirSync(state, { recursive: true });
  const installed = path.join(place.project, "node_modules");
  const modules = path.join(folder, "node_modules");
  if (packages === "checkout") symlinkSync(installed, modules);
  else copyPackage("@pulumi/pulumi", installed, modules);
  const manifest = { type: "module", main: "index.js", dependencies: { "@pulumi/pulumi": "*" } };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(path.join(folder, "index.js"), "export {};\n");
  writeFileSync(
    path.join(folder, "Pulumi.yaml"),
    "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    packagemanager: npm\n",
  );
  const { engine, plainEnv, signal } = place;
  const env = {
    ...plainEnv,
    PATH: [engine.binDir, path.dirname(process.execPath), plainEnv.PATH].join(path.delimiter),
    PULUMI_HOME: path.join(folder, "pulumi-home"),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const pulumi = (...args: string[]) =>
    runTimed({ file: engine.pulumi, args: [...args, "--non-interactive"], cwd: folder, env, signal });
  await pulumi("stack", "init", "dev");
  await pulumi("up", "--stack", "dev", "--yes", "--skip-preview");
  return {
    preview: async () => {
      const { stdout, ...sample } = await pulumi("preview", "--stack", "dev");
      if (!/1 unchanged/.test(stdout)) throw new Error(`the empty program's preview found work:\n${stdout}`);
      return sample;
    },
  };
}
