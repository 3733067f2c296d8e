import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineEvent, PulumiCommand, PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import type { Engine } from "../../engine/index.ts";
import { explain } from "./cloud-errors.ts";
import { exitCodes, KilnError } from "./errors.ts";
import type { KilnPaths } from "./paths.ts";
import { type ExportedState, emptyState, parseState, type State } from "./state.ts";
import type { CloudTarget } from "./target.ts";

/** The environment of every process of the engine: marks it as Kiln's, so that an orphan is known for one. */
export const runMark = "KILN_RUN";

/** What the engine's Node processes load first, so that the policies are ready sooner. */
const leanSdk = fileURLToPath(new URL("lean-sdk.cjs", import.meta.url));

/** A command of the engine failed; the message is what it said. */
class EngineCommandError extends Error {}

export interface StackHandle {
  readonly stack: Stack;
  /** What was on record when the stack was opened, or reloaded. */
  state: State;
  reload(): Promise<void>;
  /** Changes the record as a whole, through the engine's own export and import. */
  edit(change: (exported: ExportedState) => ExportedState): Promise<void>;
  /** Runs a command of the engine that the Automation API has no method for. */
  readonly run: (args: string[]) => Promise<string>;
}

/** What the engine's processes get: the user's environment, Kiln's Node and engine first, and how the cloud is reached. */
export function engineEnvironment(
  engine: Pick<Engine, "binDir">,
  target: Pick<CloudTarget, "engineEnv">,
  paths: Pick<KilnPaths, "project" | "home">,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const PATH = [engine.binDir, path.dirname(process.execPath), env.PATH ?? ""].join(path.delimiter);
  return {
    PATH,
    NODE_OPTIONS: [env.NODE_OPTIONS, `--require ${JSON.stringify(leanSdk)}`].filter(Boolean).join(" "),
    ...target.engineEnv,
    // Where the stack's commands find their scripts.
    KILN_PROJECT_DIR: paths.project,
    NODE_COMPILE_CACHE: path.join(paths.home, "node-cache"),
    [runMark]: String(process.pid),
  };
}

/**
 * Opens the stack of an environment, through the Automation API.
 * @param options.create makes the stack when there is none; otherwise undefined is returned then
 */
export async function openStack(options: {
  environment: string;
  paths: KilnPaths;
  engine: Engine;
  target: CloudTarget;
  env: NodeJS.ProcessEnv;
  program?: PulumiFn;
  create: boolean;
}): Promise<StackHandle | undefined> {
  const { environment, paths, engine, target } = options;
  const [{ LocalWorkspace, PulumiCommand, Stack }, { SemVer }] = await Promise.all([
    import("./automation.ts"),
    import("semver"),
  ]);
  const envVars = engineEnvironment(engine, target, paths, options.env);
  // The engine was checked when it was found: asking it for its version once more would cost a third of a second.
  const pulumiCommand: PulumiCommand = Object.assign(Object.create(PulumiCommand.prototype), {
    command: engine.pulumi,
    version: new SemVer(engine.version),
  });
  mkdirSync(paths.pulumiHome, { recursive: true, mode: 0o700 });
  const workDir = target.ownBackend ? shadowProject(paths, environment) : paths.project;
  const workspace = await LocalWorkspace.create({
    workDir,
    pulumiHome: paths.pulumiHome,
    pulumiCommand,
    envVars,
    ...(options.program === undefined ? {} : { program: options.program }),
  });
  const run = async (args: string[]): Promise<string> => {
    const all = [...args, "--stack", environment, "--non-interactive"];
    const { failed, stdout, stderr } = await execa(engine.pulumi, all, {
      cwd: workDir,
      env: envVars,
      stdin: "ignore",
      reject: false,
    });
    if (failed) throw new EngineCommandError(stderr.trim() || stdout.trim());
    return stdout;
  };
  const readState = async () => parseState(await run(["stack", "export"]));
  let state = emptyState;
  try {
    state = await readState();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!/no stack named/.test(message)) throw explain([message]);
    if (!options.create) return undefined;
    await run(["stack", "init", "--no-select"]);
  }
  const handle: StackHandle = {
    stack: await Stack.select(environment, selected(workspace)),
    state,
    edit: async (change) => {
      const file = path.join(paths.run, `${environment}.${process.pid}.state.json`);
      try {
        writeFileSync(file, JSON.stringify(change(JSON.parse(await run(["stack", "export"])))), {
          mode: 0o600,
        });
        await run(["stack", "import", "--file", file]);
      } finally {
        rmSync(file, { force: true });
      }
    },
    reload: async () => {
      handle.state = await readState();
    },
    run,
  };
  return handle;
}

/** Every command names its stack, so none needs to be selected; it would only cost time. */
function selected<T extends object>(workspace: T): T {
  return Object.assign(workspace, { selectStack: async () => {} });
}

/**
 * The project's files as the engine is to see them, without what belongs to the user's own backend (secrets provider,
 * encrypted keys), in a folder of Kiln's: the engine would otherwise write its own into the checked-in ones.
 */
function shadowProject(paths: KilnPaths, environment: string): string {
  const folder = path.join(paths.run, "projects", environment);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { name, runtime, config } = readYaml(path.join(paths.project, "Pulumi.yaml"));
  writeFileSync(path.join(folder, "Pulumi.yaml"), yamlText({ name, runtime, config }));
  const file = `Pulumi.${environment}.yaml`;
  const own = readYaml(path.join(paths.project, file));
  writeFileSync(
    path.join(folder, file),
    own.config === undefined ? "{}\n" : yamlText({ config: own.config }),
  );
  return folder;
}

/** With every text in quotes: the engine's older YAML would read an unquoted 2025-11-13 as a date. */
function yamlText(content: object): string {
  return stringify(content, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" });
}

function readYaml(file: string): Record<string, unknown> {
  try {
    return (parse(readFileSync(file, "utf8")) as Record<string, unknown> | null) ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

/** Who holds the state's lock, as the engine's error tells it. */
export interface StateLock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** The locks named in an error of the engine; empty when it is about something else. */
export function stateLocks(message: string): StateLock[] {
  if (!/the stack is currently locked by/.test(message)) return [];
  const pattern = /created by (?<user>[^@\s]*)@(?<host>\S+) \(pid (?<pid>\d+)\) at (?<since>\S+)/g;
  return [...message.matchAll(pattern)].map(({ groups }) => ({
    user: groups?.user ?? "",
    host: groups?.host ?? "",
    pid: Number(groups?.pid),
    since: groups?.since ?? "",
  }));
}

export function stackLocked(environment: string, locks: readonly StateLock[]): KilnError {
  const owners = locks.map((lock) => `${lock.user}@${lock.host}, process ${lock.pid}, since ${lock.since}`);
  return new KilnError(
    {
      code: "Locked",
      message: `the state of environment ${environment} is locked`,
      cause: `Another run works on it: ${owners.join("; ")}.`,
      next: "Wait until it is done, then run it again. If that process is gone for good, `pulumi cancel` lets go.",
    },
    exitCodes.locked,
  );
}

export type { EngineEvent };
