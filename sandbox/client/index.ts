import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ask, goesAway, isAlive, isDaemon, startDaemon } from "./daemon-process.ts";
import type { GitHubAccess } from "./environment.ts";
import { SandboxError, stateRefusal } from "./errors.ts";
import { type DaemonFile, daemonFileSchema, sandboxPaths } from "./files.ts";
import type { ControlPlaneFiles, KubernetesStatus } from "./kubernetes.ts";

export {
  clientEnvironment,
  type GitHubAccess,
  networkEnvironment,
  type SandboxAccess,
} from "./environment.ts";
export { SandboxError } from "./errors.ts";
export { sandboxPaths } from "./files.ts";
export type { ControlPlaneFiles, KubernetesStatus } from "./kubernetes.ts";

export interface SandboxStatus {
  readonly running: boolean;
  readonly dataDir: string;
  readonly pid?: number;
  readonly proxy?: string;
  readonly caCertificate?: string;
  readonly subscriptionId?: string;
  readonly tenantId?: string;
  /** The sandbox's GitHub: the organization to work in, and where the owner's token is. */
  readonly github?: GitHubAccess;
  readonly owner?: {
    readonly clientId: string;
    readonly clientSecretFile: string;
    readonly assertionFile: string;
  };
  readonly kubernetes?: KubernetesStatus;
  readonly clock?: { readonly now: string; readonly scale: number };
  readonly [key: string]: unknown;
}

/** How long a daemon may take for what it has at hand, in milliseconds; one that takes longer is suspended, or hangs. */
const promptly = 30_000;

/** The sandbox of one data folder, as its users see it. */
export class SandboxClient {
  readonly dataDir: string;
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends every call that is open, by the signal's own reason */
  constructor(dataDir: string, signal?: AbortSignal) {
    this.dataDir = dataDir;
    this.#signal = signal;
  }

  /** The daemon's own words, or `running: false`. */
  async status(): Promise<SandboxStatus> {
    const daemon = this.#daemon();
    if (daemon === undefined) return { running: false, dataDir: this.dataDir };
    try {
      return (await this.#call(daemon, "GET", "/status", undefined, promptly)) as SandboxStatus;
    } catch (error) {
      // A process that was just killed is still there for a moment, but answers no more.
      if (!(error instanceof SandboxError) || error.code !== "SandboxUnreachable") throw error;
      if (!(await goesAway(daemon.pid))) throw error;
      return { running: false, dataDir: this.dataDir };
    }
  }

  /**
   * Starts the daemon unless it runs.
   * @param port 0 takes the port of last time, or any free one the first time
   * @throws SandboxError when it cannot start: the port is taken, the disk is full, the folder is not writable
   */
  async start(port = 0): Promise<SandboxStatus> {
    const running = await this.status();
    if (running.running) {
      if (port !== 0 && !String(running.proxy).endsWith(`:${port}`)) {
        throw new SandboxError(
          "SandboxRunsElsewhere",
          `the sandbox runs already, at ${running.proxy}`,
          "One data folder has one sandbox.",
          "Stop it first (`kiln sandbox stop`), or give another data folder by KILN_HOME.",
        );
      }
      return running;
    }
    await this.#begin(port);
    const started = await this.status();
    if (started.running) return started;
    const { log } = sandboxPaths(this.dataDir);
    throw new SandboxError(
      "SandboxDied",
      "the sandbox ended just after it had started",
      `It was ready, and then it was gone; its log is ${log}.`,
      "Read the end of that log.",
    );
  }

  /** Stops the daemon and its inhabitants; false when it did not run. */
  async stop(): Promise<boolean> {
    const daemon = this.#daemon();
    if (daemon === undefined) return false;
    await this.#call(daemon, "POST", "/stop", undefined, promptly);
    while (isAlive(daemon.pid)) await delay(20);
    return true;
  }

  /**
   * Empties it, started where it does not run. Data that no sandbox can read is set aside, so that it can begin anew.
   * @throws SandboxError when it cannot start for another reason
   */
  async reset(): Promise<SandboxStatus> {
    try {
      await this.start();
    } catch (error) {
      if (!(error instanceof SandboxError) || error.code !== "SandboxDataDamaged") throw error;
      const aside = path.join(this.dataDir, `damaged-${new Date().toISOString().replaceAll(":", "-")}`);
      mkdirSync(aside, { mode: 0o700 });
      for (const name of readdirSync(this.dataDir)) {
        if (name.startsWith("cloud.sqlite"))
          renameSync(path.join(this.dataDir, name), path.join(aside, name));
      }
      await this.start();
    }
    return (await this.control("POST", "/reset")) as SandboxStatus;
  }

  /** A call of the control API. @throws SandboxError when the sandbox does not run or refuses */
  async control(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const daemon = this.#daemon();
    if (daemon === undefined) {
      throw new SandboxError(
        "SandboxNotRunning",
        "the sandbox is not running",
        `Nothing answers for the data folder ${this.dataDir}.`,
        "Start it with `kiln sandbox start`.",
      );
    }
    return this.#call(daemon, method, path, body);
  }

  /**
   * Starts the sandbox's Kubernetes from these files, unless it runs from them, and returns when it is ready. The sandbox
   * itself must run.
   */
  async startKubernetes({ binaries, crds }: ControlPlaneFiles): Promise<KubernetesStatus> {
    return (await this.control("POST", "/kubernetes", { binaries, crds })) as KubernetesStatus;
  }

  /** How the sandbox's Kubernetes is. */
  async kubernetes(): Promise<KubernetesStatus> {
    return (await this.control("GET", "/kubernetes")) as KubernetesStatus;
  }

  /** Stops the sandbox's Kubernetes; what it holds stays. */
  async stopKubernetes(): Promise<KubernetesStatus> {
    return (await this.control("DELETE", "/kubernetes")) as KubernetesStatus;
  }

  /** @param within how long the daemon may take, in milliseconds; as long as it needs when not given */
  async #call(
    daemon: DaemonFile,
    method: string,
    path: string,
    body?: unknown,
    within?: number,
  ): Promise<unknown> {
    const late = within === undefined ? undefined : AbortSignal.timeout(within);
    const ends = [this.#signal, late].filter((each) => each !== undefined);
    let answer: { status: number; body: string };
    try {
      answer = await ask(daemon, method, `/control${path}`, body, AbortSignal.any(ends));
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      const why = late?.aborted ? `no answer within ${Number(within) / 1000} s` : reasonOf(error);
      throw new SandboxError(
        "SandboxUnreachable",
        "the sandbox does not answer",
        `Process ${daemon.pid} should listen on 127.0.0.1:${daemon.port}: ${why}.`,
        "End that process (`kill`, and if it is suspended `kill -9`), and try again: what it holds stays.",
      );
    }
    const said = JSON.parse(answer.body) as { error?: { code: string; message: string } };
    if (answer.status < 400) return said;
    throw this.#refusal(answer.status, said.error);
  }

  #refusal(status: number, error: { code: string; message: string } | undefined): SandboxError {
    const { code = "SandboxRefused", message = `the sandbox answered ${status}` } = error ?? {};
    if (status === 507) {
      const next = `Free space on the disk that holds ${this.dataDir}, then try again.`;
      return new SandboxError("DiskFull", "the sandbox cannot write its data", message, next);
    }
    if (status >= 500) {
      const next = `Read the end of its log, ${sandboxPaths(this.dataDir).log}.`;
      return new SandboxError(code, message, "The sandbox failed at what it was told.", next);
    }
    const refused = stateRefusal(code, message);
    if (refused !== undefined) return refused;
    const why = "The sandbox was told something that it has not or does not take; nothing was changed.";
    return new SandboxError(code, message, why, "See `kiln sandbox --help`.", true);
  }

  /** The daemon that is alive, from the file it wrote; a dead one's file counts for nothing. */
  #daemon(): DaemonFile | undefined {
    const file = sandboxPaths(this.dataDir).daemon;
    if (!existsSync(file)) return undefined;
    try {
      const daemon = daemonFileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
      return isAlive(daemon.pid) && isDaemon(daemon.pid) ? daemon : undefined;
    } catch {
      return undefined;
    }
  }

  async #begin(port: number): Promise<void> {
    const message = await startDaemon(this.dataDir, port);
    if ("ready" in message) return;
    // Someone else was quicker: theirs is as good.
    if (message.failed.code === "SandboxHeld") return this.#waitForOther();
    const { code, message: what, cause, next } = message.failed;
    throw new SandboxError(code, what, cause, next);
  }

  async #waitForOther(): Promise<void> {
    const until = Date.now() + 30_000;
    while (this.#daemon() === undefined) {
      if (Date.now() > until) {
        throw new SandboxError(
          "SandboxHeld",
          "another process holds the sandbox's data folder, but no sandbox answers",
          `Something has ${this.dataDir} open, and ${sandboxPaths(this.dataDir).daemon} does not say what.`,
          "End the process `daemon.ts --data-dir` of that folder, or give another data folder by KILN_HOME.",
        );
      }
      await delay(50);
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
