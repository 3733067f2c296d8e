import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn, type Sample } from "../lib/rounds.ts";
import { servingPlace } from "../lib/serving-place.ts";
import { timesOf } from "../lib/sides.ts";
import { requireCreated, requireNoChange } from "../lib/verify.ts";

/**
 * Ten projects with a hundred models: `kiln up` from nothing and `kiln preview` with nothing to change, under the policies, over plain
 * `pulumi` with an ordinary program that makes the same Kubernetes resources in the same order, on the same engine, provider,
 * API server and kind of backend. That program is judged by nothing; so a preview is measured over one under the same policies,
 * too.
 */
export async function serving(place: Place): Promise<Finding[]> {
  const [projects, models] = place.quick ? [2, 10] : [10, 100];
  const rounds = place.quick ? 1 : 2;
  const at = await servingPlace(place);
  try {
    at.configure(projects, models);
    let count = 0;
    const up = await inTurn(
      [
        {
          name: "kiln up",
          prepare: at.empty,
          run: async () => {
            const { document, ...sample } = await at.kiln(["up", "dev", "--yes"]);
            requireCreated(document);
            return sample;
          },
        },
        {
          name: "pulumi up",
          prepare: async () => {
            // It is written after what kiln has just made.
            count = await at.plain();
            await at.empty();
            await at.freshStack();
          },
          run: async () => {
            const { stdout, ...sample } = await at.pulumi("up", "--yes", "--skip-preview");
            requireText(stdout, `${count + 1} created`);
            return sample;
          },
        },
      ],
      { rounds, warmUps: 0, say: place.say },
    );
    await at.kiln(["up", "dev", "--yes"]);
    const previews = await inTurn(
      [
        {
          name: "kiln preview",
          run: async () => {
            const { document, ...sample } = await at.kiln(["preview", "dev"]);
            requireNoChange(document);
            return sample;
          },
        },
        {
          name: "pulumi preview",
          run: async () => {
            const { stdout, ...sample } = await at.pulumi("preview");
            requireText(stdout, `${count + 1} unchanged`);
            return sample;
          },
        },
        {
          name: "pulumi preview, judged",
          run: async () => {
            const { stdout, ...sample } = await at.pulumi("preview", "--policy-pack", at.policies);
            requireText(stdout, `${count + 1} unchanged`);
            requireText(stdout, "✅ kiln@");
            return sample;
          },
        },
      ],
      { rounds: rounds + 2, warmUps: 1, say: place.say },
    );
    const what = `${projects} projects with ${models} models in all, ${count} Kubernetes resources`;
    const finding = (
      name: string,
      [kiln, samplesOfKiln]: Named,
      [plain, samplesOfPlain]: Named,
      target: number | null,
    ): Finding => {
      const a = timesOf(`${kiln}, ${what}`, samplesOfKiln);
      const b = timesOf(`${plain}, an ordinary program with the same`, samplesOfPlain);
      const value = a.median / b.median;
      return { name, unit: "ratio", value, target, sidesIn: "ms", a, b, runs: samplesOfKiln?.length ?? 0 };
    };
    const named = (samples: typeof up, name: string): Named => [name, samples.get(name)];
    const preview = named(previews, "kiln preview");
    return [
      finding("serving-up", named(up, "kiln up"), named(up, "pulumi up"), 1),
      finding("serving-preview", preview, named(previews, "pulumi preview"), 0.5),
      finding("serving-preview-judged", preview, named(previews, "pulumi preview, judged"), null),
    ];
  } finally {
    at.dispose();
  }
}

/** What was run, with how long it took. */
type Named = readonly [name: string, samples: readonly Sample[] | undefined];

function requireText(stdout: string, text: string): void {
  if (!stdout.includes(text)) throw new Error(`plain pulumi did not say "${text}":\n${stdout}`);
}
