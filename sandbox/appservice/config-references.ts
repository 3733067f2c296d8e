import type { ArmModule } from "../arm/http.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { type FetchedReference, fetchReferences, referencesOf } from "./references.ts";
import { siteChanged } from "./signals.ts";
import { requireSite, type SiteRoute, sitePath } from "./sites.ts";

type Route = SiteRoute & { Params: SiteRoute["Params"] & { key: string } };

/** The state of a site's Key Vault references, and fetching them again on demand. */
export const configReferences: ArmModule = (arm, cloud) => {
  for (const kind of ["appsettings", "connectionstrings"] as const) {
    const path = `${sitePath}/config/configreferences/${kind}`;
    const all = (site: Resource) => {
      const entries = Object.entries(referencesOf(cloud, site).entries);
      return entries
        .filter(([key]) => key.startsWith(`${kind}/`))
        .map(([key, reference]) => ({ name: key.slice(kind.length + 1), reference }));
    };

    arm.get<SiteRoute>(path, async (request) => {
      const site = requireSite(cloud, request.params);
      return {
        value: all(site).map(({ name, reference }) => show(site, kind, name, reference)),
        nextLink: null,
      };
    });

    arm.get<Route>(`${path}/:key`, async (request) => {
      const site = requireSite(cloud, request.params);
      const wanted = request.params.key.toLowerCase();
      const found = all(site).find(({ name }) => name.toLowerCase() === wanted);
      if (found === undefined) {
        throw new CloudError(
          404,
          "NotFound",
          `The setting '${request.params.key}' of site '${site.name}' does not exist or is not a Key Vault reference.`,
        );
      }
      return show(site, kind, found.name, found.reference);
    });

    // Source: Microsoft.Web 2022-03-01 and "Use Key Vault references": fetches all references of the app at once.
    arm.post<SiteRoute>(`${path}/refresh`, async (request) => {
      const site = requireSite(cloud, request.params);
      fetchReferences(cloud, site);
      siteChanged(cloud, site.id);
      return {
        value: all(site).map(({ name, reference }) => show(site, kind, name, reference)),
        nextLink: null,
      };
    });
  }
};

/** Everything but the value. */
function show(site: Resource, kind: string, name: string, reference: FetchedReference): JsonObject {
  const { value: _never, identity, ...shown } = reference;
  return {
    id: `${site.id}/config/configreferences/${kind}/${name}`,
    name,
    type: `${site.type}/config/configreferences/${kind}`,
    location: site.location,
    properties: {
      ...shown,
      identityType:
        identity === "SystemAssigned"
          ? { type: "SystemAssigned" }
          : { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
      source: "KeyVault",
    },
  };
}
