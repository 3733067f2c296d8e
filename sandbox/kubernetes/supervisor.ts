import { setTimeout as delay } from "node:timers/promises";
import type { AppProcess, Exit } from "../appservice/processes.ts";

/** How long to wait before a process that ended by itself is started again, in milliseconds. */
const firstWaitMs = 100;
const longestWaitMs = 10_000;
/** A process that lasted so long has done with what ended its forerunners. */
const settledMs = 30_000;

/** The wait before the next start, from the last wait and how long the process lasted. */
export function nextWait(lastMs: number | undefined, lastedMs: number): number {
  if (lastMs === undefined || lastedMs >= settledMs) return firstWaitMs;
  return Math.min(lastMs * 2, longestWaitMs);
}

/** One process that is kept running: when it ends by itself it is started again, soon at first, then less and less so. */
export class Supervised {
  readonly name: string;
  readonly #start: () => Promise<AppProcess>;
  readonly #ended: (how: string, restarts: number) => void;
  #process: AppProcess | undefined;
  #restarts = 0;
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  /** @param ended told of every end that nobody asked for, with how many there were before */
  constructor(
    name: string,
    start: () => Promise<AppProcess>,
    ended: (how: string, restarts: number) => void,
  ) {
    this.name = name;
    this.#start = start;
    this.#ended = ended;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    if (this.#running !== undefined) return;
    this.#stop = new AbortController();
    this.#restarts = 0;
    this.#running = this.#keep(this.#stop.signal);
  }

  /** Ends it for good: asks, and after `graceMs` insists. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort();
    this.#process?.signal(graceMs > 0 ? "SIGTERM" : "SIGKILL");
    const insist = setTimeout(() => this.#process?.signal("SIGKILL"), graceMs);
    await this.#running;
    clearTimeout(insist);
    this.#running = undefined;
  }

  async #keep(stopped: AbortSignal): Promise<void> {
    let wait: number | undefined;
    for (;;) {
      const began = performance.now();
      const how = await this.#once(stopped);
      if (stopped.aborted) return;
      this.#ended(how, this.#restarts);
      this.#restarts += 1;
      wait = nextWait(wait, performance.now() - began);
      await delay(wait, undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) return;
    }
  }

  /** One life, and how it ended. */
  async #once(stopped: AbortSignal): Promise<string> {
    try {
      this.#process = await this.#start();
      // Told to stop while it was being started.
      if (stopped.aborted) this.#process.signal("SIGKILL");
      return describeExit(await this.#process.exited);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#process = undefined;
    }
  }
}

function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}
