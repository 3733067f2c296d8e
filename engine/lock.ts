import { mkdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { interrupted } from "./errors.ts";
import { writeAtomically } from "./manifest.ts";

/** Who holds a lock: for people, and never used to decide whether the lock is held. */
export type LockOwner = {
  pid: number;
  host: string;
  /** ISO time. */
  since: string;
  /** What the owner is doing, in words for people. */
  work?: string;
};

const busy = 5;
const retryMs = 200;

/**
 * Runs `work` while holding the lock `file`, one process at a time.
 *
 * The lock is an exclusive SQLite transaction on an empty database, so the kernel holds it and drops it with the process, however
 * that ends: there is no stale lock to recognize by a process id (which may be someone else's by now) and no race in
 * taking one over. Nobody may open the lock file by other means, because closing it would drop the lock; who holds it
 * stands in a second file, `<file>.owner.json`.
 * @param options.work what this process does, for whoever finds the lock held
 * @param options.onWait called once when another process holds the lock, with what is known about it; throws to give up
 * @param options.onTakeover called when the last owner ended without letting go
 * @throws EngineError ENGINE_INTERRUPTED when `signal` is aborted while waiting
 */
export async function withLock<T>(
  file: string,
  options: {
    signal?: AbortSignal | undefined;
    work?: string;
    onWait?: (owner: LockOwner | undefined) => void;
    onTakeover?: (owner: LockOwner) => void;
  },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // Loaded here because only making an engine needs it; finding one must stay fast.
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { timeout: 0 });
  const ownerFile = `${file}.owner.json`;
  try {
    let told = false;
    while (!tryLock(database)) {
      if (!told) options.onWait?.(await readOwner(ownerFile));
      told = true;
      await delay(retryMs, undefined, { signal: options.signal }).catch(() => {
        throw interrupted();
      });
    }
    if (options.signal?.aborted) throw interrupted();
    const last = await readOwner(ownerFile);
    if (last) options.onTakeover?.(last);
    const owner: LockOwner = {
      pid: process.pid,
      host: hostname(),
      since: new Date().toISOString(),
      ...(options.work === undefined ? {} : { work: options.work }),
    };
    await writeAtomically(ownerFile, `${JSON.stringify(owner)}\n`);
    try {
      return await work();
    } finally {
      await rm(ownerFile, { force: true });
    }
  } finally {
    database.close();
  }
}

function tryLock(database: { exec: (sql: string) => void }): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === busy) return false;
    throw error;
  }
}

async function readOwner(file: string): Promise<LockOwner | undefined> {
  try {
    const it = JSON.parse(await readFile(file, "utf8")) as LockOwner;
    return typeof it.pid === "number" && typeof it.host === "string" && typeof it.since === "string"
      ? it
      : undefined;
  } catch {
    return undefined;
  }
}
