import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Sample } from "./rounds.ts";

/** A command, and what it must look like when it did what it should. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Milliseconds after which it is ended, and the bench with it. @default 180000 */
  readonly patienceMs?: number;
}

/**
 * Runs a command to its end, in a process group of its own, which ends with the bench.
 * @throws Error with the end of what it printed, when it fails
 */
export async function runTimed(command: Command): Promise<Sample & { stdout: string }> {
  const { file, args, cwd, env, signal, patienceMs = 180_000 } = command;
  const title = [file.split("/").at(-1), ...args].join(" ");
  const cpuBefore = childrenCpuMs();
  const began = performance.now();
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const end = (): void => {
    if (child.pid !== undefined) endGroup(child.pid);
  };
  const timer = setTimeout(end, patienceMs);
  signal.addEventListener("abort", end);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  try {
    const [code, by, ms] = await new Promise<[number | null, string | null, number]>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, by) => resolve([code, by, performance.now() - began]));
    });
    signal.throwIfAborted();
    if (code !== 0) {
      const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-12).join("\n");
      throw new Error(`\`${title}\` ended with ${by ?? `exit code ${code}`}:\n${said}`);
    }
    const cpuAfter = childrenCpuMs();
    const cpuMs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
    return { ms, cpuMs, stdout };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Processor time of all children that have ended, and of theirs, in milliseconds; undefined where Linux is not. */
function childrenCpuMs(): number | undefined {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
    // cutime and cstime, fields 16 and 17 of proc(5), in ticks of which Linux has 100 a second for every program.
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return undefined;
  }
}
