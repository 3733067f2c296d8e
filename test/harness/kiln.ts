import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

export interface Finished {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The document on stdout; fails where there is none. */
  json(): Record<string, unknown>;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when the output matches, or the command has ended. */
  saw(pattern: RegExp, times?: number): Promise<void>;
  readonly done: Promise<Finished>;
  /** Ends the command, and with `group` everything that it started, at once. */
  kill(what: "command" | "group"): Promise<Finished>;
}

/** The kiln command with a home of its own. */
export interface TestKiln {
  readonly home: string;
  start(args: readonly string[], env?: Record<string, string>): Running;
  run(args: readonly string[], env?: Record<string, string>): Promise<Finished>;
  /** Stops the sandbox and removes the home. */
  dispose(): Promise<void>;
}

/**
 * @param options.project the checkout it runs from. @default this one
 * @param options.home its home, which it then shares with another. @default one of its own
 */
export async function testKiln(options: { project?: string; home?: string } = {}): Promise<TestKiln> {
  const home = options.home ?? mkdtempSync(path.join(tmpdir(), "kiln-home-"));
  const command = path.join(options.project ?? project, "scripts", "kiln.mjs");
  // What Node compiles of a checkout that is soon gone goes with it.
  const cache =
    options.project === undefined ? {} : { NODE_COMPILE_CACHE: path.join(options.project, ".cache") };
  const start = (args: readonly string[], env: Record<string, string> = {}): Running => {
    const child = spawn(process.execPath, [command, ...args], {
      env: { ...process.env, KILN_HOME: home, NO_COLOR: "1", ...cache, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    const watchers = new Set<() => void>();
    const told = () => {
      for (const watcher of [...watchers]) watcher();
    };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      told();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      told();
    });
    const done = new Promise<Finished>((resolve) => {
      child.on("close", (code) => {
        resolve({
          exitCode: code ?? undefined,
          stdout,
          stderr,
          json: () => JSON.parse(stdout) as Record<string, unknown>,
        });
      });
    });
    return {
      child,
      done,
      saw: (pattern, times = 1) => {
        const seen = new Promise<void>((resolve) => {
          const look = () => {
            const count = [...`${stdout}\n${stderr}`.matchAll(new RegExp(pattern, "g"))].length;
            if (count < times) return;
            watchers.delete(look);
            resolve();
          };
          watchers.add(look);
          look();
        });
        return Promise.race([seen, done.then(() => {})]);
      },
      kill: (what) => {
        if (child.pid !== undefined && child.exitCode === null) {
          process.kill(what === "group" ? -child.pid : child.pid, "SIGKILL");
        }
        return done;
      },
    };
  };
  const run = (args: readonly string[], env?: Record<string, string>) => start(args, env).done;
  return {
    home,
    start,
    run,
    dispose: async () => {
      await run(["sandbox", "stop"]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
