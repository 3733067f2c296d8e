import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineEvent, PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import type { Engine } from "../../engine/index.ts";
import { wantsStackTraces } from "../../stacks/config.ts";
import { explain } from "./cloud-errors.ts";
import type { KilnPaths } from "./paths.ts";
import { readPin, writePin } from "./pin.ts";
import { shadowProject } from "./shadow-project.ts";
import { type ExportedState, emptyState, parseState, type State } from "./state.ts";
import {
  dropDeadLocks,
  heldLocks,
  runMark,
  type StateLock,
  serverLocks,
  stackLocked,
  stateLocks,
} from "./state-locks.ts";
import type { CloudTarget } from "./target.ts";

/** The folder of the policy host that the engine is to take instead of its own, so that the policies are ready sooner. */
const policyHost = fileURLToPath(new URL("../policy-host", import.meta.url));

/** A command of the engine failed; the message is what it said. */
class EngineCommandError extends Error {}

/** What the engine's processes get: the user's environment, Kiln's policy host, engine and Node first, and how the cloud is reached. */
export function engineEnvironment(
  engine: Pick<Engine, "binDir" | "pulumi">,
  target: Pick<CloudTarget, "engineEnv">,
  paths: Pick<KilnPaths, "project">,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const PATH = [
    policyHost,
    path.dirname(engine.pulumi),
    engine.binDir,
    path.dirname(process.execPath),
    env.PATH ?? "",
  ].join(path.delimiter);
  return {
    PATH,
    // What the policy host runs on, whichever Node stands beside the engine.
    KILN_NODE: process.execPath,
    ...target.engineEnv,
    // Where the stack's commands find their scripts.
    KILN_PROJECT_DIR: paths.project,
    // Where scripts/kiln.mjs keeps what Node compiles.
    ...(env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE }),
    // The engine turns the whole state into text at each step, and spent a quarter of its time collecting what that leaves. It may
    // let more lie, up to a gibibyte.
    GOGC: env.GOGC ?? "400",
    GOMEMLIMIT: env.GOMEMLIMIT ?? "1GiB",
    [runMark]: String(process.pid),
  };
}

export interface StackOptions {
  readonly environment: string;
  readonly paths: KilnPaths;
  readonly engine: Engine;
  readonly target: CloudTarget;
  readonly env: NodeJS.ProcessEnv;
  /** What operations on the stack run. */
  readonly program?: { readonly load: () => Promise<unknown>; readonly run: PulumiFn };
}

const historySchema = z.array(z.looseObject({ kind: z.string(), result: z.string() }));

/** An operation of the past: `update`, `destroy`, …, and how it ended: `succeeded`, `failed`. */
export type HistoryEntry = z.infer<typeof historySchema>[number];

/** The stack of an environment: the record of it, and the operations on it. */
export class StackHandle {
  /** What was on record when it was last read. */
  state: State = emptyState;
  readonly #options: StackOptions;
  readonly #workDir: string;
  readonly #envVars: Record<string, string>;
  #stack: Promise<Stack> | undefined;

  constructor(options: StackOptions) {
    const { environment, paths, engine, target, env } = options;
    mkdirSync(paths.pulumiHome, { recursive: true, mode: 0o700 });
    this.#options = options;
    this.#workDir = target.ownBackend ? shadowProject(paths, environment) : paths.project;
    this.#envVars = engineEnvironment(engine, target, paths, env);
  }

  /** The stack in the Automation API, which is loaded when it is first asked for. */
  stack(): Promise<Stack> {
    this.#stack ??= this.#open();
    return this.#stack;
  }

  async #open(): Promise<Stack> {
    const { environment, paths, engine, env, program } = this.#options;
    const { automationStack } = await import("./automation.ts");
    return automationStack({
      environment,
      engine,
      workDir: this.#workDir,
      envVars: this.#envVars,
      pulumiHome: paths.pulumiHome,
      program: program?.run,
      stackTraces: wantsStackTraces(env),
      // A program that cannot be loaded says so when it is run.
      onStarted: () => void program?.load().catch(() => {}),
    });
  }

  /** Reads the record. @returns false when there is no such stack */
  async read(): Promise<boolean> {
    const { environment, target } = this.#options;
    // The engine takes a third of a second to say so.
    if (target.stateFolder !== undefined && hasNoStack(target.stateFolder, environment)) return false;
    try {
      this.state = parseState(await this.run(["stack", "export"]));
      return true;
    } catch (error) {
      if (isNoStack(error)) return false;
      throw error instanceof EngineCommandError ? explain([error.message]) : error;
    }
  }

  /**
   * What is on record, without the engine's half second where the backend is a folder of Kiln's own: enough to know
   * where the environment is. Empty when there is no such stack, or when only the engine can say what is wrong with it.
   */
  async glance(): Promise<State> {
    const { environment, target } = this.#options;
    if (target.stateFolder === undefined) return (await this.read()) ? this.state : emptyState;
    try {
      const file = path.join(stacksIn(target.stateFolder), `${environment}.json`);
      const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as { checkpoint?: { latest?: unknown } };
      return parseState(JSON.stringify({ deployment: checkpoint?.latest }));
    } catch {
      return emptyState;
    }
  }

  /**
   * Refuses while an operation of the engine holds the stack, where the backend is a folder that can be looked into:
   * something that is no operation of the engine, but must not run beside one.
   * @throws KilnError `Locked`, exit code 4
   */
  refuseLocked(): void {
    const { environment, target } = this.#options;
    if (target.stateFolder === undefined) return;
    const locks = heldLocks(target.stateFolder, environment);
    if (locks.length > 0) throw stackLocked(environment, locks);
  }

  /**
   * Who holds the stack in the state's backend; nobody, too, when there is no such stack. The engine has no command that only
   * looks, where the backend is a folder: renaming the stack to the name it has takes the lock, and is refused then.
   */
  async locks(): Promise<readonly StateLock[]> {
    try {
      const said = await this.run(["stack"]);
      // Only a backend with a server knows of owners, and tells what is under way.
      if (/^\s+Owner: /m.test(said)) return serverLocks(said);
      await this.run(["stack", "rename", this.#options.environment]);
      return [];
    } catch (error) {
      if (isNoStack(error)) return [];
      if (!(error instanceof EngineCommandError)) throw error;
      const locks = stateLocks(error.message);
      if (locks.length === 0 && !/already exists/.test(error.message)) throw explain([error.message]);
      return locks;
    }
  }

  /** What was done to the stack, the latest first, as far back as it is of use. */
  async history(): Promise<readonly HistoryEntry[]> {
    const said = await this.run(["stack", "history", "--json", "--page-size", "100", "--page", "1"]);
    return historySchema.parse(JSON.parse(said || "[]"));
  }

  /** The region that the stack's configuration holds the environment to; undefined when it is the first choice. */
  get pinnedLocation(): string | undefined {
    return readPin(this.#workDir, this.#options.environment);
  }

  /** Has the stack's configuration hold the environment to a region, also for plain pulumi; undefined lets go. */
  pin(location: string | undefined): void {
    writePin(this.#workDir, this.#options.environment, location);
  }

  /**
   * Makes the stack in the backend. A run that was killed while it did so leaves the lock of a stack that is none, which
   * `pulumi cancel` does not find: in a backend that is a folder, such a lock is taken away.
   * @throws KilnError `Locked`, exit code 4, when another run holds it
   */
  async create(): Promise<void> {
    const { environment, target } = this.#options;
    const make = () => this.run(["stack", "init", "--no-select", ...secretsOf(target)]);
    try {
      await make();
    } catch (error) {
      const locks = error instanceof Error ? stateLocks(error.message) : [];
      if (locks.length === 0) throw error;
      if (target.stateFolder === undefined) throw stackLocked(environment, locks);
      const held = dropDeadLocks(target.stateFolder, environment);
      if (held.length > 0) throw stackLocked(environment, held);
      await make();
    }
  }

  /** Changes the record as a whole, through the engine's own export and import. */
  async edit(change: (exported: ExportedState) => ExportedState): Promise<void> {
    const { environment, paths } = this.#options;
    const file = path.join(paths.run, `${environment}.${process.pid}.state.json`);
    try {
      const exported = JSON.parse(await this.run(["stack", "export"])) as ExportedState;
      writeFileSync(file, JSON.stringify(change(exported)), { mode: 0o600 });
      await this.run(["stack", "import", "--file", file]);
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** Runs a command of the engine that the Automation API has no method for. */
  run(args: readonly string[]): Promise<string> {
    const { environment, engine } = this.#options;
    return new Promise((resolve, reject) => {
      const child = execFile(
        engine.pulumi,
        [...args, "--stack", environment, "--non-interactive"],
        {
          cwd: this.#workDir,
          env: { ...process.env, ...this.#envVars },
          maxBuffer: Number.POSITIVE_INFINITY,
        },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new EngineCommandError(stderr.trim() || stdout.trim() || error.message));
        },
      );
      child.stdin?.end();
    });
  }
}

/** Where a backend that is a folder has the records of Kiln's stacks. */
function stacksIn(stateFolder: string): string {
  return path.join(stateFolder, ".pulumi", "stacks", "kiln");
}

/** Whether a backend that is a folder certainly has no such stack; what cannot be read only the engine can explain. */
function hasNoStack(stateFolder: string, environment: string): boolean {
  try {
    const names = new Set(readdirSync(stacksIn(stateFolder)));
    return !names.has(`${environment}.json`) && !names.has(`${environment}.json.gz`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" && existsSync(stateFolder);
  }
}

function secretsOf({ secretsProvider }: Pick<CloudTarget, "secretsProvider">): string[] {
  return secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider];
}

/** Whether the engine failed because there is no such stack in the backend. */
export function isNoStack(error: unknown): boolean {
  return error instanceof Error && /no stack named/.test(error.message);
}

export type { EngineEvent };
