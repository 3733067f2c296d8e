import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Connection } from "./connection.ts";
import type { SharedConfig } from "./shared-config.ts";

/** What a program may say of the cluster. */
export interface Wanted {
  /** A file, or the text itself. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
}

export interface Target {
  readonly connection: Connection;
  /** Of the context. */
  readonly namespace: string | undefined;
}

/** Said wherever something needs the API server and there is none. */
export const notRunning =
  "the sandbox's Kubernetes control plane is not running: start it with `kiln sandbox kubernetes start`, or enable kiln:serving for the environment";

/** Said to a principal of the sandbox that Kubernetes does not know. */
export const noUser = "whoever runs the engine is no user of the sandbox's Kubernetes";

/** The text that a kubeconfig setting stands for, which is a path or the content. @throws Error when it is neither */
export function kubeconfigText(setting: string): string {
  if (/[\n{]/.test(setting)) return setting;
  const file = setting.replace(/^~(?=\/|$)/, homedir());
  if (existsSync(file) && path.isAbsolute(file)) return readFileSync(file, "utf8");
  const hint = path.isAbsolute(file)
    ? ""
    : ": the sandbox does not run in the program's folder, so name the whole path";
  throw new Error(`failed to read kubeconfig: there is no file '${setting}'${hint}`);
}

/**
 * Where a kubeconfig leads, read by the official client.
 * @param ambient the kubeconfig of the session's principal
 * @throws Error when it leads elsewhere than to the sandbox's API server, or wants a program run to sign in
 */
export async function targetOf(wanted: Wanted, ambient: string): Promise<Target> {
  const own = await load(ambient);
  const home = own.getCurrentCluster()?.server;
  const config = wanted.kubeconfig === undefined ? own : await load(wanted.kubeconfig);
  if (wanted.context !== undefined) {
    if (config.getContextObject(wanted.context) === null) {
      const names = config.contexts.map(({ name }) => name).join(", ");
      throw new Error(`context "${wanted.context}" does not exist in the kubeconfig, which has: ${names}`);
    }
    config.setCurrentContext(wanted.context);
  }
  if (wanted.cluster !== undefined) leadTo(config, wanted.cluster);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null) throw new Error("the kubeconfig names no cluster for its context");
  if (cluster.server !== home) {
    throw new Error(
      `the sandbox reaches no other Kubernetes API server than its own (${home}): not ${cluster.server}`,
    );
  }
  if (user?.exec || user?.authProvider) {
    throw new Error(
      "the sandbox's users sign in to Kubernetes with a token or a certificate: no program is run for one",
    );
  }
  const { Connection: Official } = await import("./connection.ts");
  return {
    connection: await Official.open(config),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
  };
}

/** Has the current context lead to another cluster of the kubeconfig. */
function leadTo(config: SharedConfig, cluster: string): void {
  const current = config.getCurrentContext();
  config.contexts = config
    .getContexts()
    .map((context) => (context.name === current ? { ...context, cluster } : context));
}

async function load(text: string): Promise<SharedConfig> {
  // The official client's models make it slow to load, and most programs need none of it.
  const { SharedConfig: Config } = await import("./shared-config.ts");
  const config = new Config("pulumi-kubernetes");
  try {
    config.loadFromString(text);
  } catch {
    // The failure would show what the text holds, tokens and all.
    throw new Error("failed to parse kubeconfig: it is no kubeconfig in YAML");
  }
  return config;
}
