import type { Kept } from "./cache.ts";
import { EngineError } from "./errors.ts";
import { defaultCacheDir } from "./paths.ts";
import type { Considered, Kit, ProvideOptions, Way } from "./types.ts";

/**
 * Makes a kit that was found nowhere.
 * @param considered where it was looked for; what follows is added
 * @param loadWays how it may be made, unless `options` say; loaded only now, so that a warm start stays fast
 * @throws EngineError when it cannot be had, with what to install
 */
export async function provideKit(
  kit: Kit,
  options: ProvideOptions,
  considered: Considered[],
  loadWays: () => Promise<readonly Way[]>,
): Promise<Kept> {
  if (process.platform === "win32") {
    throw new EngineError("ENGINE_UNSUPPORTED_PLATFORM", {
      message: `Kiln cannot prepare the ${kit.name} on Windows.`,
      cause: "It is made with POSIX tools.",
      next: `Use the Windows Subsystem for Linux${kit.instead === undefined ? "" : `, or install ${kit.instead}`}.`,
    });
  }
  const { env, signal, onProgress = () => {} } = options;
  const [{ makeKit }, ways] = await Promise.all([import("./make.ts"), options.ways ?? loadWays()]);
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  return await makeKit({ kit, cacheDir, env, ways, considered, onProgress, signal });
}
