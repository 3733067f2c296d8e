import { createHash } from "node:crypto";
import { z } from "zod";
import { trackedSchema } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import { identitySchema } from "./identity.ts";
import { showBriefConfig, siteConfigSchema } from "./site-config.ts";
import { stateOf } from "./state.ts";

const propertiesSchema = z.looseObject({
  serverFarmId: z.string().nullish(),
  siteConfig: siteConfigSchema.nullish(),
  enabled: z.boolean().nullish(),
  httpsOnly: z.boolean().nullish(),
  reserved: z.boolean().nullish(),
  keyVaultReferenceIdentity: z.string().nullish(),
  clientAffinityEnabled: z.boolean().nullish(),
  clientCertEnabled: z.boolean().nullish(),
  clientCertMode: z.enum(["Required", "Optional", "OptionalInteractiveUser"]).nullish(),
  publicNetworkAccess: z.string().nullish(),
  storageAccountRequired: z.boolean().nullish(),
  virtualNetworkSubnetId: z.string().nullish(),
});

export const sitePutSchema = trackedSchema.extend({
  kind: z.string().nullish(),
  identity: identitySchema.nullish(),
  properties: propertiesSchema.nullish(),
});
export const sitePatchSchema = z.looseObject({
  kind: z.string().nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  identity: identitySchema.nullish(),
  properties: propertiesSchema.nullish(),
});

const defaults: JsonObject = {
  enabled: true,
  httpsOnly: false,
  keyVaultReferenceIdentity: "SystemAssigned",
  clientAffinityEnabled: false,
  clientCertEnabled: false,
  clientCertMode: "Required",
  publicNetworkAccess: "Enabled",
  storageAccountRequired: false,
  scmSiteAlsoStopped: false,
  hostNamesDisabled: false,
  isXenon: false,
  hyperV: false,
  redundancyMode: "None",
  containerSize: 1536,
  dailyMemoryTimeQuota: 0,
};

/** Fields that the service decides, whatever a request says. */
const readOnly = [
  "state",
  "hostNames",
  "enabledHostNames",
  "hostNameSslStates",
  "defaultHostName",
  "outboundIpAddresses",
  "possibleOutboundIpAddresses",
  "availabilityState",
  "usageState",
  "lastModifiedTimeUtc",
  "resourceGroup",
  "repositorySiteName",
  "sku",
  "siteConfig",
];

/** The stored properties of a site after a PUT or PATCH; what was not given stays as it was. */
export function mergeProperties(
  before: JsonObject | undefined,
  wanted: z.infer<typeof propertiesSchema> | null | undefined,
  fixed: JsonObject,
): JsonObject {
  const given = Object.entries(wanted ?? {}).filter(
    ([field, value]) => value !== undefined && value !== null && !readOnly.includes(field),
  );
  return { ...defaults, ...before, ...Object.fromEntries(given), ...fixed } as JsonObject;
}

/** Source: App Service naming rules; a site's name is a DNS label. @throws CloudError 400 */
export function requireSiteName(name: string): string {
  if (!isSiteName(name)) {
    throw new CloudError(
      400,
      "BadRequest",
      `The site name '${name}' is not valid: 2 to 60 letters, digits and '-', not starting or ending with '-'.`,
    );
  }
  return name;
}

export function isSiteName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$/i.test(name);
}

/** What a GET of a site answers. Its settings are not in it. */
export function showSite(cloud: Cloud, site: Resource): JsonObject {
  const stored = site.body.properties as JsonObject;
  const host = hostOf(site.name);
  const scm = `${site.name.toLowerCase()}.scm.azurewebsites.net`;
  const plan = cloud.resources.get(String(stored.serverFarmId));
  const addresses = outboundAddresses(site.id);
  const creating = cloud.operations.pendingOn(site.id)?.kind === "site.create";
  return {
    ...envelope(site),
    properties: {
      ...stored,
      name: site.name,
      hostNames: [host],
      enabledHostNames: [host, scm],
      hostNameSslStates: [
        { name: host, sslState: "Disabled", hostType: "Standard" },
        { name: scm, sslState: "Disabled", hostType: "Repository" },
      ],
      defaultHostName: host,
      repositorySiteName: site.name,
      resourceGroup: site.resourceGroup,
      sku: (plan?.body.sku as { tier?: string } | undefined)?.tier ?? null,
      usageState: "Normal",
      availabilityState: "Normal",
      provisioningState: creating ? "InProgress" : "Succeeded",
      outboundIpAddresses: addresses.slice(0, 4).join(","),
      possibleOutboundIpAddresses: addresses.join(","),
      siteConfig: showBriefConfig(stateOf(cloud, site.id).config),
    },
  };
}

export function hostOf(siteName: string): string {
  return `${siteName.toLowerCase()}.azurewebsites.net`;
}

/** Addresses out of the documentation ranges (RFC 5737), always the same for a site. */
function outboundAddresses(siteId: string): string[] {
  const digest = createHash("sha256").update(siteId.toLowerCase()).digest();
  return ["192.0.2", "198.51.100", "203.0.113"].flatMap((net, index) =>
    [0, 1].map((n) => `${net}.${((digest[index * 2 + n] ?? 0) % 254) + 1}`),
  );
}
