/** Something that is measured in turn with others. */
export interface Contender {
  readonly name: string;
  /** Brings about what the run starts from; not timed. */
  readonly prepare?: () => Promise<void>;
  /** Does it once, and fails unless it did what it should. */
  readonly run: () => Promise<Sample>;
}

/** One run. */
export interface Sample {
  /** Wall-clock time in milliseconds. */
  readonly ms: number;
  /** Processor time of the run and all it started, in milliseconds, where the system tells. */
  readonly cpuMs?: number | undefined;
}

/**
 * Measures contenders in turn, A B A B: what slows the machine down for a while slows all of them. The first runs of each
 * warm what a second run finds warm, and are not counted.
 * @param say told about each run
 * @returns the samples by name
 */
export async function inTurn(
  contenders: readonly Contender[],
  options: { rounds: number; warmUps: number; say: (line: string) => void },
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1 - options.warmUps; round <= options.rounds; round++) {
    for (const contender of contenders) {
      await contender.prepare?.();
      const sample = await contender.run();
      const title = round < 1 ? "warm-up" : `round ${round} of ${options.rounds}`;
      options.say(`${title}: ${contender.name} ${Math.round(sample.ms)} ms`);
      if (round >= 1) samples.get(contender.name)?.push(sample);
    }
  }
  return samples;
}
