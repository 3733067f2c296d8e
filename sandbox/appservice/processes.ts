import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Collection } from "../core/store.ts";
import { type FromWorker, signalGroup, type ToWorker } from "./worker.ts";

/** How a process ended. `lost`: its worker went first. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running app. */
export interface AppProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

/** A process that must not outlive the sandbox, by pid; the start time tells it from a later one of the same pid. */
export interface RecordedProcess {
  readonly pid: number;
  readonly started: string;
}

interface Pending {
  readonly resolve: (process: AppProcess) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The apps' processes, started through one worker process, so that they die with the sandbox even when that is killed.
 * Each is recorded in the cloud's data as long as it lives; what a crash left behind is ended by `reap`.
 */
export class Processes {
  readonly #recorded: Collection<RecordedProcess>;
  #worker: ChildProcess | undefined;
  readonly #starting = new Map<string, Pending>();
  readonly #running = new Map<string, { pid: number; exit: (exit: Exit) => void }>();

  constructor(recorded: Collection<RecordedProcess>) {
    this.#recorded = recorded;
  }

  /** Ends what an earlier life of the sandbox left running. */
  reap(): void {
    for (const [id, { pid, started }] of this.#recorded.entries()) {
      if (startTimeOf(pid) === started) signalGroup(pid, "SIGKILL");
      this.#recorded.delete(id);
    }
  }

  /** @throws Error when the program cannot be started at all */
  start(options: {
    file: string;
    args: readonly string[];
    cwd: string;
    env: Readonly<Record<string, string>>;
    log: string;
    holdStdin?: boolean;
  }): Promise<AppProcess> {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      this.#starting.set(id, { resolve, reject });
      this.#send({ type: "start", id, ...options });
    });
  }

  /** Lets go of the worker, which ends every process that is left. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise((resolve) => worker.once("exit", resolve));
    if (worker.connected) worker.disconnect();
    await gone;
  }

  #send(message: ToWorker): void {
    this.#worker ??= this.#startWorker();
    // A failure to send is the worker's end, which is handled once, in its exit.
    this.#worker.send(message, () => undefined);
  }

  #startWorker(): ChildProcess {
    const worker = spawn(process.execPath, [path.join(import.meta.dirname, "worker-main.ts")], {
      env: {},
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    worker.on("message", (message) => this.#heard(message as FromWorker));
    worker.on("error", () => this.#lost(worker));
    worker.on("exit", () => this.#lost(worker));
    return worker;
  }

  #heard(message: FromWorker): void {
    const pending = this.#starting.get(message.id);
    this.#starting.delete(message.id);
    if (message.type === "failed") {
      pending?.reject(new Error(message.reason));
    } else if (message.type === "started") {
      const { id, pid } = message;
      const started = startTimeOf(pid);
      if (started !== undefined) tolerate(() => this.#recorded.put(String(pid), { pid, started }));
      const exited = new Promise<Exit>((exit) => this.#running.set(id, { pid, exit }));
      pending?.resolve({
        pid,
        exited,
        signal: (signal) => {
          if (this.#running.has(id)) this.#send({ type: "signal", id, signal });
        },
      });
    } else this.#ended(message.id, message);
  }

  /** Without its worker an app has nobody to take it along: it ends, too. */
  #lost(worker: ChildProcess): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#starting.values()) reject(new Error("the worker process ended"));
    this.#starting.clear();
    for (const [id, { pid }] of this.#running) {
      signalGroup(pid, "SIGKILL");
      this.#ended(id, { code: null, signal: "SIGKILL" });
    }
  }

  #ended(id: string, { code, signal }: Exit): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    tolerate(() => this.#recorded.delete(String(running.pid)));
    running.exit({ code, signal });
  }
}

/** A full disk must not end the sandbox: the record only helps after a crash. */
function tolerate(write: () => void): void {
  try {
    write();
  } catch (error) {
    console.error(error);
  }
}

/** When a process was started, in whatever words the system has for it; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // Field 22, counted after the command's name, which may hold spaces and parentheses.
      return stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .at(19);
    }
    const output = execFileSync("/bin/ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return output === "" ? undefined : output;
  } catch {
    return undefined;
  }
}
