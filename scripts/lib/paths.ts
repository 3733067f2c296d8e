import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exitCodes, KilnError, usageError } from "./errors.ts";

export interface KilnPaths {
  /** Where Kiln keeps what outlives a run, outside of any checkout. */
  readonly home: string;
  readonly sandbox: string;
  readonly pulumiHome: string;
  /** Locks, and configuration files made for one run. */
  readonly run: string;
  /** The folder of Pulumi.yaml. */
  readonly project: string;
  readonly policies: string;
}

/** Kiln's places: `KILN_HOME` (default `~/.kiln`), and the checkout that this file belongs to. */
export function kilnPaths(env: NodeJS.ProcessEnv): KilnPaths {
  const home = path.resolve(env.KILN_HOME || path.join(homedir(), ".kiln"));
  const project = path.resolve(fileURLToPath(new URL("../..", import.meta.url)));
  if (!existsSync(path.join(project, "Pulumi.yaml"))) {
    throw usageError(`there is no Pulumi.yaml in ${project}`, "Kiln runs from a checkout of its repository.");
  }
  return {
    home,
    sandbox: path.join(home, "sandbox"),
    pulumiHome: path.join(home, "pulumi"),
    run: path.join(home, "run"),
    project,
    policies: path.join(project, "policies"),
  };
}

/**
 * Makes Kiln's home where there is none, readable by its owner only.
 * @throws KilnError `HomeUnusable`, exit code 2, when it cannot be made or written to
 */
export function makeHome({ home }: Pick<KilnPaths, "home">): void {
  const missing: string[] = [];
  let there = home;
  while (!existsSync(there) && path.dirname(there) !== there) {
    missing.unshift(there);
    there = path.dirname(there);
  }
  try {
    // One by one: Node's recursive way does not end where the system refuses new folders with ENOENT, as in /proc.
    for (const folder of missing) makeFolder(folder);
    if (!statSync(home).isDirectory()) throw new Error(`${home} is a file`);
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw error;
    throw new KilnError(
      {
        code: "HomeUnusable",
        message: `Kiln cannot keep its files in ${home}`,
        cause: `The folder cannot be made or written to: ${error instanceof Error ? error.message : String(error)}.`,
        next: "Set KILN_HOME to a folder of your own, then run it again.",
      },
      exitCodes.usage,
    );
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another run was quicker.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
