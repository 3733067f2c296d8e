import { rmSync } from "node:fs";
import path from "node:path";
import { SandboxClient } from "../../sandbox/client/index.ts";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn, type Sample } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";

/** The sandbox from spawn to its first answer: on a data folder that holds an environment, and on a fresh one. */
export async function sandboxStart(place: Place): Promise<Finding[]> {
  const rounds = place.quick ? 3 : 7;
  await place.kiln("up", "dev", "--yes", "--json");
  const fresh = path.join(place.folder, "fresh-sandbox");
  const start = async (client: SandboxClient): Promise<Sample> => {
    const began = performance.now();
    await client.start();
    const ms = performance.now() - began;
    await client.stop();
    return { ms };
  };
  // The daemon keeps what Node compiles where kiln, which starts it otherwise, would have it kept.
  const { NODE_COMPILE_CACHE: before } = process.env;
  process.env.NODE_COMPILE_CACHE = place.kilnEnv.NODE_COMPILE_CACHE;
  try {
    await place.sandbox.stop();
    const samples = await inTurn(
      [
        { name: "with an environment", run: () => start(place.sandbox) },
        {
          name: "fresh",
          prepare: async () => rmSync(fresh, { recursive: true, force: true }),
          run: () => start(new SandboxClient(fresh)),
        },
      ],
      { rounds, warmUps: 1, say: place.say },
    );
    const a = timesOf(
      "sandbox from spawn to its first answer, data folder with an environment",
      samples.get("with an environment"),
    );
    const b = timesOf("sandbox from spawn to its first answer, fresh data folder", samples.get("fresh"));
    return [
      {
        name: "sandbox-start",
        unit: "s",
        value: Math.max(a.median, b.median) / 1000,
        target: 1,
        sidesIn: "ms",
        a,
        b,
        runs: rounds,
      },
    ];
  } finally {
    if (before === undefined) delete process.env.NODE_COMPILE_CACHE;
    else process.env.NODE_COMPILE_CACHE = before;
  }
}
