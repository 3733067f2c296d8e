import { availableParallelism } from "node:os";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";
import { requireCreated } from "../lib/verify.ts";

/** Environments that are brought up at once. */
const many = 20;

/**
 * `kiln up` of twenty environments at once over one, from nothing, in a sandbox that is emptied before each: with the
 * latencies that a sandbox has unless told otherwise, which twenty wait for together, and without any, where processors
 * are all that counts. The subscription's own limit of requests is off: it would be measured, and not Kiln.
 */
export async function parallel(place: Place): Promise<Finding[]> {
  await place.kiln("sandbox", "start", "--json");
  return [await measure(place, "quick", 8), await measure(place, "instant", null)];
}

async function measure(place: Place, profile: "quick" | "instant", target: number | null): Promise<Finding> {
  const settings = JSON.stringify({ profile, throttling: false });
  await place.kiln("sandbox", "settings", "--set", settings, "--json");
  const empty = async (): Promise<void> => {
    await place.sandbox.control("POST", "/reset");
  };
  const up = async (number: number) => {
    const { document, ...sample } = await place.kiln("up", `pr-${number}`, "--yes", "--json");
    requireCreated(document);
    return sample;
  };
  const rounds = place.quick ? 1 : 2;
  const samples = await inTurn(
    [
      { name: "one", prepare: empty, run: () => up(1) },
      {
        name: `${many} at once`,
        prepare: empty,
        run: async () => {
          const began = performance.now();
          await Promise.all(Array.from({ length: many }, (_, at) => up(at + 1)));
          return { ms: performance.now() - began };
        },
      },
    ],
    { rounds, warmUps: 0, say: place.say },
  );
  const a = timesOf(
    `kiln up of ${many} environments at once, ${availableParallelism()} processors, latencies: ${profile}`,
    samples.get(`${many} at once`),
  );
  const b = timesOf("kiln up of one environment", samples.get("one"));
  return {
    name: profile === "quick" ? "parallel" : "parallel-instant",
    unit: "ratio",
    value: a.median / b.median,
    target,
    sidesIn: "ms",
    a,
    b,
    runs: rounds,
  };
}
