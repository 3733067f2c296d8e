import { z } from "zod";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";

const rotatedSchema = z.object({
  outcome: z.literal("rotated"),
  calls: z.number(),
  phases: z.array(z.object({ phase: z.string(), cloudMs: z.number() })),
});

/**
 * Calls that no rotation with one consumer can do without: the secret, the keys, the consumer's references; a new key, a try of
 * it, a new version; a refresh, the references once more, a proof, a model call.
 */
const fewest = 10;

/**
 * `kiln rotate-key dev`, the whole command, over the cloud's latencies on its critical path, with those of Azure: time in
 * which a call of the cloud was open, and until the model takes a new key. And the calls it takes, over the fewest possible.
 */
export async function rotation(place: Place): Promise<Finding[]> {
  // A quick run lets the sandbox's time run faster; the command's own part weighs more then.
  const scale = place.quick ? 3 : 1;
  await place.kiln("sandbox", "start", "--profile", "instant", "--json");
  await place.kiln("up", "dev", "--yes", "--json");
  const counted = rotatedSchema.parse((await place.kiln("rotate-key", "dev", "--json")).document);

  await place.kiln("sandbox", "settings", "--set", JSON.stringify({ profile: "azure" }), "--json");
  // The grants that the environment was made with are to be old ones.
  await place.kiln("sandbox", "clock", "advance", "1h", "--json");
  await place.kiln("sandbox", "clock", "scale", String(scale), "--json");
  const propagationMs = 30_000 / scale;
  const critical: { ms: number }[] = [];
  const rounds = place.quick ? 1 : 3;
  const samples = await inTurn(
    [
      {
        name: "rotate-key",
        run: async () => {
          const { document, ...sample } = await place.kiln("rotate-key", "dev", "--json");
          const { phases } = rotatedSchema.parse(document);
          const ms = phases.reduce(
            (sum, { phase, cloudMs }) =>
              sum + (phase === "test" ? Math.max(cloudMs, propagationMs) : cloudMs),
            0,
          );
          critical.push({ ms });
          return sample;
        },
      },
    ],
    { rounds, warmUps: 0, say: place.say },
  );
  await place.kiln("sandbox", "clock", "scale", "1", "--json");
  await place.kiln("sandbox", "settings", "--set", JSON.stringify({ profile: "instant" }), "--json");
  const a = timesOf("kiln rotate-key dev, from its start to its end", samples.get("rotate-key"));
  const b = timesOf(`cloud latencies on its critical path, Azure's, ${scale} times as fast`, critical);
  return [
    {
      name: "rotation",
      unit: "ratio",
      value: a.median / b.median,
      target: 1.15,
      sidesIn: "ms",
      a,
      b,
      runs: rounds,
    },
    {
      name: "rotation-calls",
      unit: "ratio",
      value: counted.calls / fewest,
      target: null,
      sidesIn: "calls",
      a: {
        what: "calls of the cloud in a rotation with one consumer, journal and looks included",
        median: counted.calls,
      },
      b: {
        what: "the fewest that any rotation can do with, which could not be gone on with",
        median: fewest,
      },
      runs: 1,
    },
  ];
}
