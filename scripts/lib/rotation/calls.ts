import { KilnError } from "../errors.ts";
import { asKilnError, cloudAnswer } from "../keys/cloud-answer.ts";
import { type Attempt, OutOfPatience, persist } from "../keys/patience.ts";
import { worthRepeating } from "./judge.ts";
import type { RotationOptions } from "./types.ts";

/** How long a cloud that does not answer is asked again, in milliseconds. */
const SILENCE_MS = 10_000;

/** The calls of one rotation: counted, within one budget of time, repeated while that is worth it. */
export class Calls {
  count = 0;
  /** Time in which at least one call was open, in milliseconds. */
  openMs = 0;
  #open = 0;
  #since = 0;
  readonly deadline: number;
  readonly #options: Pick<RotationOptions, "clock" | "tell" | "signal" | "late">;

  constructor(options: Pick<RotationOptions, "clock" | "tell" | "signal" | "late" | "timeoutMs">) {
    this.#options = options;
    this.deadline = options.clock.now() + options.timeoutMs;
  }

  /** A call of the cloud that is repeated while it is worth it. */
  call<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.until(what, async () => ({ done: true, value: await this.once(work) }));
  }

  /** Attempts, until one is done or the time is up; a refusal of the cloud that will pass is no end. */
  async until<T>(what: string, attempt: () => Promise<Attempt<T>>): Promise<T> {
    const { clock, tell } = this.#options;
    const patience = {
      budgetMs: Math.max(0, this.deadline - clock.now()),
      clock,
      tell,
      // Small steps: what is waited for takes seconds, and a late look would lengthen the rotation as a whole.
      firstMs: 100,
      growth: 1.1,
      longestMs: 1_500,
    };
    let silentSince: number | undefined;
    return persist(what, patience, async () => {
      try {
        const result = await attempt();
        silentSince = undefined;
        return result;
      } catch (error) {
        const answer = cloudAnswer(error);
        const reason = answer === undefined ? undefined : worthRepeating(answer);
        if (answer === undefined || reason === undefined) throw told(error, what);
        // A cloud that is not there at all, or not any more, is no cloud that takes its time.
        silentSince = answer.status === undefined ? (silentSince ?? clock.now()) : undefined;
        if (silentSince !== undefined && clock.now() - silentSince > SILENCE_MS) throw told(error, what);
        const { code, retryAfterMs } = answer;
        return { done: false, code, reason, retryAfterMs };
      }
    });
  }

  /** One call, unless the run was interrupted. A call that hangs is left behind when the time is up. */
  async once<T>(work: () => Promise<T>): Promise<T> {
    const { signal, late } = this.#options;
    signal.throwIfAborted();
    this.count++;
    if (this.#open++ === 0) this.#since = this.#options.clock.now();
    const left = AbortSignal.any([signal, late]);
    const { promise: leave, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.aborted ? signal.reason : hung());
    left.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work(), leave]);
    } finally {
      left.removeEventListener("abort", onAbort);
      if (--this.#open === 0) this.openMs += this.#options.clock.now() - this.#since;
    }
  }
}

function hung(): OutOfPatience {
  return new OutOfPatience({
    code: "NoAnswer",
    message: "the cloud did not answer before the time was up",
    cause: "A call was still open.",
    next: "Run it again: it goes on from there.",
  });
}

/** A refusal that no waiting mends, in plain words. */
function told(error: unknown, what: string): unknown {
  const answer = cloudAnswer(error);
  if (answer === undefined) return error;
  if (answer.status === undefined) {
    return new KilnError({
      code: "CloudUnreachable",
      message: "the cloud does not answer",
      cause: `${what} got no answer, time and again: ${answer.message}. The key in use is still valid.`,
      next: "Run it again: it goes on where it stopped (and starts the sandbox, if that is the cloud).",
    });
  }
  if (/disableLocalAuth/i.test(answer.message)) {
    return new KilnError({
      code: "LocalAuthDisabled",
      message: "the account takes no keys",
      cause: "Local authentication is switched off (disableLocalAuth), so there is no key to rotate.",
      next: "Nothing needs to be rotated. If keys are wanted, switch local authentication on by `kiln up`.",
    });
  }
  return asKilnError(error, `${what} failed`, "Mend the cause, then run it again: it goes on from there.");
}
