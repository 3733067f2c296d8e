import { fileURLToPath } from "node:url";
import { goRecipe } from "../recipe.ts";

/**
 * The pinned engine. 3.220.0 is the newest CLI whose parts can all be built from Go modules: later ones boot policy packs
 * through the language host's RunPlugin, and the last host published as Go source (sdk v3.68.0) lacks it. The same version is
 * installed where it can be downloaded, so that every machine without a `pulumi` of its own runs the same engine.
 */
export const pinned = {
  version: "3.220.0",
  sdk: "github.com/pulumi/pulumi/sdk/v3",
  cliPackage: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  hostPackage: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  /** Go variable that `pulumi version` prints. */
  versionVariable: "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
  /** Scripts in the sdk module's `nodejs/dist` that belong beside the CLI. */
  shims: ["pulumi-analyzer-policy", "pulumi-resource-pulumi-nodejs"],
} as const;

/** Executables without which an engine is not complete. */
export const requiredFiles = ["pulumi", "pulumi-language-nodejs", "pulumi-analyzer-policy"] as const;

/** Main modules that pin, with go.sum, every module of the build. The host's sdk version differs, so it has its own. */
export const moduleDirs = {
  cli: fileURLToPath(new URL("../modules/cli/", import.meta.url)),
  languageHost: fileURLToPath(new URL("../modules/language-host/", import.meta.url)),
} as const;

/** Identifies what a build makes. */
export async function buildRecipe(): Promise<string> {
  return await goRecipe(pinned, Object.values(moduleDirs));
}

/** Identifies what an installation makes: a release is fixed by its version. */
export async function installRecipe(): Promise<string> {
  return `release:${pinned.version}`;
}
