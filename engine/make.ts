import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { findInCache, type Kept, origins } from "./cache.ts";
import { EngineError, fromSystem, interrupted, isFinal } from "./errors.ts";
import { withLock } from "./lock.ts";
import { writeManifest } from "./manifest.ts";
import { isExecutable } from "./paths.ts";
import type { Considered, EnginePart, EngineProgress, Kit, MakeContext, Way } from "./types.ts";

const tickMs = 1000;

export type MakeOptions = {
  kit: Kit;
  cacheDir: string;
  env: NodeJS.ProcessEnv;
  ways: readonly Way[];
  considered: Considered[];
  onProgress: (event: EngineProgress) => void;
  signal?: AbortSignal | undefined;
};

/**
 * Makes a kit by the first way that works, and puts it into the cache. One process at a time makes it: another one waits
 * and takes its result. Whatever ends this half-way, the cache holds either a complete kit or none.
 * @throws EngineError
 */
export async function makeKit(options: MakeOptions): Promise<Kept> {
  const { kit, cacheDir, signal, onProgress } = options;
  const { key } = kit;
  const waited = { since: 0 };
  const wait = { part: "wait", title: `wait for another kiln that prepares the ${kit.name}` } as const;
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
          const kept = await takeOver(options);
          if (kept) return kept;
        }
        await sweep(cacheDir, key);
        return await tryWays(options);
      },
    );
  } catch (error) {
    const ended = !(error instanceof EngineError) || error.code === "ENGINE_INTERRUPTED";
    if (signal?.aborted && ended) throw interrupted(kit.name);
    throw fromSystem(error, kit, cacheDir);
  }
}

/** What another process made while this one waited. */
async function takeOver({ kit, cacheDir, ways, considered }: MakeOptions): Promise<Kept | undefined> {
  const recipes = await Promise.all(ways.map((way) => way.recipe()));
  const kept = await findInCache(kit, cacheDir, { recipes }, considered);
  return kept && { ...kept, reason: `${kept.reason}; another kiln made it while this one waited` };
}

/** Removes what killed processes left. Only the holder of the lock makes anything, so nobody is using it. */
async function sweep(cacheDir: string, key: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(`.staging-${key}-`) && !name.startsWith(`.old-${key}-`)) continue;
    await rm(join(cacheDir, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function tryWays(options: MakeOptions): Promise<Kept> {
  const { kit, cacheDir, considered, ways } = options;
  const { key } = kit;
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
      const reason = `${origins[way.made]} just now into ${dir}`;
      considered.push({ candidate: way.candidate, verdict: `chosen: ${reason}` });
      return { dir, source: way.made, reason };
    } catch (error) {
      await rm(staging, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
      const known = fromSystem(error, kit, cacheDir);
      if (!(known instanceof EngineError) || isFinal(known)) throw known;
      considered.push({ candidate: way.candidate, verdict: known.cause });
      failures.push(known);
    }
  }
  throw unavailable(kit, considered, failures);
}

/** Makes it in the staging folder, checks that it is whole and runs, and writes the manifest as the last thing. */
async function makeBy(way: Way, context: MakeContext): Promise<void> {
  await way.make(context);
  const { kit, staging, env } = context;
  await context.part("check", `check the ${kit.name}`, async () => {
    for (const path of kit.files) {
      const file = join(staging, path);
      const there = path.startsWith("bin/") ? await isExecutable(file) : await isFile(file);
      if (!there) throw broken(kit, `${basename(path)} is missing in what was ${way.made}`);
    }
    const why = await kit.check(staging, env);
    if (why !== undefined) throw broken(kit, why);
    const about = {
      version: kit.version,
      made: way.made,
      recipe: await way.recipe(),
      madeAt: new Date().toISOString(),
    };
    await writeManifest(staging, about);
  });
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function broken(kit: Kit, cause: string): EngineError {
  const byHand = kit.instead === undefined ? "" : ` If it stays so, install ${kit.instead} by hand.`;
  return new EngineError("ENGINE_BROKEN", {
    message: `The ${kit.name} that was just made is not usable.`,
    cause,
    next: `Run it again.${byHand}`,
  });
}

/** A folder cannot be renamed over a full one, so a damaged kit is moved away first. */
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
  // The kit is complete; what cannot be removed now is swept by the next one that makes it.
  if (replaced) await rm(old, { recursive: true, force: true }).catch(() => {});
}

/** One error that tells everything that was looked at; its code and advice are those of the last way. */
function unavailable(
  kit: Kit,
  considered: readonly Considered[],
  failures: readonly EngineError[],
): EngineError {
  const last = failures.at(-1);
  return new EngineError(last?.code ?? "ENGINE_UNAVAILABLE", {
    message: `There is no usable ${kit.name}, and none could be made. ${last?.message ?? ""}`.trim(),
    cause: considered.map(({ candidate, verdict }) => `${candidate}: ${verdict}`).join("\n"),
    next: last?.next ?? `Install ${kit.instead ?? "Go (https://go.dev/doc/install)"} and run it again.`,
  });
}

function context(options: MakeOptions, staging: string, log: string, another: boolean): MakeContext {
  const { kit, env, signal, onProgress } = options;
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
  return { kit, staging, log, env, part, ...(signal && { signal }) };
}
