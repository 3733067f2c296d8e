/** Waits with others, but not longer than one's own signal allows. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * So many at once; the others wait in line, as long as their signal allows. A place is free a turn of the event loop after its work,
 * which is when undici uses the work's connection again: sooner, it would open one more.
 */
export class Slots {
  #free: number;
  readonly #line = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      setImmediate(() => this.#give());
    }
  }

  #give(): void {
    const [next] = this.#line;
    if (next === undefined) this.#free++;
    else next();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = () => {
      this.#line.delete(mine);
      resolve();
    };
    this.#line.add(mine);
    try {
      await withSignal(promise, signal);
    } catch (error) {
      // A turn that came at the same moment is somebody else's.
      if (!this.#line.delete(mine)) this.#give();
      throw error;
    }
  }
}
