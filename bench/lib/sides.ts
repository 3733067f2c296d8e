import type { Side } from "./report.ts";
import type { Sample } from "./rounds.ts";
import { median, significant, spread } from "./stats.ts";

/** A side's wall-clock times, and its processor time where that is known, in milliseconds. */
export function timesOf(what: string, samples: readonly Sample[] | undefined): Side & { median: number } {
  const times = samples ?? [];
  const cpu = times.flatMap(({ cpuMs }) => (cpuMs === undefined ? [] : [cpuMs]));
  return {
    what,
    ...spread(times.map(({ ms }) => ms)),
    ...(cpu.length === times.length ? { cpuMedian: significant(median(cpu)) } : {}),
  };
}
