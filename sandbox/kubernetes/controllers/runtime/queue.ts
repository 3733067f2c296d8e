/** Time as the loop sees it; a test gives its own. */
export interface Timers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once, `ms` from now; the answer takes it back. */
  after(ms: number, call: () => void): () => void;
}

export const realTimers: Timers = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export interface QueueOptions {
  /** Does one key's work. The answer asks to be called again after so many milliseconds; an error, after a backoff. */
  readonly work: (key: string) => Promise<{ readonly againInMs?: number } | undefined>;
  readonly onError?: (key: string, error: unknown, failures: number) => void;
  /** Keys worked on at once. @default 4 */
  readonly concurrency?: number;
  /** How long after its first notice a key is worked on, so that a burst of events is one piece of work. @default 20 ms */
  readonly gatherMs?: number;
  /** First pause after a failure; it doubles. @default 100 ms */
  readonly firstBackoffMs?: number;
  /** Longest pause after a failure. @default 30 s */
  readonly lastBackoffMs?: number;
  readonly timers?: Timers;
  /** Only gathers until `release` is called. @default false */
  readonly held?: boolean;
}

/**
 * What there is to do, by key. A key is worked on by one worker at a time and waits in the queue at most once, however
 * often it is added; what is added while it is being worked on is worked on once more afterwards.
 */
export class WorkQueue {
  readonly #options: Required<Omit<QueueOptions, "onError" | "held">> & Pick<QueueOptions, "onError">;
  readonly #ready: string[] = [];
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { at: number; cancel: () => void }>();
  #stopped = false;
  #held: boolean;
  #idle: (() => void)[] = [];

  constructor({ held = false, ...options }: QueueOptions) {
    this.#held = held;
    this.#options = {
      concurrency: 4,
      gatherMs: 20,
      firstBackoffMs: 100,
      lastBackoffMs: 30_000,
      timers: realTimers,
      ...options,
    };
  }

  /** Notes that a key has work, now or in so many milliseconds; the earliest time counts. */
  add(key: string, inMs = this.#options.gatherMs): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    const at = this.#options.timers.now() + inMs;
    const timer = this.#timers.get(key);
    if (timer !== undefined) {
      if (timer.at <= at) return;
      timer.cancel();
    }
    const cancel = this.#options.timers.after(inMs, () => {
      this.#timers.delete(key);
      this.#enter(key);
    });
    this.#timers.set(key, { at, cancel });
  }

  /** Begins to work on what was gathered. */
  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** What is not done yet: waiting for its turn, or being worked on. Not what waits for its time. */
  get pending(): number {
    return this.#ready.length + this.#working.size;
  }

  /** When nothing waits for its turn or is being worked on. */
  async drained(): Promise<void> {
    if (this.pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#ready.length = 0;
    this.#waiting.clear();
  }

  #enter(key: string): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#ready.push(key);
    this.#pump();
  }

  #pump(): void {
    while (!this.#held && this.#working.size < this.#options.concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) break;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const outcome = await this.#options.work(key);
      this.#failures.delete(key);
      if (outcome?.againInMs !== undefined) this.add(key, outcome.againInMs);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#options.onError?.(key, error, failures);
      this.add(key, backoffMs(failures, this.#options.firstBackoffMs, this.#options.lastBackoffMs));
    }
    this.#working.delete(key);
    if (this.#again.delete(key)) this.#enter(key);
    this.#pump();
    if (this.pending > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** The pause after so many failures in a row: it doubles up to its limit. */
export function backoffMs(failures: number, first: number, last: number): number {
  return Math.min(last, first * 2 ** Math.min(failures - 1, 30));
}
