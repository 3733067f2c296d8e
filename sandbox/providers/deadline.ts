/** How long the real providers wait for one resource when the program does not say, in seconds. */
const defaultTimeoutSeconds = 120 * 60;

/** Runs with a signal that aborts with the outer one, and when the time is up. `seconds` of 0 means 2 hours. */
export async function within<T>(
  seconds: number,
  outer: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = seconds > 0 ? seconds : defaultTimeoutSeconds;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`not done within ${limit} s`)), limit * 1000);
  timer.unref();
  try {
    return await run(AbortSignal.any([outer, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
