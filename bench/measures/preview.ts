import { emptyProgram } from "../lib/empty-program.ts";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";
import { requireNoChange } from "../lib/verify.ts";

/**
 * `kiln preview dev` with nothing to change (28 resources, judged by every policy), over the preview of an empty program
 * on the same engine: once with this checkout's packages beside it, once with the SDK alone.
 */
export async function preview(place: Place): Promise<Finding[]> {
  await place.kiln("up", "dev", "--json");
  const beside = await emptyProgram(place, "checkout");
  const alone = await emptyProgram(place, "own");
  const rounds = place.quick ? 3 : 7;
  const samples = await inTurn(
    [
      {
        name: "kiln preview",
        run: async () => {
          const { document, ...sample } = await place.kiln("preview", "dev", "--json");
          requireNoChange(document);
          return sample;
        },
      },
      { name: "empty program", run: () => beside.preview() },
      { name: "empty program, SDK alone", run: () => alone.preview() },
    ],
    { rounds, warmUps: 2, say: place.say },
  );
  const a = timesOf("kiln preview dev, nothing to change", samples.get("kiln preview"));
  const finding = (name: string, b: ReturnType<typeof timesOf>): Finding => ({
    name,
    unit: "ratio",
    value: a.median / b.median,
    target: 1,
    sidesIn: "ms",
    a,
    b,
    runs: rounds,
  });
  return [
    finding(
      "preview",
      timesOf("pulumi preview, empty program, packages of this checkout", samples.get("empty program")),
    ),
    finding(
      "preview-sdk-alone",
      timesOf(
        "pulumi preview, empty program, only @pulumi/pulumi installed",
        samples.get("empty program, SDK alone"),
      ),
    ),
  ];
}
