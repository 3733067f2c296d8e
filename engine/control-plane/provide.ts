import { join } from "node:path";
import { checkKit } from "../manifest.ts";
import { defaultCacheDir } from "../paths.ts";
import { provideKit } from "../provide.ts";
import type { ControlPlane, ProvideOptions } from "../types.ts";
import { controlPlaneOf, lookAround } from "./find.ts";
import { controlPlaneKey, controlPlaneKit } from "./kit.ts";
import { buildRecipe, type Group, groups } from "./recipe.ts";

/**
 * Finds a control plane or makes what is missing of it, which takes minutes the first time. Safe to interrupt at any moment and to run
 * several times at once.
 * @throws EngineError when it cannot be had, with what to install
 */
export async function provideControlPlane(options: ProvideOptions): Promise<ControlPlane> {
  const { env } = options;
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const recipes = await Promise.all(options.ways?.map((way) => way.recipe()) ?? [buildRecipe()]);
  const look = await lookAround({ cacheDir, env, recipes });
  if (look.kept) return controlPlaneOf(look, look.kept);
  // What a run with another PATH has made stays in it: the two would else make it anew in turn.
  const had = await groupsInCache(cacheDir, recipes);
  const making = (Object.keys(groups) as Group[]).filter(
    (group) => look.needed.includes(group) || had.includes(group),
  );
  const kept = await provideKit(controlPlaneKit(making), options, look.considered, async () => {
    const { buildWayOf } = await import("./build.ts");
    return [buildWayOf(making)];
  });
  return controlPlaneOf(look, kept);
}

async function groupsInCache(cacheDir: string, recipes: readonly string[]): Promise<Group[]> {
  const check = await checkKit(join(cacheDir, controlPlaneKey), [], recipes);
  if (!check.valid) return [];
  const files = new Set(check.manifest.files.map(({ path }) => path));
  return (Object.keys(groups) as Group[]).filter((group) =>
    groups[group].every((name) => files.has(`bin/${name}`)),
  );
}
