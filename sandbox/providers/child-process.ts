import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";

export interface Run {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal: AbortSignal;
  /** Called for each whole line of either stream, as it comes. */
  onLine(stream: "stdout" | "stderr", line: string): void;
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came. */
  readonly both: string;
  /** `exit status 3`, `signal: SIGKILL`; undefined when all went well. */
  readonly failure: string | undefined;
}

/** How long a process group may take to end by itself, in milliseconds, before it is killed. */
const graceMs = 2_000;

/**
 * Runs a process in a group of its own, so that what it starts ends with it.
 * @throws the signal's reason when it aborted; the spawn error when the program cannot be started.
 */
export async function runProcess(run: Run): Promise<Finished> {
  // A missing directory would be reported as a missing program.
  const there = await stat(run.cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!there) throw new Error(`there is no directory '${run.cwd}' to run the command in`);
  run.signal.throwIfAborted();
  const [program, ...args] = run.command;
  const child = spawn(program, args, {
    cwd: run.cwd,
    env: run.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "", both: "" };
  const flush = (["stdout", "stderr"] as const).map((name) => {
    let rest = "";
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
      texts.both += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) run.onLine(name, line);
    });
    return () => {
      if (rest !== "") run.onLine(name, rest);
    };
  });
  // A process that does not read its input closes it early; that is its right.
  child.stdin.on("error", () => {});
  child.stdin.end(run.stdin ?? "");

  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
  };
  run.signal.addEventListener("abort", stop, { once: true });
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
    });
    for (const each of flush) each();
    run.signal.throwIfAborted();
    const failure = signal !== null ? `signal: ${signal}` : code === 0 ? undefined : `exit status ${code}`;
    return { ...texts, failure };
  } finally {
    run.signal.removeEventListener("abort", stop);
    clearTimeout(killTimer);
    if (run.signal.aborted) signalGroup(child.pid, "SIGKILL");
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the whole group is gone, which was the aim.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
