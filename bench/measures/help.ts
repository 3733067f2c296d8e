import type { Place } from "../lib/place.ts";
import { runTimed } from "../lib/process.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";

/** `kiln --help`, beside a Node that does nothing. */
export async function help(place: Place): Promise<Finding[]> {
  const { kilnEnv, signal } = place;
  const rounds = place.quick ? 5 : 15;
  const samples = await inTurn(
    [
      { name: "kiln --help", run: () => place.kiln("--help") },
      {
        name: "node -e 0",
        run: () => runTimed({ file: process.execPath, args: ["-e", "0"], env: kilnEnv, signal }),
      },
    ],
    { rounds, warmUps: 1, say: place.say },
  );
  const a = timesOf("kiln --help", samples.get("kiln --help"));
  return [
    {
      name: "help",
      unit: "s",
      value: a.median / 1000,
      target: 0.3,
      sidesIn: "ms",
      a,
      b: timesOf("node -e 0", samples.get("node -e 0")),
      runs: rounds,
    },
  ];
}
