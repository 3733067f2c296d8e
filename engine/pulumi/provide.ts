import { provideKit } from "../provide.ts";
import type { Engine, ProvideOptions } from "../types.ts";
import { engineOf, findEngine } from "./find.ts";
import { pulumiKit } from "./kit.ts";

/**
 * Finds an engine or makes one. Safe to interrupt at any moment and to run several times at once.
 * @throws EngineError when none can be had, with what to install
 */
export async function provideEngine(options: ProvideOptions): Promise<Engine> {
  const { cacheDir, env } = options;
  const recipes = options.ways && (await Promise.all(options.ways.map((way) => way.recipe())));
  const { engine, considered } = await findEngine({
    env,
    ...(cacheDir !== undefined && { cacheDir }),
    ...(recipes && { recipes }),
  });
  if (engine) return engine;
  const kept = await provideKit(pulumiKit, options, considered, async () => {
    const [{ installWay }, { buildWay }] = await Promise.all([import("./install.ts"), import("./build.ts")]);
    return [installWay, buildWay];
  });
  return engineOf(kept, considered);
}
