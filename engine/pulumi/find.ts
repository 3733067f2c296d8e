import { dirname, join } from "node:path";
import { findInCache, type Kept } from "../cache.ts";
import { type OnPath, programsOnPath, versionOnPath } from "../path-versions.ts";
import { defaultCacheDir, isExecutable, onPath } from "../paths.ts";
import type { Considered, Engine, FindOptions } from "../types.ts";
import { type CandidateFacts, judgeCandidate } from "./judge.ts";
import { pulumiKit } from "./kit.ts";
import { buildRecipe, installRecipe } from "./recipe.ts";

export type FindResult = {
  /** Undefined when none is there; `considered` says why. */
  engine: Engine | undefined;
  considered: Considered[];
};

/**
 * Finds a usable engine, on PATH or in Kiln's cache, and says why this one. Installs and builds nothing. When warm it spawns nothing
 * either: a cached engine is checked against its manifest, and the version of a `pulumi` on PATH is remembered until its
 * file changes.
 */
export async function findEngine(options: FindOptions): Promise<FindResult> {
  const cacheDir = options.cacheDir ?? defaultCacheDir(options.env);
  const considered: Considered[] = [];
  const fromPath = await findOnPath(cacheDir, options.env, considered);
  if (fromPath) return { engine: fromPath, considered };
  const recipes = options.recipes ?? (await Promise.all([installRecipe(), buildRecipe()]));
  const kept = await findInCache(pulumiKit, cacheDir, { verify: options.verify, recipes }, considered);
  return { engine: kept && engineOf(kept, considered), considered };
}

/** The engine that a kept kit is. */
export function engineOf({ dir, source, reason }: Kept, considered: Considered[]): Engine {
  const binDir = join(dir, "bin");
  return { pulumi: join(binDir, "pulumi"), binDir, version: pulumiKit.version, source, reason, considered };
}

async function findOnPath(
  cacheDir: string,
  env: NodeJS.ProcessEnv,
  considered: Considered[],
): Promise<Engine | undefined> {
  const programs = await programsOnPath("pulumi", cacheDir, env);
  for (const program of programs) {
    const { path } = program;
    const { facts, binDir } = await inspect(program, cacheDir, env);
    const verdict = judgeCandidate(facts);
    if (!verdict.usable) {
      considered.push({ candidate: path, verdict: verdict.why });
      continue;
    }
    const reason = `pulumi on PATH: ${verdict.why}`;
    considered.push({ candidate: path, verdict: `chosen: ${reason}` });
    return { pulumi: path, binDir, version: verdict.version, source: "path", reason, considered };
  }
  if (programs.length === 0) considered.push({ candidate: "pulumi on PATH", verdict: "none there" });
  return undefined;
}

/** Looks at a `pulumi`, and at what lies beside it or elsewhere on PATH. */
async function inspect(
  program: OnPath,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<{ facts: CandidateFacts; binDir: string }> {
  // Pulumi itself looks on PATH and beside its own executable with links resolved.
  const dirs = [...new Set([dirname(program.path), dirname(program.real)])];
  const place = async (name: string) => {
    for (const dir of dirs) if (await isExecutable(join(dir, name))) return { where: "beside" as const, dir };
    return {
      where: (await onPath(name, env)).length > 0 ? ("path" as const) : ("missing" as const),
      dir: undefined,
    };
  };
  const [host, shim] = [await place("pulumi-language-nodejs"), await place("pulumi-analyzer-policy")];
  return {
    facts: {
      ...(await versionOnPath(program, "pulumi", ["version"], cacheDir, env)),
      languageHost: host.where,
      policyShim: shim.where,
    },
    binDir: host.dir ?? dirname(program.path),
  };
}
