import { readFile, realpath, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { writeAtomically } from "./manifest.ts";
import { onPath } from "./paths.ts";
import type { Printed } from "./processes.ts";

/** A program on PATH: where it was found, and the file that this leads to. */
export type OnPath = { path: string; real: string };

/** Every program of that name on PATH, in its order; each file once, and none that lies in Kiln's own cache. */
export async function programsOnPath(
  name: string,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<OnPath[]> {
  const cacheReal = await realpath(cacheDir).catch(() => cacheDir);
  const found = new Map<string, OnPath>();
  for (const path of await onPath(name, env)) {
    const real = await realpath(path);
    // `kiln env` puts cached programs first on PATH: they are judged as what they are, in the cache.
    if (real.startsWith(cacheReal + sep) || found.has(real)) continue;
    found.set(real, { path, real });
  }
  return [...found.values()];
}

type Remembered = Record<string, { real: string; size: number; mtimeMs: number; printed: string }>;

/** Smaller than this it is a launcher (asdf, nix, a wrapper script), not the program itself, which takes 20 MB and more. */
const smallestProgram = 1 << 20;

/**
 * What a program on PATH prints when it is asked for its version. That is remembered in the cache until its file changes, so that a
 * warm start spawns nothing. Not to be called several times at once, since the memory is one file.
 * @param name the name that it was looked up by
 */
export async function versionOnPath(
  { path, real }: OnPath,
  name: string,
  args: readonly string[],
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Printed> {
  const { size, mtimeMs } = await stat(real);
  // What a launcher starts can change (by folder, by setting) while the launcher stays the same, so it is asked each time.
  const lasting = size >= smallestProgram && basename(real) === name;
  const file = join(cacheDir, "path-versions.json");
  const remembered = lasting ? await readRemembered(file) : {};
  const known = remembered[path];
  if (known && known.real === real && known.size === size && known.mtimeMs === mtimeMs)
    return { printed: known.printed };
  const { printedVersion } = await import("./processes.ts");
  const answer = await printedVersion(path, args, env);
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
