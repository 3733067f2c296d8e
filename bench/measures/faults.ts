import { availableParallelism } from "node:os";
import path from "node:path";
import { z } from "zod";
import type { Place } from "../lib/place.ts";
import { runTimed } from "../lib/process.ts";
import type { Finding } from "../lib/report.ts";

const toldSchema = z.object({ seeds: z.number(), seconds: z.number(), seedsPerSecond: z.number() });

/** How many seeds of the fault harness run in a second, on all processors: each is a life of several environments. */
export async function faults(place: Place): Promise<Finding[]> {
  const seeds = place.quick ? 100 : 400;
  const { stdout } = await runTimed({
    file: process.execPath,
    args: [path.join(place.project, "test", "faults", "run.ts"), "--json", "--seeds", String(seeds)],
    cwd: place.project,
    env: place.plainEnv,
    signal: place.signal,
  });
  const { seedsPerSecond, seconds } = toldSchema.parse(JSON.parse(stdout));
  return [
    {
      name: "faults",
      unit: "seeds/s",
      value: seedsPerSecond,
      target: null,
      sidesIn: "s",
      a: { what: `${seeds} seeds on ${availableParallelism()} processors`, median: seconds },
      b: null,
      runs: 1,
    },
  ];
}
