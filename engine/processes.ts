import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { interrupted } from "./errors.ts";

const leash = fileURLToPath(new URL("./leash.ts", import.meta.url));
const tailLines = 60;

/** What a program printed, or why it printed nothing. */
export type Printed = { printed: string } | { printed: undefined; failure: string };

/**
 * Asks a program for its version; an executable that hangs or fails is a failure in words, not an exception.
 * @param args what makes it print its version, e.g. `["version"]`
 * @param timeoutMs milliseconds; then it and what it started are killed. @default 15000
 */
export async function printedVersion(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs = 15_000,
): Promise<Printed> {
  const child = execa(path, args, {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    // A group of its own: a launcher's children hold its output open, so the launcher alone is not enough to kill.
    detached: true,
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) killGroup(child.pid);
  }, timeoutMs);
  const result = await child;
  clearTimeout(timer);
  if (timedOut) return { printed: undefined, failure: `no answer within ${timeoutMs / 1000} s` };
  if (!result.failed) return { printed: result.stdout };
  const failure = (result.stderr || result.shortMessage || "").trim().split("\n", 1)[0];
  return { printed: undefined, failure: failure || `exit code ${result.exitCode}` };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export type LeashedResult = {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  stdout: string;
  /** The last lines of stderr, kept in memory because a full disk loses the log. */
  tail: string[];
};

/**
 * Runs a tool that may work for minutes and start processes of its own, so that none of them outlives this process: a small
 * parent (leash.ts) ends the whole group when this process is gone, however it went, or when `signal` is aborted.
 * @param options.onLine called for each line of stderr
 * @throws EngineError ENGINE_INTERRUPTED after `signal` was aborted and the tool has ended
 */
export async function runLeashed(
  command: string,
  args: readonly string[],
  options: {
    cwd: string;
    env: NodeJS.ProcessEnv;
    log: string;
    signal?: AbortSignal | undefined;
    onLine?: (line: string) => void;
    onStdout?: (line: string) => void;
  },
): Promise<LeashedResult> {
  if (options.signal?.aborted) throw interrupted();
  const log = createWriteStream(options.log, { flags: "a" });
  // The log is a courtesy; when it cannot be written (a full disk), the tool's own error says so.
  log.on("error", () => {});
  log.write(`$ ${[command, ...args].join(" ")}\n`);
  const child = execa(process.execPath, [leash, command, ...args], {
    cwd: options.cwd,
    env: options.env,
    extendEnv: false,
    reject: false,
    detached: true,
    stdin: "pipe",
    buffer: { stderr: false },
  });
  const stop = () => child.stdin.end();
  options.signal?.addEventListener("abort", stop, { once: true });
  const tail: string[] = [];
  const readErr = async () => {
    for await (const line of child.iterable({ from: "stderr" })) {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > tailLines) tail.shift();
      options.onLine?.(line);
    }
  };
  const readOut = async () => {
    if (!options.onStdout) return;
    for await (const line of child.iterable({ from: "stdout" })) options.onStdout(line);
  };
  try {
    const [result] = await Promise.all([child, readErr(), readOut()]);
    if (options.signal?.aborted) throw interrupted();
    return { exitCode: result.exitCode, stdout: result.stdout, tail };
  } finally {
    options.signal?.removeEventListener("abort", stop);
    log.end();
  }
}
