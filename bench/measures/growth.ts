import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { servingPlace } from "../lib/serving-place.ts";
import { exponent, median, significant } from "../lib/stats.ts";
import { requireCreated, requireNoChange } from "../lib/verify.ts";

/**
 * How `kiln preview` with nothing to change, and `kiln up` from nothing, grow with the number of models in ten projects: as a power of
 * it. The file backend writes the whole state anew at each step, which alone grows with the square; so `up` is measured
 * without that as well (PULUMI_SKIP_CHECKPOINTS: no way to work, since a crash then loses the record), and with it only as
 * far as it ends within minutes.
 */
export async function growth(place: Place): Promise<Finding[]> {
  const sizes = place.quick ? [10, 40] : [100, 300, 1000];
  const recordedSizes = place.quick ? [10, 40] : [50, 100, 200];
  const at = await servingPlace(place);
  try {
    const up = async (models: number, env: NodeJS.ProcessEnv): Promise<number> => {
      at.configure(10, models);
      await at.empty();
      const { ms, document } = await at.kiln(["up", "dev", "--yes"], env);
      requireCreated(document);
      place.say(`up of ${models} models: ${Math.round(ms)} ms`);
      return ms;
    };
    const recorded: Point[] = [];
    for (const models of recordedSizes) recorded.push({ x: models, y: await up(models, {}) });
    const unrecorded: Point[] = [];
    const previews: Point[] = [];
    const quickly = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
    for (const models of sizes) {
      unrecorded.push({ x: models, y: await up(models, quickly) });
      const times: number[] = [];
      for (let round = 0; round < 2; round++) {
        const { ms, document } = await at.kiln(["preview", "dev"]);
        requireNoChange(document);
        times.push(ms);
      }
      place.say(`preview of ${models} models: ${times.map(Math.round).join(", ")} ms`);
      previews.push({ x: models, y: median(times) });
    }
    return [
      finding("growth-preview", "kiln preview, nothing to change", previews, 1.2),
      finding("growth-up", "kiln up from nothing, file backend", recorded, 1.2),
      finding("growth-up-unrecorded", "kiln up from nothing, no checkpoints", unrecorded, null),
    ];
  } finally {
    at.dispose();
  }
}

/** Milliseconds (`y`) by number of models (`x`). */
type Point = { readonly x: number; readonly y: number };

function finding(name: string, what: string, points: readonly Point[], target: number | null): Finding {
  const byModels = Object.fromEntries(points.map(({ x, y }) => [x, significant(y)]));
  return {
    name,
    unit: "exponent",
    value: exponent(points),
    target,
    sidesIn: "ms",
    a: { what, byModels },
    b: null,
    runs: 1,
  };
}
