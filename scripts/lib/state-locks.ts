import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { exitCodes, KilnError } from "./errors.ts";
import { bornOf, startedAt } from "./processes.ts";

/** The environment of every process of the engine: marks it as Kiln's, so that an orphan is known for one. */
export const runMark = "KILN_RUN";

/** Who holds the state's lock, as the engine wrote it down. */
export interface StateLock {
  readonly user: string;
  /** Empty where the backend does not say. */
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/**
 * What has become of a lock's owner: `gone`, `alive`, `orphan` (an engine that works on, while the kiln that started it is
 * gone), or `elsewhere`, on another machine, of which this one knows nothing.
 */
export type OwnerState = "gone" | "alive" | "orphan" | "elsewhere";

/** What a machine knows of its processes. */
export interface Processes {
  readonly host: string;
  readonly isAlive: (pid: number) => boolean;
  /** When a process began, in milliseconds since the epoch; undefined where the system does not say. */
  readonly startedAt: (pid: number) => number | undefined;
  readonly isOrphan: (pid: number) => boolean;
}

/** How far the system's word for when a process began may be off, in milliseconds. */
const slack = 60_000;

/** What has become of a lock's owner. A process that began after the lock was taken has only the owner's number. Pure. */
export function ownerOf(lock: StateLock, machine: Processes): OwnerState {
  if (lock.host !== machine.host) return "elsewhere";
  if (!machine.isAlive(lock.pid)) return "gone";
  const began = machine.startedAt(lock.pid);
  const taken = Date.parse(lock.since);
  if (began !== undefined && Number.isFinite(taken) && began > taken + slack) return "gone";
  return machine.isOrphan(lock.pid) ? "orphan" : "alive";
}

/** The processes of this machine. */
export const thisMachine: Processes = {
  host: hostname(),
  isAlive: (pid) => bornOf(pid) !== undefined,
  startedAt,
  isOrphan: (pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      const parent = variables.find((each) => each.startsWith(`${runMark}=`))?.slice(runMark.length + 1);
      return parent !== undefined && bornOf(Number(parent)) === undefined;
    } catch {
      return false;
    }
  },
};

/** The locks of a stack in a backend that is a folder, but for those whose process on this machine is gone. */
export function heldLocks(stateFolder: string, environment: string): StateLock[] {
  const locks = lockFiles(stateFolder, environment).flatMap((file) => readLock(file) ?? []);
  return locks.filter((lock) => ownerOf(lock, thisMachine) !== "gone");
}

/** Takes away the locks whose process on this machine is gone. @returns the others */
export function dropDeadLocks(stateFolder: string, environment: string): StateLock[] {
  return lockFiles(stateFolder, environment).flatMap((file) => {
    const lock = readLock(file);
    if (lock === undefined || ownerOf(lock, thisMachine) !== "gone") return lock ?? [];
    rmSync(file, { force: true });
    return [];
  });
}

function lockFiles(stateFolder: string, environment: string): string[] {
  const folder = path.join(stateFolder, ".pulumi", "locks", "organization", "kiln", environment);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.endsWith(".json")).map((name) => path.join(folder, name));
}

/** A lock as the engine wrote it; undefined when it was let go in the meantime. */
function readLock(file: string): StateLock | undefined {
  try {
    const lock = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    const { username, hostname: host, pid, timestamp } = lock;
    return { user: String(username), host: String(host), pid: Number(pid), since: String(timestamp) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The locks named in an error of the engine; empty when it is about something else. Pure. */
export function stateLocks(message: string): StateLock[] {
  if (!/the stack is currently locked by/.test(message)) return [];
  const pattern = /created by (?<user>[^@\s]*)@(?<host>\S+) \(pid (?<pid>\d+)\) at (?<since>\S+)/g;
  return [...message.matchAll(pattern)].map(({ groups }) => ({
    user: groups?.user ?? "",
    host: groups?.host ?? "",
    pid: Number(groups?.pid),
    since: groups?.since ?? "",
  }));
}

/** The operation under way that a backend with a server tells of, which knows no host and no process; none is []. Pure. */
export function serverLocks(said: string): StateLock[] {
  const found = /Update in progress:\s+Started: (?<since>.*)\s+Requested By: (?<user>.*)/.exec(said)?.groups;
  return found === undefined
    ? []
    : [{ user: found.user?.trim() ?? "", host: "", pid: 0, since: found.since?.trim() ?? "" }];
}

/** A lock's owner, for people. Pure. */
export function ownerText({ user, host, pid, since }: StateLock): string {
  return host === "" ? `${user}, since ${since}` : `${user}@${host}, process ${pid}, since ${since}`;
}

export function stackLocked(environment: string, locks: readonly StateLock[]): KilnError {
  const owners = new Set(locks.map(ownerText));
  return new KilnError(
    {
      code: "Locked",
      message: `the state of environment ${environment} is locked`,
      cause: `Another run works on it: ${[...owners].join("; ")}.`,
      next: `Wait until it is done, then run it again. If that process is gone for good, \`kiln unlock ${environment}\` lets go.`,
    },
    exitCodes.locked,
  );
}
