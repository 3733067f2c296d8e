import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, fromSystem, interrupted, isFinal } from "./errors.ts";
import { findInCache } from "./find.ts";
import { withLock } from "./lock.ts";
import { writeManifest } from "./manifest.ts";
import { cacheKey, isExecutable } from "./paths.ts";
import { pulumiVersion } from "./processes.ts";
import { pinned, requiredFiles } from "./recipe.ts";
import type { Considered, Engine, EnginePart, EngineProgress, MakeContext, Way } from "./types.ts";

const tickMs = 1000;

export type MakeOptions = {
  cacheDir: string;
  env: NodeJS.ProcessEnv;
  ways: readonly Way[];
  considered: Considered[];
  onProgress: (event: EngineProgress) => void;
  signal?: AbortSignal | undefined;
};

/**
 * Makes the pinned engine by the first way that works, and puts it into the cache. One process at a time makes it: another one waits
 * and takes its result. Whatever ends this half-way, the cache holds either a complete engine or none.
 * @throws EngineError
 */
export async function makeEngine(options: MakeOptions): Promise<Engine> {
  const { cacheDir, signal, onProgress } = options;
  const key = cacheKey(pinned.version);
  const waited = { since: 0 };
  const wait = { part: "wait", title: "wait for another kiln that prepares the engine" } as const;
  try {
    return await withLock(
      join(cacheDir, `${key}.lock`),
      {
        signal,
        onWait: (owner) => {
          waited.since = performance.now();
          const detail = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : undefined;
          onProgress({ ...wait, phase: "started", elapsedMs: 0, ...(detail && { detail }) });
        },
      },
      async () => {
        if (waited.since > 0) {
          onProgress({ ...wait, phase: "done", elapsedMs: performance.now() - waited.since });
          const engine = await takeOver(options);
          if (engine) return engine;
        }
        await sweep(cacheDir, key);
        return await tryWays(options, key);
      },
    );
  } catch (error) {
    if (signal?.aborted && !(error instanceof EngineError)) throw interrupted();
    throw fromSystem(error, cacheDir);
  }
}

/** What another process made while this one waited. */
async function takeOver({ cacheDir, ways, considered }: MakeOptions): Promise<Engine | undefined> {
  const recipes = await Promise.all(ways.map((way) => way.recipe()));
  const engine = await findInCache(cacheDir, { recipes }, considered);
  return engine && { ...engine, reason: `${engine.reason}; another kiln made it while this one waited` };
}

/** Removes what killed processes left. Only the holder of the lock makes anything, so nobody is using it. */
async function sweep(cacheDir: string, key: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(`.staging-${key}-`) && !name.startsWith(`.old-${key}-`)) continue;
    await rm(join(cacheDir, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function tryWays(options: MakeOptions, key: string): Promise<Engine> {
  const { cacheDir, considered, ways } = options;
  const failures: EngineError[] = [];
  for (const [index, way] of ways.entries()) {
    const staging = join(cacheDir, `.staging-${key}-${randomUUID()}`);
    try {
      await mkdir(staging, { recursive: true });
      const log = join(cacheDir, `${key}.${way.made}.log`);
      await rm(log, { force: true });
      await makeBy(way, context(options, staging, log, index < ways.length - 1));
      const dir = join(cacheDir, key);
      await publish(staging, dir, key, cacheDir);
      const reason = `${way.made === "built" ? "built from Go modules" : "installed by the Automation API"} just now into ${dir}`;
      considered.push({ candidate: way.candidate, verdict: `chosen: ${reason}` });
      const binDir = join(dir, "bin");
      return {
        pulumi: join(binDir, "pulumi"),
        binDir,
        version: pinned.version,
        source: way.made,
        reason,
        considered,
      };
    } catch (error) {
      await rm(staging, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
      const known = fromSystem(error, cacheDir);
      if (!(known instanceof EngineError) || isFinal(known)) throw known;
      considered.push({ candidate: way.candidate, verdict: known.cause });
      failures.push(known);
    }
  }
  throw unavailable(considered, failures);
}

/** Makes it in the staging folder, checks that it is whole and runs, and writes the manifest as the last thing. */
async function makeBy(way: Way, context: MakeContext): Promise<void> {
  await way.make(context);
  await context.part("check", "check the engine", async () => {
    for (const name of requiredFiles) {
      if (await isExecutable(join(context.staging, "bin", name))) continue;
      throw broken(`${name} is missing in what was ${way.made}`);
    }
    const answer = await pulumiVersion(join(context.staging, "bin", "pulumi"), context.env);
    if (answer.printed === undefined) throw broken(`pulumi does not run: ${answer.failure}`);
    const printed = answer.printed.trim().replace(/^v/, "");
    if (printed !== pinned.version) throw broken(`pulumi says that it is ${printed}, not ${pinned.version}`);
    const about = {
      version: pinned.version,
      made: way.made,
      recipe: await way.recipe(),
      madeAt: new Date().toISOString(),
    };
    await writeManifest(context.staging, about);
  });
}

function broken(cause: string): EngineError {
  return new EngineError("ENGINE_BROKEN", {
    message: "The Pulumi engine that was just made is not usable.",
    cause,
    next: "Run it again. If it stays so, install the Pulumi CLI by hand (https://www.pulumi.com/docs/install/).",
  });
}

/** A folder cannot be renamed over a full one, so a damaged engine is moved away first. */
async function publish(staging: string, dir: string, key: string, cacheDir: string): Promise<void> {
  const old = join(cacheDir, `.old-${key}-${randomUUID()}`);
  const replaced = await rename(dir, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
  await rename(staging, dir);
  // The engine is complete; what cannot be removed now is swept by the next one that makes an engine.
  if (replaced) await rm(old, { recursive: true, force: true }).catch(() => {});
}

/** One error that tells everything that was looked at; its code and advice are those of the last way. */
function unavailable(considered: readonly Considered[], failures: readonly EngineError[]): EngineError {
  const last = failures.at(-1);
  return new EngineError(last?.code ?? "ENGINE_UNAVAILABLE", {
    message: `There is no usable Pulumi engine, and none could be made. ${last?.message ?? ""}`.trim(),
    cause: considered.map(({ candidate, verdict }) => `${candidate}: ${verdict}`).join("\n"),
    next: last?.next ?? "Install the Pulumi CLI (https://www.pulumi.com/docs/install/) and run it again.",
  });
}

function context(options: MakeOptions, staging: string, log: string, another: boolean): MakeContext {
  const { env, signal, onProgress } = options;
  const part = async <T>(
    name: EnginePart,
    title: string,
    work: (report: (detail: string) => void) => Promise<T>,
  ) => {
    const began = performance.now();
    let detail: string | undefined;
    const emit = (phase: EngineProgress["phase"]) =>
      onProgress({
        part: name,
        title,
        phase,
        elapsedMs: performance.now() - began,
        ...(detail && { detail }),
      });
    emit("started");
    const ticks = setInterval(() => emit("running"), tickMs);
    try {
      const result = await work((text) => {
        detail = text;
      });
      emit("done");
      return result;
    } catch (error) {
      if (error instanceof EngineError) detail = error.cause;
      emit(another && error instanceof EngineError && !isFinal(error) ? "skipped" : "failed");
      throw error;
    } finally {
      clearInterval(ticks);
    }
  };
  return { staging, log, env, part, ...(signal && { signal }) };
}
