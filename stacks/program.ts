import { join } from "node:path";
import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { getStack, RunError, runtime } from "@pulumi/pulumi";
import { ConfigError, fromEngine, type KilnConfig, parseConfig, requireEnvironment } from "./config.ts";
import { type Foundry, type FoundryOutputs, foundry } from "./foundry.ts";
import { withProjectFiles } from "./project-files.ts";
import type { ServingOutputs } from "./serving.ts";
import { sourceHash } from "./source-hash.ts";

/** What a stack tells; nothing where its configuration switches every system off. */
export type Outputs = Partial<FoundryOutputs> & Partial<ServingOutputs>;

/** The folder of Pulumi.yaml. */
const PROJECT_DIR = join(import.meta.dirname, "..");

/** Where the backend's code is, relative to the project. */
const BACKEND = "labs/foundry-backend";

/**
 * The program of every environment. It does nothing when imported, so that it serves the engine (by index.ts) and the
 * Automation API (as an inline program) alike.
 */
export async function program(): Promise<Outputs> {
  const config = readConfig();
  const made = config.foundry.enabled ? await foundryOf(config) : undefined;
  if (!config.serving.enabled) return made?.outputs ?? {};
  // Kubernetes' SDK is loaded where there is a cluster to build on, and not for every preview.
  const { serving } = await import("./serving.ts");
  return { ...made?.outputs, ...serving(config, made) };
}

async function foundryOf(config: KilnConfig): Promise<Foundry> {
  const deployer = await getClientConfig();
  const hash = sourceHash(join(PROJECT_DIR, BACKEND));
  return foundry(config, deployer, { folder: BACKEND, hash });
}

/** Reads the stack's configuration. A wrong one becomes one message with all problems, and no stack trace. */
function readConfig(): KilnConfig {
  try {
    const environment = requireEnvironment(getStack());
    const raw = withProjectFiles(fromEngine(environment, runtime.allConfig()), PROJECT_DIR);
    return parseConfig(environment, raw, process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new RunError(`${error.message}\n${error.next}`);
    throw error;
  }
}
