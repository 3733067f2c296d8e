import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import type { ControlPlaneFiles } from "../client/kubernetes.ts";
import { CloudError } from "../core/errors.ts";

/** Every definition that the cluster gets: those of the folder, and those that no module has. */
export function definitionFiles({ crds }: ControlPlaneFiles): string[] {
  return [crds, `${import.meta.dirname}/crds`].flatMap(yamlFiles);
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** @throws CloudError 400 which of the files is not there, or is no program */
export function requireFiles({ binaries, crds }: ControlPlaneFiles): void {
  for (const file of Object.values(binaries)) {
    try {
      accessSync(file, constants.X_OK);
    } catch {
      throw missing(file);
    }
  }
  if (!existsSync(crds)) throw missing(crds);
}

function missing(file: string): CloudError {
  return new CloudError(
    400,
    "ControlPlaneMissing",
    `The Kubernetes control plane needs '${file}', which is not there, or cannot be run.`,
  );
}
