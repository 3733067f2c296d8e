import { type ChildProcess, spawn } from "node:child_process";
import { BoundedLog } from "./bounded-log.ts";

/** What the sandbox tells its worker. Environments travel here, never in arguments or in the worker's own environment. */
export type ToWorker =
  | {
      readonly type: "start";
      readonly id: string;
      readonly file: string;
      readonly args: readonly string[];
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
      readonly log: string;
      /** Gives it a stdin that stays open as long as the worker lives. @default it has none */
      readonly holdStdin?: boolean;
    }
  | { readonly type: "signal"; readonly id: string; readonly signal: "SIGTERM" | "SIGKILL" };

/** What the worker tells the sandbox. */
export type FromWorker =
  | { readonly type: "started"; readonly id: string; readonly pid: number }
  | { readonly type: "failed"; readonly id: string; readonly reason: string }
  | {
      readonly type: "exited";
      readonly id: string;
      readonly code: number | null;
      readonly signal: string | null;
    };

/** The line between the sandbox and its worker: a process's IPC channel, or a stand-in. */
export interface WorkerLine {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** The sandbox is gone, however it went. */
  onLost(listener: () => void): void;
}

/**
 * Starts apps, each in a process group of its own, and takes all of them along when the sandbox is gone: an app is
 * arbitrary code and cannot be asked to watch its parent.
 */
export function runWorker(line: WorkerLine, exit: () => void): void {
  const apps = new Map<string, { child: ChildProcess; log: BoundedLog }>();

  line.onMessage((message) => {
    if (message.type === "signal") {
      const app = apps.get(message.id);
      if (app !== undefined) signalGroup(app.child.pid, message.signal);
      return;
    }
    const log = new BoundedLog(message.log);
    const child = spawn(message.file, message.args, {
      cwd: message.cwd,
      env: message.env,
      detached: true,
      stdio: [message.holdStdin === true ? "pipe" : "ignore", "pipe", "pipe"],
    });
    child.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
    child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
    child.on("error", (error) => {
      if (child.pid === undefined)
        line.send({ type: "failed", id: message.id, reason: spawnProblem(error, message) });
    });
    if (child.pid === undefined) return;
    apps.set(message.id, { child, log });
    line.send({ type: "started", id: message.id, pid: child.pid });
    child.on("exit", (code, signal) => {
      // What the app started itself does not outlive it.
      signalGroup(child.pid, "SIGKILL");
      line.send({ type: "exited", id: message.id, code, signal });
    });
    child.on("close", () => {
      apps.delete(message.id);
      log.close();
    });
  });

  line.onLost(() => {
    for (const { child } of apps.values()) signalGroup(child.pid, "SIGKILL");
    exit();
  });
}

function spawnProblem(error: NodeJS.ErrnoException, { file, cwd }: { file: string; cwd: string }): string {
  return `'${file}' cannot be started in '${cwd}' (${error.code ?? error.message})`;
}

/** Signals a process group; that it is gone already is fine. */
export function signalGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
