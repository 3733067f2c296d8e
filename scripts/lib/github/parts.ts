/** Whether something is there as it should be. */
export type PartState = "same" | "create" | "update";

/** One thing that a connection is made of. Making it twice gives the same as making it once. */
export interface Part {
  /** In words, for people. */
  readonly what: string;
  /** Looks, and changes nothing. Where what it hangs on is not there yet, neither is it. */
  state(): Promise<PartState>;
  make(): Promise<void>;
}

/** What became of a part, or would. */
export interface PartResult {
  readonly what: string;
  readonly state: PartState;
}

/** Makes what is not as it should be, one after the other: each may hang on those before it. */
export async function settleParts(
  parts: readonly Part[],
  options: {
    readonly dryRun: boolean;
    readonly signal: AbortSignal;
    readonly onPart: (result: PartResult) => void;
  },
): Promise<PartResult[]> {
  const results: PartResult[] = [];
  for (const part of parts) {
    options.signal.throwIfAborted();
    const state = await part.state();
    if (state !== "same" && !options.dryRun) await part.make();
    const result = { what: part.what, state };
    results.push(result);
    options.onPart(result);
  }
  return results;
}
