import { readFileSync } from "node:fs";

/**
 * When a live process began, in the system's own unit, so that it can be told from a later one of the same id; `""`
 * where the system does not say, undefined when no process of that id lives.
 */
export function bornOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** Clock ticks in a second, as Linux counts them for its users on every machine in use. */
const ticks = 100;

/**
 * When a live process began, in milliseconds since the epoch, to about a second; undefined when no process of that id lives
 * or the system does not say.
 */
export function startedAt(pid: number): number | undefined {
  const born = bornOf(pid);
  if (born === undefined || born === "") return undefined;
  try {
    const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
    return boot === undefined ? undefined : (Number(boot) + Number(born) / ticks) * 1000;
  } catch {
    return undefined;
  }
}
