/**
 * Provides a Pulumi engine: a usable `pulumi` on PATH, else Kiln's cache, else an installation by the Automation API, else a build
 * from Go modules.
 */
import { EngineError } from "./errors.ts";
import { findEngine } from "./find.ts";
import { defaultCacheDir } from "./paths.ts";
import type { Engine, EngineProgress, Way } from "./types.ts";

export { EngineError, type EngineErrorCode } from "./errors.ts";
export { type FindOptions, type FindResult, findEngine } from "./find.ts";
export { defaultCacheDir } from "./paths.ts";
export type { Considered, Engine, EnginePart, EngineProgress, EngineSource } from "./types.ts";

export type ProvideOptions = {
  /** Folder that keeps engines between runs. @default {@link defaultCacheDir} of `env` */
  cacheDir?: string;
  env: NodeJS.ProcessEnv;
  /** Told about each part of making an engine; never called when one is found. */
  onProgress?: (event: EngineProgress) => void;
  /** Ends the making, with every process it started; nothing half-made stays. */
  signal?: AbortSignal;
  /** How an engine may be made, in order. @default install, then build */
  ways?: readonly Way[];
};

/**
 * Finds an engine or makes one. Safe to interrupt at any moment and to run several times at once.
 * @throws EngineError when none can be had, with what to install
 */
export async function provideEngine(options: ProvideOptions): Promise<Engine> {
  const { env, signal, onProgress = () => {} } = options;
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const recipes = options.ways && (await Promise.all(options.ways.map((way) => way.recipe())));
  const { engine, considered } = await findEngine({ cacheDir, env, ...(recipes && { recipes }) });
  if (engine) return engine;
  if (process.platform === "win32") {
    throw new EngineError("ENGINE_UNSUPPORTED_PLATFORM", {
      message: "Kiln cannot prepare a Pulumi engine on Windows.",
      cause: "Its engine is made with POSIX tools.",
      next: "Use the Windows Subsystem for Linux, or install the Pulumi CLI (https://www.pulumi.com/docs/install/).",
    });
  }
  // Loaded only when there is something to make, so that a warm start stays fast.
  const [{ makeEngine }, { installWay }, { buildWay }] = await Promise.all([
    import("./make.ts"),
    import("./install.ts"),
    import("./build.ts"),
  ]);
  const ways = options.ways ?? [installWay, buildWay];
  return await makeEngine({ cacheDir, env, ways, considered, onProgress, signal });
}
