import { rmSync } from "node:fs";
import path from "node:path";
import { provideControlPlane } from "../../engine/index.ts";
import { SandboxClient } from "../../sandbox/client/index.ts";
import type { Place } from "../lib/place.ts";
import type { Finding } from "../lib/report.ts";
import { inTurn, type Sample } from "../lib/rounds.ts";
import { timesOf } from "../lib/sides.ts";

/**
 * The sandbox's Kubernetes from the request to ready (API server, controllers, scheduler, nodes and every definition of a resource):
 * on the data of an earlier life, which is what a restart finds, and from nothing.
 */
export async function controlPlane(place: Place): Promise<Finding[]> {
  const { signal } = place;
  const files = await provideControlPlane({
    env: place.kilnEnv,
    signal,
    onProgress: ({ title }) => place.say(title),
  });
  const rounds = place.quick ? 2 : 5;
  const fresh = new SandboxClient(path.join(place.folder, "fresh-kubernetes"), signal);
  const start = async (client: SandboxClient): Promise<Sample> => {
    const began = performance.now();
    await client.startKubernetes(files);
    return { ms: performance.now() - began };
  };
  await place.sandbox.start();
  try {
    const samples = await inTurn(
      [
        {
          name: "warm",
          run: async () => {
            const sample = await start(place.sandbox);
            await place.sandbox.stopKubernetes();
            return sample;
          },
        },
        {
          name: "from nothing",
          prepare: async () => {
            rmSync(fresh.dataDir, { recursive: true, force: true });
            await fresh.start();
          },
          run: async () => {
            const sample = await start(fresh);
            await fresh.stop();
            return sample;
          },
        },
      ],
      { rounds, warmUps: 1, say: place.say },
    );
    const a = timesOf(`control plane ready, Kubernetes ${files.version}, data kept`, samples.get("warm"));
    const b = timesOf("control plane ready, from nothing", samples.get("from nothing"));
    return [
      {
        name: "control-plane",
        unit: "s",
        value: a.median / 1000,
        target: 5,
        sidesIn: "ms",
        a,
        b,
        runs: rounds,
      },
    ];
  } finally {
    await fresh.stop();
  }
}
