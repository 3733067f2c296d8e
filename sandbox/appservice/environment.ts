import path from "node:path";
import type { Resource } from "../core/resources.ts";
import type { ReferenceCache } from "./references.ts";
import { hostOf } from "./site-model.ts";
import type { SiteState } from "./state.ts";

/** Prefixes of connection strings by their type. Source: App Service's documentation of connection strings. */
const connectionPrefixes: Readonly<Record<string, string>> = {
  sqlserver: "SQLCONNSTR_",
  sqlazure: "SQLAZURECONNSTR_",
  mysql: "MYSQLCONNSTR_",
  postgresql: "POSTGRESQLCONNSTR_",
};

/**
 * The settings as the app sees them: a reference that resolved is its secret, one that did not stays the literal
 * `@Microsoft.KeyVault(…)`.
 */
export function resolveSettings(state: SiteState, references: ReferenceCache): Record<string, string> {
  const resolved = (key: string, value: string) => {
    const entry = references.entries[key];
    return entry?.reference === value ? (entry.value ?? value) : value;
  };
  const settings = Object.entries(state.appSettings).map(
    ([name, value]) => [variableName(name), resolved(`appsettings/${name}`, value)] as const,
  );
  const connections = Object.entries(state.connectionStrings).map(([name, { value, type }]) => {
    const prefix = connectionPrefixes[type.toLowerCase()] ?? "CUSTOMCONNSTR_";
    return [prefix + variableName(name), resolved(`connectionstrings/${name}`, value)] as const;
  });
  return Object.fromEntries([...settings, ...connections]);
}

/** On Linux a `:` in a setting's name reads `__` in the environment. */
function variableName(setting: string): string {
  return setting.replaceAll(":", "__");
}

/** What the platform itself tells every app; the port comes with each process. */
export function platformVariables(options: {
  readonly site: Resource;
  readonly folder: string;
  readonly instanceId: string;
  /** Folders that hold the runtime's own programs, before the system's. */
  readonly path: string;
}): Record<string, string> {
  const { site, folder } = options;
  const subscription = site.id.split("/")[2] ?? "";
  return {
    HOME: path.join(folder, "home"),
    TMPDIR: path.join(folder, "tmp"),
    PATH: `${options.path}${path.delimiter}/usr/local/bin${path.delimiter}/usr/bin${path.delimiter}/bin`,
    LANG: "C.UTF-8",
    NODE_ENV: "production",
    REGION_NAME: site.location ?? "",
    WEBSITE_SITE_NAME: site.name,
    WEBSITE_HOSTNAME: hostOf(site.name),
    WEBSITE_INSTANCE_ID: options.instanceId,
    WEBSITE_OWNER_NAME: `${subscription}+${site.resourceGroup}`,
    WEBSITE_RESOURCE_GROUP: site.resourceGroup,
    WEBSITE_SKU: "Linux",
  };
}

/** What tells an app the port to listen on: as a custom handler, and as a web app. */
export function portVariables(port: number): Record<string, string> {
  return { FUNCTIONS_CUSTOMHANDLER_PORT: String(port), PORT: String(port), SERVER_PORT: String(port) };
}

/**
 * The whole environment of an app, and nothing of the sandbox's own. Later ones win: platform defaults, the app's
 * settings, then the network's reach and what the platform insists on.
 */
export function appEnvironment(options: {
  readonly platform: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly network: Readonly<Record<string, string>>;
}): Record<string, string> {
  const insisted = Object.entries(options.platform).filter(([name]) =>
    /^(WEBSITE_|HOME$|TMPDIR$)/.test(name),
  );
  return { ...options.platform, ...options.settings, ...options.network, ...Object.fromEntries(insisted) };
}
