import { z } from "zod";
import { type ArmModule, parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { fetchReferences } from "./references.ts";
import { siteChanged } from "./signals.ts";
import {
  dictionariesOf,
  mergeConfig,
  requireSettingNames,
  showConfig,
  siteConfigSchema,
} from "./site-config.ts";
import { requireSite, type SiteRoute, sitePath } from "./sites.ts";
import { changeState, type SiteState, stateOf } from "./state.ts";

/** App Service takes numbers and booleans for text, as its own JSON reader does. */
const textSchema = z
  .union([z.string(), z.number(), z.boolean()])
  .nullable()
  .transform((value) => (value === null ? "" : String(value)));
const dictionarySchema = z.looseObject({ properties: z.record(z.string(), textSchema).nullish() });
const connectionsSchema = z.looseObject({
  properties: z.record(z.string(), z.looseObject({ value: z.string(), type: z.string() })).nullish(),
});
const slotNamesSchema = z.looseObject({
  properties: z
    .looseObject({
      appSettingNames: z.array(z.string()).nullish(),
      connectionStringNames: z.array(z.string()).nullish(),
      azureStorageConfigNames: z.array(z.string()).nullish(),
    })
    .nullish(),
});
const webSchema = z.looseObject({ properties: siteConfigSchema.nullish() });

/** `config/…` of a site. Every change of it restarts the app and fetches its references again, as App Service does. */
export const siteConfiguration: ArmModule = (arm, cloud) => {
  const config = `${sitePath}/config`;

  const web = (site: Resource) => {
    const { keyVaultReferenceIdentity } = site.body.properties as { keyVaultReferenceIdentity?: string };
    const shown = showConfig(stateOf(cloud, site.id).config, keyVaultReferenceIdentity ?? "SystemAssigned");
    return child(site, "web", shown);
  };
  arm.get<SiteRoute>(config, async (request) => ({ value: [web(requireSite(cloud, request.params))] }));
  arm.get<SiteRoute>(`${config}/web`, async (request) => web(requireSite(cloud, request.params)));
  for (const method of ["PUT", "PATCH"] as const) {
    arm.route<SiteRoute>({
      method,
      url: `${config}/web`,
      handler: async (request) => {
        const site = requireSite(cloud, request.params);
        const wanted = parseBody(webSchema, request.body).properties ?? {};
        const identity = wanted.keyVaultReferenceIdentity;
        configure(
          cloud,
          site,
          (state) => ({
            config: mergeConfig(method === "PUT" ? {} : state.config, wanted),
            ...dictionariesOf(wanted),
          }),
          identity ? { keyVaultReferenceIdentity: identity } : {},
        );
        return web(requireSite(cloud, request.params));
      },
    });
  }

  arm.post<SiteRoute>(`${config}/appsettings/list`, async (request) => {
    const site = requireSite(cloud, request.params);
    return child(site, "appsettings", stateOf(cloud, site.id).appSettings);
  });
  arm.put<SiteRoute>(`${config}/appsettings`, async (request) => {
    const site = requireSite(cloud, request.params);
    const appSettings = requireSettingNames(parseBody(dictionarySchema, request.body).properties ?? {});
    configure(cloud, site, () => ({ appSettings }));
    return child(site, "appsettings", appSettings);
  });

  arm.post<SiteRoute>(`${config}/connectionstrings/list`, async (request) => {
    const site = requireSite(cloud, request.params);
    return child(site, "connectionstrings", stateOf(cloud, site.id).connectionStrings);
  });
  arm.put<SiteRoute>(`${config}/connectionstrings`, async (request) => {
    const site = requireSite(cloud, request.params);
    const given = parseBody(connectionsSchema, request.body).properties ?? {};
    const connectionStrings = Object.fromEntries(
      Object.entries(given).map(([name, { value, type }]) => [name, { value, type }]),
    );
    configure(cloud, site, () => ({ connectionStrings }));
    return child(site, "connectionstrings", connectionStrings);
  });

  arm.post<SiteRoute>(`${config}/metadata/list`, async (request) => {
    const site = requireSite(cloud, request.params);
    return child(site, "metadata", stateOf(cloud, site.id).metadata);
  });
  arm.put<SiteRoute>(`${config}/metadata`, async (request) => {
    const site = requireSite(cloud, request.params);
    const metadata = parseBody(dictionarySchema, request.body).properties ?? {};
    changeState(cloud, site.id, () => ({ metadata }));
    return child(site, "metadata", metadata);
  });

  arm.get<SiteRoute>(`${config}/slotConfigNames`, async (request) => {
    const site = requireSite(cloud, request.params);
    return child(site, "slotConfigNames", stateOf(cloud, site.id).slotConfigNames);
  });
  arm.put<SiteRoute>(`${config}/slotConfigNames`, async (request) => {
    const site = requireSite(cloud, request.params);
    const slotConfigNames = (parseBody(slotNamesSchema, request.body).properties ?? {}) as JsonObject;
    changeState(cloud, site.id, () => ({ slotConfigNames }));
    return child(site, "slotConfigNames", slotConfigNames);
  });

  // Storage mounts are not served; that a site has none is the truth.
  arm.post<SiteRoute>(`${config}/azurestorageaccounts/list`, async (request) =>
    child(requireSite(cloud, request.params), "azurestorageaccounts", {}),
  );
};

/** Changes a site's configuration whole: what is kept, the references that follow from it, and then the process. */
function configure(
  cloud: Cloud,
  site: Resource,
  change: (state: SiteState) => Partial<SiteState>,
  properties: JsonObject = {},
): void {
  cloud.store.transaction(() => {
    changeState(cloud, site.id, change);
    const changed = cloud.resources.put({
      ...site,
      body: { ...site.body, properties: { ...(site.body.properties as JsonObject), ...properties } },
    });
    fetchReferences(cloud, changed);
  });
  siteChanged(cloud, site.id);
}

/** What a `config/…` resource answers. */
function child(site: Resource, name: string, properties: JsonObject): JsonObject {
  return {
    id: `${site.id}/config/${name}`,
    name,
    type: `${site.type}/config`,
    location: site.location,
    properties,
  };
}
