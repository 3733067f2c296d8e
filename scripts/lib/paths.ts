import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { usageError } from "./errors.ts";

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
