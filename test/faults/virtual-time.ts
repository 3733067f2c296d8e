import { createRequire, syncBuiltinESMExports } from "node:module";

const timers = createRequire(import.meta.url)("node:timers/promises") as {
  setTimeout: unknown;
};
const real = timers.setTimeout;

/** Has everything that waits in this process wait in another time: whoever imported `node:timers/promises`. */
export function waitIn(sleep: (ms: number) => Promise<void>): void {
  timers.setTimeout = async (ms = 0, value?: unknown, options: { signal?: AbortSignal } = {}) => {
    options.signal?.throwIfAborted();
    await sleep(ms);
    options.signal?.throwIfAborted();
    return value;
  };
  syncBuiltinESMExports();
}

/** Back to the time of the machine. */
export function waitForReal(): void {
  timers.setTimeout = real;
  syncBuiltinESMExports();
}
