import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { type ControlPlane, provideControlPlane } from "../../engine/index.ts";
import { testCheckout } from "../../test/harness/checkout.ts";
import type { Place } from "./place.ts";
import { plainServing, type RecordedResource } from "./plain-serving.ts";
import { runTimed } from "./process.ts";
import type { Sample } from "./rounds.ts";
import { servingFiles } from "./serving.ts";

/** A copy of the checkout whose `dev` is serving alone, and an ordinary program that makes the same. */
export interface ServingPlace {
  /** The folder of Kiln's policies. */
  readonly policies: string;
  /** Sets what `dev` is. */
  configure(projects: number, models: number): void;
  /** Empties the sandbox and starts its Kubernetes anew. */
  empty(): Promise<void>;
  /** Runs kiln in the copy, with `--json`. `env` comes on top of the user's. */
  kiln(
    args: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): Promise<Sample & { document: Record<string, unknown> }>;
  /** Writes the ordinary program after what kiln has on record. Returns how many resources it has. */
  plain(): Promise<number>;
  /** Makes the ordinary program's stack, with nothing in it. */
  freshStack(): Promise<void>;
  /** Runs pulumi on the ordinary program. */
  pulumi(...args: string[]): Promise<Sample & { stdout: string }>;
  dispose(): void;
}

/** Milliseconds that a large environment may take. */
const patienceMs = 900_000;

export async function servingPlace(place: Place): Promise<ServingPlace> {
  const { kilnEnv, plainEnv, signal, sandbox, engine } = place;
  const say = ({ title }: { title: string }) => place.say(title);
  const files: ControlPlane = await provideControlPlane({ env: kilnEnv, signal, onProgress: say });
  const checkout = testCheckout();
  const folder = path.join(place.folder, "plain-serving");
  const state = path.join(folder, "state");
  let shell: NodeJS.ProcessEnv = {};
  await place.kiln("sandbox", "start", "--profile", "instant", "--json");
  const kiln: ServingPlace["kiln"] = async (args, env = {}) => {
    const command = [path.join(checkout.folder, "scripts", "kiln.mjs"), ...args, "--json"];
    const { stdout, ...sample } = await runTimed({
      file: process.execPath,
      args: command,
      env: { ...kilnEnv, ...env },
      signal,
      patienceMs,
    });
    return { ...sample, document: JSON.parse(stdout) as Record<string, unknown> };
  };
  const pulumi: ServingPlace["pulumi"] = (...args) =>
    runTimed({
      file: engine.pulumi,
      args: [...args, "--stack", "dev", "--non-interactive"],
      cwd: folder,
      env: shell,
      signal,
      patienceMs,
    });
  return {
    policies: path.join(checkout.folder, "policies"),
    configure: (projects, models) => {
      // Written out: a reader of YAML takes thousands of references to one size for an attack.
      const write = { aliasDuplicateObjects: false };
      for (const [file, content] of Object.entries(servingFiles(projects, models)))
        checkout.write(file, stringify(content, write));
    },
    empty: async () => {
      await sandbox.control("POST", "/reset");
      await sandbox.startKubernetes(files);
    },
    kiln,
    plain: async () => {
      const program = plainServing(recorded(sandbox.dataDir), { from: "kiln-dev-", to: "plain-dev-" });
      mkdirSync(folder, { recursive: true });
      const modules = path.join(folder, "node_modules");
      const manifest = { type: "module", main: "index.js", dependencies: { "@pulumi/kubernetes": "*" } };
      const project =
        "name: plain\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    packagemanager: npm\n";
      linkOnce(path.join(place.project, "node_modules"), modules);
      writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
      writeFileSync(path.join(folder, "Pulumi.yaml"), project);
      writeFileSync(path.join(folder, "index.js"), program);
      const { variables } = (await kiln(["env", "dev"])).document as { variables: Record<string, string> };
      const PATH = [engine.binDir, variables.PATH, plainEnv.PATH].join(path.delimiter);
      // The same kind of backend, in a folder of its own, which outlives what empties the sandbox.
      const [, parameters = ""] = variables.PULUMI_BACKEND_URL?.split("?") ?? [];
      shell = { ...plainEnv, ...variables, PATH, PULUMI_BACKEND_URL: `file://${state}?${parameters}` };
      return program.split("\nconst ").length - 1;
    },
    freshStack: async () => {
      rmSync(state, { recursive: true, force: true });
      mkdirSync(state, { recursive: true });
      await pulumi("stack", "init");
    },
    pulumi,
    dispose: () => checkout.dispose(),
  };
}

/** What kiln has on record of `dev`. */
function recorded(dataDir: string): RecordedResource[] {
  const file = path.join(dataDir, "state", ".pulumi", "stacks", "kiln", "dev.json");
  const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
    checkpoint: { latest: { resources: RecordedResource[] } };
  };
  return checkpoint.latest.resources;
}

function linkOnce(target: string, at: string): void {
  try {
    symlinkSync(target, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
