import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { diskFull, EngineError } from "../errors.ts";
import { runLeashed } from "../processes.ts";
import type { MakeContext, Way } from "../types.ts";
import { installRecipe, pinned } from "./recipe.ts";

const runner = fileURLToPath(new URL("./install-runner.ts", import.meta.url));

export type InstallLimits = {
  /** Milliseconds until the download site must have answered; a machine without it must not wait. @default 6000 */
  reachMs?: number;
  /** Milliseconds for the installation after that; the archive has about 150 MB. @default 600000 */
  installMs?: number;
};

/**
 * Installs the pinned engine with the Automation API's own installer. It runs in a process of its own, because it downloads and runs
 * a shell script that can hang: the group is ended when a time limit passes.
 */
export function installWithin({ reachMs = 6_000, installMs = 600_000 }: InstallLimits): Way {
  return {
    made: "installed",
    candidate: "download by the Automation API's installer",
    recipe: installRecipe,
    make: (context) =>
      context.part("install", `download Pulumi ${pinned.version}`, () =>
        install(context, reachMs, installMs),
      ),
  };
}

/** {@link installWithin} its default limits. */
export const installWay: Way = installWithin({});

async function install(
  { kit, staging, env, log, signal }: MakeContext,
  reachMs: number,
  installMs: number,
): Promise<void> {
  const root = join(staging, "release");
  const limit = new AbortController();
  let why = `no answer from the download site within ${reachMs / 1000} s`;
  let timer = setTimeout(() => limit.abort(), reachMs);
  try {
    const result = await runLeashed(process.execPath, [runner, root, pinned.version], {
      cwd: staging,
      // The installer's own fetch then honours HTTPS_PROXY, as its curl does.
      env: { ...env, NODE_USE_ENV_PROXY: "1" },
      log,
      signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      onStdout: (line) => {
        if (line !== "reachable") return;
        clearTimeout(timer);
        why = `the download did not end within ${installMs / 1000} s`;
        timer = setTimeout(() => limit.abort(), installMs);
      },
    });
    if (result.exitCode !== 0) {
      const full = result.tail.find((line) =>
        /no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i.test(line),
      );
      if (full) throw diskFull(kit, staging, full.trim());
      throw failed(reasonIn(result.tail) ?? `the installer ended with exit code ${result.exitCode}`, log);
    }
  } catch (error) {
    if (limit.signal.aborted && !signal?.aborted) throw failed(why, log);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const bin = join(root, "bin");
  if (!(await stat(bin).catch(() => undefined))) throw failed("the installer left nothing behind", log);
  await rename(bin, join(staging, "bin"));
  await rm(root, { recursive: true, force: true });
}

/** The runner's own one-line reason, else the last thing that was printed. */
function reasonIn(tail: readonly string[]): string | undefined {
  const own = tail.findLast((line) => line.startsWith("reason: "));
  return own?.slice("reason: ".length) ?? tail.findLast((line) => line.trim() !== "")?.trim();
}

function failed(cause: string, log: string): EngineError {
  return new EngineError("ENGINE_DOWNLOAD_FAILED", {
    message: `Pulumi ${pinned.version} could not be downloaded.`,
    cause,
    next: `Check the network and HTTPS_PROXY, or install Pulumi by hand. The installer's output is in ${log}.`,
  });
}
