import { setTimeout as delay } from "node:timers/promises";
import { isListening, type Ports } from "./ports.ts";
import type { AppProcess, Exit, Processes } from "./processes.ts";

/** How to start one process of an app. */
export interface Launch {
  /** Same launch, same fingerprint: settings, code, command and restarts that were asked for. */
  readonly fingerprint: string;
  readonly deploymentId: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Given the port to listen on, the whole environment. */
  readonly env: (port: number) => Record<string, string>;
  readonly log: string;
}

/** Bounds of a process's life, in real milliseconds. */
export interface LifeBounds {
  /** To begin to listen. App Service gives 230 s. @default 230_000 */
  readonly start: number;
  /** For requests in flight when a process is replaced; App Service cuts any request off at 230 s. @default 230_000 */
  readonly drain: number;
  /** Between SIGTERM and SIGKILL. @default 5_000 */
  readonly term: number;
}

export const lifeBounds: LifeBounds = { start: 230_000, drain: 230_000, term: 5_000 };

/** The app did not come up; the message says what happened. */
export class StartFailedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StartFailedError";
  }
}

/** One process of an app that listens, and the requests that it has in flight. */
export class Instance {
  readonly fingerprint: string;
  readonly deploymentId: string;
  readonly port: number;
  readonly startedAt = Date.now();
  readonly #process: AppProcess;
  #inFlight = 0;
  #alive = true;
  readonly #idlers: (() => void)[] = [];

  private constructor(launch: Launch, port: number, process: AppProcess) {
    this.fingerprint = launch.fingerprint;
    this.deploymentId = launch.deploymentId;
    this.port = port;
    this.#process = process;
    void process.exited.then(() => {
      this.#alive = false;
    });
  }

  /** Starts the app and waits until it listens, or `stop` says to give up. @throws StartFailedError */
  static async start(
    launch: Launch,
    processes: Processes,
    ports: Ports,
    bounds: LifeBounds,
    stop: AbortSignal,
  ): Promise<Instance> {
    const port = await ports.take();
    let process: AppProcess;
    try {
      process = await processes.start({ ...launch, env: launch.env(port) });
    } catch (error) {
      ports.giveBack(port);
      throw new StartFailedError(error instanceof Error ? error.message : String(error));
    }
    void process.exited.then(() => ports.giveBack(port));
    await untilListening(process, port, bounds, stop);
    return new Instance(launch, port, process);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Counts a request in; call what it returns when the request is over. */
  lease(): () => void {
    this.#inFlight += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) for (const idle of this.#idlers.splice(0)) idle();
    };
  }

  /** Ends the process once its requests are over, or after `drain` milliseconds. */
  async retire(bounds: LifeBounds): Promise<void> {
    if (this.#alive && this.#inFlight > 0) {
      const idle = new Promise<void>((resolve) => this.#idlers.push(resolve));
      await Promise.race([idle, this.exited, delay(bounds.drain, undefined, { ref: false })]);
    }
    await endProcess(this.#process, bounds.term);
  }
}

async function untilListening(
  process: AppProcess,
  port: number,
  bounds: LifeBounds,
  stop: AbortSignal,
): Promise<void> {
  let exit: Exit | undefined;
  void process.exited.then((ended) => {
    exit = ended;
  });
  const deadline = Date.now() + bounds.start;
  for (let wait = 5; !(await isListening(port)); wait = Math.min(wait * 1.5, 100)) {
    if (exit !== undefined) {
      const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
      throw new StartFailedError(`the app ended ${how} before it listened on its port`);
    }
    if (stop.aborted) {
      await endProcess(process, bounds.term);
      throw new StartFailedError("the sandbox is stopping");
    }
    if (Date.now() > deadline) {
      await endProcess(process, bounds.term);
      throw new StartFailedError(`the app did not listen on port ${port} within ${bounds.start / 1000} s`);
    }
    await Promise.race([delay(wait), process.exited]);
  }
  if (exit !== undefined) throw new StartFailedError("the app ended as it began to listen");
}

async function endProcess(process: AppProcess, termMs: number): Promise<void> {
  process.signal("SIGTERM");
  const timer = setTimeout(() => process.signal("SIGKILL"), termMs);
  await process.exited;
  clearTimeout(timer);
}
