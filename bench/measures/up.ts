import path from "node:path";
import type { Place } from "../lib/place.ts";
import { runTimed } from "../lib/process.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";
import { requireCreated } from "../lib/verify.ts";

/**
 * `kiln up dev` from nothing, over plain `pulumi up` of the same program (stacks/index.ts) in a shell that `kiln env` set
 * up: same resources, same sandbox without latency, no policies, nothing done before or after. The sandbox is emptied
 * before each.
 */
export async function up(place: Place): Promise<Finding[]> {
  const { sandbox, engine, project, plainEnv, signal } = place;
  await place.kiln("sandbox", "start", "--profile", "instant", "--json");
  const empty = async (): Promise<void> => {
    await sandbox.control("POST", "/reset");
  };
  let created = 0;
  let shell: NodeJS.ProcessEnv = {};
  const rounds = place.quick ? 2 : 4;
  const samples = await inTurn(
    [
      {
        name: "kiln up",
        prepare: empty,
        run: async () => {
          const { document, ...sample } = await place.kiln("up", "dev", "--yes", "--json");
          created = requireCreated(document);
          return sample;
        },
      },
      {
        name: "pulumi up",
        prepare: async () => {
          await empty();
          const { document } = await place.kiln("env", "dev", "--json");
          const variables = document.variables as Record<string, string>;
          shell = { ...plainEnv, ...variables, PATH: `${variables.PATH}${path.delimiter}${plainEnv.PATH}` };
        },
        run: async () => {
          const args = ["up", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive"];
          const { stdout, ...sample } = await runTimed({
            file: engine.pulumi,
            args,
            cwd: project,
            env: shell,
            signal,
          });
          if (!stdout.includes(`${created} created`)) {
            throw new Error(`pulumi made something else than kiln's ${created} resources:\n${stdout}`);
          }
          return sample;
        },
      },
    ],
    { rounds, warmUps: 1, say: place.say },
  );
  const a = timesOf(
    `kiln up dev from nothing, ${created} resources, under the policies`,
    samples.get("kiln up"),
  );
  const b = timesOf("pulumi up --yes --skip-preview of the same program", samples.get("pulumi up"));
  return [
    {
      name: "up",
      unit: "ratio",
      value: a.median / b.median,
      target: 1.2,
      sidesIn: "ms",
      a,
      b,
      runs: rounds,
    },
  ];
}
