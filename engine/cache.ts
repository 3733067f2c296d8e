import { join } from "node:path";
import { checkKit } from "./manifest.ts";
import type { Considered, EngineSource, Kit } from "./types.ts";

/** A complete kit in the cache. */
export type Kept = {
  /** Its folder. */
  dir: string;
  source: EngineSource;
  /** Why it was taken, in one sentence. */
  reason: string;
};

/** How a kit was made, in words. */
export const origins = {
  built: "built from Go modules",
  installed: "installed by the Automation API",
} as const;

/**
 * Looks for a complete kit in the cache. Adds what it saw to `considered`. It only compares files with the manifest, and starts
 * nothing.
 * @param options.verify hash the files instead of comparing sizes and times
 * @param options.recipes what the caller would make itself
 */
export async function findInCache(
  kit: Kit,
  cacheDir: string,
  options: { verify?: boolean | undefined; recipes: readonly string[] },
  considered: Considered[],
): Promise<Kept | undefined> {
  const dir = join(cacheDir, kit.key);
  const check = await checkKit(dir, kit.files, options.recipes, options.verify);
  if (!check.valid) {
    considered.push({ candidate: dir, verdict: check.why });
    return undefined;
  }
  const { made, madeAt } = check.manifest;
  const how = options.verify ? "every file has its recorded hash" : "its files are as recorded";
  const reason = `${kit.contents} in Kiln's cache, ${origins[made]} on ${madeAt.slice(0, 10)}; ${how}`;
  considered.push({ candidate: dir, verdict: `chosen: ${reason}` });
  return { dir, source: `cache-${made}`, reason };
}
