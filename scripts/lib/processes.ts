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
