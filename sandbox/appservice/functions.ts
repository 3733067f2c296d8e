import type { ArmModule } from "../arm/http.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { hostOf } from "./site-model.ts";
import { requireSite, type SiteRoute, sitePath } from "./sites.ts";
import { type Deployment, hostKeys, stateOf } from "./state.ts";

type FunctionRoute = SiteRoute & { Params: SiteRoute["Params"] & { function: string } };

/** What a Function App says about its functions and its host's keys. */
export const functions: ArmModule = (arm, cloud) => {
  const active = (site: Resource): Deployment | undefined => {
    const state = stateOf(cloud, site.id);
    return state.deployments.find(({ id }) => id === state.active);
  };

  arm.get<SiteRoute>(`${sitePath}/functions`, async (request) => {
    const site = requireSite(cloud, request.params);
    return { value: (active(site)?.functions ?? []).map((each) => show(site, each)) };
  });
  arm.get<FunctionRoute>(`${sitePath}/functions/:function`, async (request) => {
    const site = requireSite(cloud, request.params);
    const wanted = request.params.function.toLowerCase();
    const found = active(site)?.functions.find(({ name }) => name.toLowerCase() === wanted);
    if (found === undefined) {
      throw new CloudError(
        404,
        "NotFound",
        `Function '${request.params.function}' of site '${site.name}' was not found.`,
      );
    }
    return show(site, found);
  });

  arm.post<SiteRoute>(`${sitePath}/host/default/listkeys`, async (request) => {
    const keys = hostKeys(cloud, requireSite(cloud, request.params));
    return { masterKey: keys.master, functionKeys: { default: keys.default }, systemKeys: {} };
  });
  for (const action of ["host/default/sync", "syncfunctiontriggers"]) {
    arm.post<SiteRoute>(`${sitePath}/${action}`, async (request, reply) => {
      requireSite(cloud, request.params);
      return reply.code(204).send();
    });
  }
};

function show(site: Resource, declared: Deployment["functions"][number]): JsonObject {
  const scm = `https://${site.name.toLowerCase()}.scm.azurewebsites.net/api/vfs/site/wwwroot/${declared.name}/`;
  return {
    id: `${site.id}/functions/${declared.name}`,
    name: `${site.name}/${declared.name}`,
    type: `${site.type}/functions`,
    location: site.location,
    properties: {
      name: declared.name,
      function_app_id: null,
      script_root_path_href: scm,
      config_href: `${scm}function.json`,
      config: declared.config,
      language: "Custom",
      isDisabled: declared.config.disabled === true,
      invoke_url_template: `https://${hostOf(site.name)}/api/${routeOf(declared)}`,
    },
  };
}

function routeOf(declared: Deployment["functions"][number]): string {
  const bindings = (declared.config.bindings ?? []) as readonly { type?: string; route?: string }[];
  return bindings.find(({ type }) => type?.toLowerCase() === "httptrigger")?.route ?? declared.name;
}
