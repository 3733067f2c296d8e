import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { pinned, requiredFiles } from "../../engine/pulumi/recipe.ts";
import type { EngineProgress, MakeContext, Way } from "../../engine/types.ts";

/** A folder that is removed after the test. */
export async function scratch(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "kiln-engine-")));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** An environment with nothing of the developer's: only these folders are on PATH. */
export function environment(home: string, ...dirs: string[]): NodeJS.ProcessEnv {
  return { HOME: home, PATH: dirs.join(":") };
}

/** Writes an executable shell script. It finds the system's tools whatever PATH it is started with. */
export async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${body}\n`, { mode: 0o755 });
  return path;
}

/** A shell script as large as a program, so that it does not count as a launcher. */
export async function program(path: string, body: string): Promise<string> {
  return script(path, `${body}\nexit $?\n${"#".repeat(1 << 20)}`);
}

/** Writes a `pulumi` that says that it is `version`, with the executables that go with it. */
export async function fakePulumi(
  bin: string,
  version: string,
  companions: readonly string[] = ["pulumi-language-nodejs", "pulumi-analyzer-policy"],
): Promise<string> {
  for (const name of companions) await script(join(bin, name), "exit 0");
  return await script(join(bin, "pulumi"), `echo v${version}`);
}

/** Fills the staging folder as a real way would. */
export async function fillStaging(staging: string): Promise<void> {
  const others = requiredFiles.filter((name) => name !== "pulumi");
  await fakePulumi(join(staging, "bin"), pinned.version, others);
}

/** A way of making an engine that runs `make` instead of a compiler. */
export function cheapWay(make: (context: MakeContext) => Promise<void>): Way {
  return { made: "built", candidate: "a cheap way", recipe: async () => "test:1", make };
}

/** Collects progress. */
export function recorder(): { events: EngineProgress[]; onProgress: (event: EngineProgress) => void } {
  const events: EngineProgress[] = [];
  return { events, onProgress: (event) => events.push(event) };
}

/** Names in the cache that only a making in progress may have. */
export async function leftovers(cacheDir: string): Promise<string[]> {
  if (!existsSync(cacheDir)) return [];
  const names = await readdir(cacheDir);
  return names.filter((name) => /^\.|owner/.test(name));
}

/** Whether a process is there and runs. A killed process whose parent has not asked for it yet (a zombie) does not run. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // Gone since; or a system without /proc, where a signal that arrives is all there is to know.
    return !existsSync("/proc/self/status");
  }
}
