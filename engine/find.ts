import { readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { checkEngine, writeAtomically } from "./manifest.ts";
import { cacheKey, defaultCacheDir, isExecutable, onPath } from "./paths.ts";
import { buildRecipe, installRecipe, pinned } from "./recipe.ts";
import type { Considered, Engine } from "./types.ts";
import { type CandidateFacts, judgeCandidate } from "./versions.ts";

export type FindOptions = {
  /** @default {@link defaultCacheDir} of `env` */
  cacheDir?: string;
  env: NodeJS.ProcessEnv;
  /** Hash the cached engine's files instead of comparing sizes and times. @default false */
  verify?: boolean;
  /** What may stand in the cache. @default the recipes of this Kiln */
  recipes?: readonly string[];
};

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
  const fromCache = await findInCache(cacheDir, options, considered);
  return { engine: fromCache, considered };
}

/** Looks only into the cache. Adds what it saw to `considered`. */
export async function findInCache(
  cacheDir: string,
  options: Pick<FindOptions, "verify" | "recipes">,
  considered: Considered[],
): Promise<Engine | undefined> {
  const dir = join(cacheDir, cacheKey(pinned.version));
  const recipes = options.recipes ?? (await Promise.all([installRecipe(), buildRecipe()]));
  const check = await checkEngine(dir, recipes, options.verify);
  if (!check.valid) {
    considered.push({ candidate: dir, verdict: check.why });
    return undefined;
  }
  const { made, version, madeAt } = check.manifest;
  const origin = made === "built" ? "built from Go modules" : "installed by the Automation API";
  const how = options.verify ? "every file has its recorded hash" : "its files are as recorded";
  const reason = `Pulumi ${version} in Kiln's cache, ${origin} on ${madeAt.slice(0, 10)}; ${how}`;
  considered.push({ candidate: dir, verdict: `chosen: ${reason}` });
  const binDir = join(dir, "bin");
  return { pulumi: join(binDir, "pulumi"), binDir, version, source: `cache-${made}`, reason, considered };
}

async function findOnPath(
  cacheDir: string,
  env: NodeJS.ProcessEnv,
  considered: Considered[],
): Promise<Engine | undefined> {
  const cacheReal = await realpath(cacheDir).catch(() => cacheDir);
  const seen = new Set<string>();
  for (const path of await onPath("pulumi", env)) {
    const real = await realpath(path);
    // `kiln env` puts the cached engine first on PATH: it is judged as what it is, below.
    if (real.startsWith(cacheReal + sep) || seen.has(real)) continue;
    seen.add(real);
    const { facts, binDir } = await inspect(path, real, cacheDir, env);
    const verdict = judgeCandidate(facts);
    if (!verdict.usable) {
      considered.push({ candidate: path, verdict: verdict.why });
      continue;
    }
    const reason = `pulumi on PATH: ${verdict.why}`;
    considered.push({ candidate: path, verdict: `chosen: ${reason}` });
    return { pulumi: path, binDir, version: verdict.version, source: "path", reason, considered };
  }
  if (seen.size === 0) considered.push({ candidate: "pulumi on PATH", verdict: "none there" });
  return undefined;
}

/** Looks at the `pulumi` at `path`, whose file is `real`, and at what lies beside either or elsewhere on PATH. */
async function inspect(
  path: string,
  real: string,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<{ facts: CandidateFacts; binDir: string }> {
  // Pulumi itself looks on PATH and beside its own executable with links resolved.
  const dirs = [...new Set([dirname(path), dirname(real)])];
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
      ...(await versionOf(path, real, cacheDir, env)),
      languageHost: host.where,
      policyShim: shim.where,
    },
    binDir: host.dir ?? dirname(path),
  };
}

type Remembered = Record<string, { real: string; size: number; mtimeMs: number; printed: string }>;

/** Smaller than this it is a launcher (asdf, nix, a wrapper script), not the CLI itself, which takes 80 MB and more. */
const smallestCli = 1 << 20;

async function versionOf(
  path: string,
  real: string,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Pick<CandidateFacts, "printed" | "failure">> {
  const { size, mtimeMs } = await stat(real);
  // What a launcher starts can change (by folder, by setting) while the launcher stays the same, so it is asked each time.
  const lasting = size >= smallestCli && basename(real) === "pulumi";
  const file = join(cacheDir, "path-versions.json");
  const remembered = lasting ? await readRemembered(file) : {};
  const known = remembered[path];
  if (known && known.real === real && known.size === size && known.mtimeMs === mtimeMs)
    return { printed: known.printed };
  const { pulumiVersion } = await import("./processes.ts");
  const answer = await pulumiVersion(path, env);
  if (lasting && answer.printed !== undefined) {
    const next: Remembered = { ...remembered, [path]: { real, size, mtimeMs, printed: answer.printed } };
    // Only a memory: without it the next run asks again.
    await writeAtomically(file, `${JSON.stringify(next, undefined, 2)}\n`).catch(() => {});
  }
  return answer;
}

async function readRemembered(file: string): Promise<Remembered> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return typeof value === "object" && value !== null ? (value as Remembered) : {};
  } catch {
    return {};
  }
}
