import { availableParallelism } from "node:os";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";
import { requireCreated } from "../lib/verify.ts";

/** Environments that are brought up at once. */
const many = 20;

/**
 * `kiln up` of twenty environments at once over one, from nothing, in a sandbox without latency that is emptied before
 * each. The subscription's own limit of requests is off: it would be measured, and not Kiln.
 */
export async function parallel(place: Place): Promise<Finding[]> {
  await place.kiln("sandbox", "start", "--profile", "instant", "--json");
  await place.kiln("sandbox", "settings", "--set", JSON.stringify({ throttling: false }), "--json");
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
    `kiln up of ${many} environments at once, ${availableParallelism()} processors`,
    samples.get(`${many} at once`),
  );
  const b = timesOf("kiln up of one environment", samples.get("one"));
  return [
    {
      name: "parallel",
      unit: "ratio",
      value: a.median / b.median,
      target: 8,
      sidesIn: "ms",
      a,
      b,
      runs: rounds,
    },
  ];
}
