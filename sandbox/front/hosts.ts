import type { IncomingMessage, ServerResponse } from "node:http";

/** What answers the requests of one host. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A family of host names of the cloud and who answers them. */
export interface HostFamily {
  /** Exact names, or `*.suffix` for one label below the suffix. */
  readonly names: readonly string[];
  readonly handler: Handler;
  /**
   * Whether this very name exists in the cloud's DNS now; a vault or a site that was never made does not resolve.
   * @default every name of the family exists
   */
  readonly exists?: (host: string) => boolean;
}

const families = {
  arm: ["management.azure.com"],
  login: ["login.microsoftonline.com", "login.windows.net"],
  graph: ["graph.microsoft.com"],
  vault: ["*.vault.azure.net"],
  openai: ["*.openai.azure.com", "*.cognitiveservices.azure.com"],
  scm: ["*.scm.azurewebsites.net"],
  site: ["*.azurewebsites.net"],
  githubApi: ["api.github.com"],
  github: ["github.com"],
  githubUploads: ["uploads.github.com"],
  githubOidc: ["token.actions.githubusercontent.com"],
  kubernetesOidc: ["kubernetes.kiln.sandbox"],
} as const;

export type FamilyName = keyof typeof families;

export const hostNames: Readonly<Record<FamilyName, readonly string[]>> = families;

/** Every name that the server certificate must cover. */
export function certificateNames(): string[] {
  return Object.values(families).flat();
}

/** The handler of a host, `absent` when the name is the cloud's but nothing lives there, undefined when it is not. */
export function findHost(table: readonly HostFamily[], host: string): Handler | "absent" | undefined {
  const wanted = host.toLowerCase();
  const family = table.find(({ names }) => names.some((name) => covers(name, wanted)));
  if (family === undefined) return undefined;
  return family.exists === undefined || family.exists(wanted) ? family.handler : "absent";
}

function covers(name: string, host: string): boolean {
  if (!name.startsWith("*.")) return name === host;
  const suffix = name.slice(1);
  return host.endsWith(suffix) && host.length > suffix.length && !host.slice(0, -suffix.length).includes(".");
}
