import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Finished } from "./kiln.ts";

/** A file system of its own needs the right to mount one: root's, or a user namespace's. */
const apart = ["--user", "--map-root-user", "--mount"];

/** Whether this machine lets tests mount a small file system, which nobody else sees and which goes with them. */
export const mayMount =
  process.platform === "linux" &&
  spawnSync("unshare", [...apart, "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;

const script = `
set -u
mount -t tmpfs -o size=8m tmpfs "$KILN_HOME" || exit 77
fill() { dd if=/dev/zero of="$KILN_HOME/filler" bs=4k 2>/dev/null; }
free() { rm "$KILN_HOME/filler"; }
kiln() {
  name=$1; shift
  "$NODE" "$KILN" "$@" --json > "$TOLD/$name.out" 2> "$TOLD/$name.err"; echo $? > "$TOLD/$name.code"
}
`;

/**
 * Runs shell commands with KILN_HOME on a disk of 8 MB: `fill` leaves no room on it, `free` makes room again, and
 * `kiln NAME ARGUMENTS…` runs the command with `--json`, its end kept under that name.
 */
export function onSmallDisk(commands: string): (name: string) => Finished {
  const told = mkdtempSync(path.join(tmpdir(), "kiln-disk-"));
  const home = mkdtempSync(path.join(tmpdir(), "kiln-home-"));
  try {
    const env = {
      ...process.env,
      KILN_HOME: home,
      TOLD: told,
      NODE: process.execPath,
      KILN: path.resolve(import.meta.dirname, "../../scripts/kiln.mjs"),
      NO_COLOR: "1",
    };
    const ended = spawnSync("unshare", [...apart, "sh", "-c", script + commands], { env, encoding: "utf8" });
    if (ended.status !== 0) throw new Error(`on the small disk: ${ended.stderr}`);
    const names = new Set(readFileNames(commands));
    const finished = new Map<string, Finished>();
    for (const name of names) {
      const read = (what: string) => readFileSync(path.join(told, `${name}.${what}`), "utf8");
      const stdout = read("out");
      finished.set(name, {
        exitCode: Number(read("code")),
        stdout,
        stderr: read("err"),
        json: () => JSON.parse(stdout) as Record<string, unknown>,
      });
    }
    return (name) => {
      const found = finished.get(name);
      if (found === undefined) throw new Error(`nothing ran as ${name}`);
      return found;
    };
  } finally {
    rmSync(told, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  }
}

function readFileNames(commands: string): string[] {
  return [...commands.matchAll(/^\s*kiln (\S+)/gm)].map((found) => found[1] ?? "");
}
