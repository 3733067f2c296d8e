import { z } from "zod";
import { CloudError } from "../core/errors.ts";
import type { JsonObject } from "../core/resources.ts";
import type { ConnectionString } from "./state.ts";

const pairsSchema = z.array(z.looseObject({ name: z.string().min(1), value: z.string().nullish() }));
const connectionsSchema = z.array(
  z.looseObject({
    name: z.string().min(1),
    connectionString: z.string().nullish(),
    type: z.string().nullish(),
  }),
);

/** `siteConfig` of a site, and the properties of `config/web`. Fields that decide nothing here are kept as given. */
export const siteConfigSchema = z.looseObject({
  appSettings: pairsSchema.nullish(),
  connectionStrings: connectionsSchema.nullish(),
  metadata: pairsSchema.nullish(),
  appCommandLine: z.string().nullish(),
  linuxFxVersion: z.string().nullish(),
  minTlsVersion: z.enum(["1.0", "1.1", "1.2", "1.3"]).nullish(),
  scmMinTlsVersion: z.enum(["1.0", "1.1", "1.2", "1.3"]).nullish(),
  ftpsState: z.enum(["AllAllowed", "FtpsOnly", "Disabled"]).nullish(),
  remoteDebuggingEnabled: z.boolean().nullish(),
  http20Enabled: z.boolean().nullish(),
  alwaysOn: z.boolean().nullish(),
  healthCheckPath: z.string().nullish(),
  numberOfWorkers: z.number().int().min(1).nullish(),
  keyVaultReferenceIdentity: z.string().nullish(),
});
export type SiteConfig = z.infer<typeof siteConfigSchema>;

/** Source: what App Service answers for a new site. */
const defaults: JsonObject = {
  numberOfWorkers: 1,
  defaultDocuments: ["Default.htm", "Default.html", "index.html", "hostingstart.html"],
  netFrameworkVersion: "v4.0",
  linuxFxVersion: "",
  requestTracingEnabled: false,
  remoteDebuggingEnabled: false,
  httpLoggingEnabled: false,
  acrUseManagedIdentityCreds: false,
  logsDirectorySizeLimit: 35,
  detailedErrorLoggingEnabled: false,
  scmType: "None",
  use32BitWorkerProcess: false,
  webSocketsEnabled: false,
  alwaysOn: false,
  appCommandLine: "",
  managedPipelineMode: "Integrated",
  loadBalancing: "LeastRequests",
  autoHealEnabled: false,
  vnetRouteAllEnabled: false,
  localMySqlEnabled: false,
  scmIpSecurityRestrictionsUseMain: false,
  http20Enabled: false,
  minTlsVersion: "1.2",
  scmMinTlsVersion: "1.2",
  ftpsState: "FtpsOnly",
  preWarmedInstanceCount: 0,
  functionAppScaleLimit: 0,
  functionsRuntimeScaleMonitoringEnabled: false,
  minimumElasticInstanceCount: 0,
  azureStorageAccounts: {},
};

/** What `config/web` shows: everything but the settings and connection strings, which have places of their own. */
export function showConfig(config: JsonObject, keyVaultReferenceIdentity: string): JsonObject {
  return {
    ...defaults,
    ...config,
    appSettings: null,
    connectionStrings: null,
    metadata: null,
    keyVaultReferenceIdentity,
  };
}

/** What the `siteConfig` of a site shows: App Service leaves the rest out. */
export function showBriefConfig(config: JsonObject): JsonObject {
  const all = { ...defaults, ...config };
  const shown = [
    "numberOfWorkers",
    "linuxFxVersion",
    "acrUseManagedIdentityCreds",
    "alwaysOn",
    "http20Enabled",
    "functionAppScaleLimit",
    "minimumElasticInstanceCount",
    "minTlsVersion",
    "ftpsState",
  ];
  return Object.fromEntries(shown.map((field) => [field, all[field]]));
}

/** The part of a `siteConfig` that `config/web` keeps; what was not given stays as it was. */
export function mergeConfig(before: JsonObject, wanted: SiteConfig): JsonObject {
  const {
    appSettings: _a,
    connectionStrings: _c,
    metadata: _m,
    keyVaultReferenceIdentity: _k,
    ...kept
  } = wanted;
  const given = Object.entries(kept).filter(([, value]) => value !== undefined && value !== null);
  return { ...before, ...Object.fromEntries(given) } as JsonObject;
}

/** The dictionaries that a `siteConfig` brings along; each that is there replaces the whole one. */
export function dictionariesOf(config: SiteConfig | null | undefined): {
  appSettings?: Record<string, string>;
  connectionStrings?: Record<string, ConnectionString>;
  metadata?: Record<string, string>;
} {
  const pairs = (list: z.infer<typeof pairsSchema>) =>
    Object.fromEntries(list.map(({ name, value }) => [name, value ?? ""]));
  return {
    ...(config?.appSettings ? { appSettings: requireSettingNames(pairs(config.appSettings)) } : {}),
    ...(config?.metadata ? { metadata: pairs(config.metadata) } : {}),
    ...(config?.connectionStrings
      ? {
          connectionStrings: Object.fromEntries(
            config.connectionStrings.map(({ name, connectionString, type }) => [
              name,
              { value: connectionString ?? "", type: type ?? "Custom" },
            ]),
          ),
        }
      : {}),
  };
}

/**
 * App settings become environment variables: their names must be able to. Names are the same without regard to case.
 * @throws CloudError 400 naming every bad one
 */
export function requireSettingNames(settings: Record<string, string>): Record<string, string> {
  const names = Object.keys(settings);
  const bad = names.filter((name) => !/^[\w.:-]{1,256}$/.test(name));
  const lower = names.map((name) => name.toLowerCase());
  const twice = names.filter((name, index) => lower.indexOf(name.toLowerCase()) !== index);
  if (bad.length === 0 && twice.length === 0) return settings;
  const problems = [
    ...bad.map((name) => `'${name}' is not allowed: letters, digits, '_', '.', ':' and '-'`),
    ...twice.map((name) => `'${name}' is given twice (names are the same without regard to case)`),
  ];
  throw new CloudError(400, "BadRequest", `App settings: ${problems.join("; ")}.`);
}
