import { existsSync, readFileSync } from "node:fs";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Connection } from "./client.ts";

/** What a program may say of the cluster. */
export interface Wanted {
  /** A file, or the text itself. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
}

export interface Target extends Connection {
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
  if (!existsSync(setting)) throw new Error(`failed to read kubeconfig: there is no file '${setting}'`);
  return readFileSync(setting, "utf8");
}

/**
 * Where a kubeconfig leads, read by the official client.
 * @param ambient the kubeconfig of the session's principal
 * @throws Error when it leads elsewhere than to the sandbox's API server, or wants a program run to sign in
 */
export async function targetOf(wanted: Wanted, ambient: string): Promise<Target> {
  const own = await load(ambient);
  const config = wanted.kubeconfig === undefined ? own : await load(wanted.kubeconfig);
  if (wanted.context !== undefined) {
    if (config.getContextObject(wanted.context) === null) {
      const names = config.contexts.map(({ name }) => name).join(", ");
      throw new Error(`context "${wanted.context}" does not exist in the kubeconfig, which has: ${names}`);
    }
    config.setCurrentContext(wanted.context);
  }
  const cluster =
    wanted.cluster === undefined ? config.getCurrentCluster() : config.getCluster(wanted.cluster);
  const user = config.getCurrentUser();
  if (cluster === null) throw new Error("the kubeconfig names no cluster for its context");
  const home = own.getCurrentCluster()?.server;
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
  const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options as Connection["tls"];
  const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  return {
    server: cluster.server,
    headers: headersOf(options.headers),
    tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
  };
}

async function load(text: string): Promise<KubeConfig> {
  // Its models make it slow to load, and most programs need none of it.
  const { KubeConfig: Config } = await import("@kubernetes/client-node");
  const config = new Config();
  try {
    config.loadFromString(text);
  } catch {
    // The failure would show what the text holds, tokens and all.
    throw new Error("failed to parse kubeconfig: it is no kubeconfig in YAML");
  }
  return config;
}

function headersOf(headers: unknown): Record<string, string> {
  const entries = Object.entries((headers ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
