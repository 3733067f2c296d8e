import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/**
 * The folder that keeps engines between runs: KILN_ENGINE_CACHE, else `$XDG_CACHE_HOME/kiln/engine`, else
 * `~/.cache/kiln/engine`.
 */
export function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  if (env.KILN_ENGINE_CACHE) return resolve(env.KILN_ENGINE_CACHE);
  // The XDG base directory specification says that a relative path is to be ignored.
  const xdg = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : undefined;
  return join(xdg ?? join(env.HOME || homedir(), ".cache"), "kiln", "engine");
}

/** Name of an engine in the cache, e.g. `3.220.0-linux-x64`. */
export function cacheKey(version: string): string {
  return `${version}-${process.platform}-${process.arch}`;
}

/** Whether a path leads to a file that this user may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Every executable of that name on PATH, in PATH's order, without repeats. */
export async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  // Relative entries depend on the working folder, which is not what the user means by an installed tool.
  const dirs = (env.PATH ?? "").split(delimiter).filter((dir) => isAbsolute(dir));
  const paths = [...new Set(dirs.map((dir) => join(dir, name)))];
  const usable = await Promise.all(paths.map(isExecutable));
  return paths.filter((_, index) => usable[index]);
}
