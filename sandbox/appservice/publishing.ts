import { z } from "zod";
import { type ArmModule, parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { showDeployment } from "./deployments.ts";
import { hostOf } from "./site-model.ts";
import { requireSite, type SiteRoute, sitePath } from "./sites.ts";
import { changeState, type Deployment, publishingCredentials, stateOf } from "./state.ts";

const policySchema = z.looseObject({ properties: z.looseObject({ allow: z.boolean() }) });

type DeploymentRoute = SiteRoute & { Params: SiteRoute["Params"] & { id: string } };

/**
 * How code may be brought to a site, and what was brought. Publishing by user name and password is off until a policy
 * allows it (App Service's own recommendation); passwords read `REDACTED` as long as it is.
 */
export const publishing: ArmModule = (arm, cloud) => {
  const policies = `${sitePath}/basicPublishingCredentialsPolicies`;
  const policy = (site: Resource, kind: "ftp" | "scm") => ({
    id: `${site.id}/basicPublishingCredentialsPolicies/${kind}`,
    name: kind,
    type: `${site.type}/basicPublishingCredentialsPolicies`,
    location: site.location,
    properties: { allow: stateOf(cloud, site.id).basicAuth[kind] },
  });

  arm.get<SiteRoute>(policies, async (request) => {
    const site = requireSite(cloud, request.params);
    return { value: [policy(site, "ftp"), policy(site, "scm")] };
  });
  for (const kind of ["ftp", "scm"] as const) {
    arm.get<SiteRoute>(`${policies}/${kind}`, async (request) =>
      policy(requireSite(cloud, request.params), kind),
    );
    arm.put<SiteRoute>(`${policies}/${kind}`, async (request) => {
      const site = requireSite(cloud, request.params);
      const { allow } = parseBody(policySchema, request.body).properties;
      changeState(cloud, site.id, ({ basicAuth }) => ({ basicAuth: { ...basicAuth, [kind]: allow } }));
      return policy(site, kind);
    });
  }

  arm.post<SiteRoute>(`${sitePath}/config/publishingcredentials/list`, async (request) => {
    const site = requireSite(cloud, request.params);
    const { user, password } = shownCredentials(cloud, site);
    return {
      id: `${site.id}/publishingcredentials/${user}`,
      name: user,
      type: `${site.type}/publishingcredentials`,
      location: site.location,
      properties: {
        name: null,
        publishingUserName: user,
        publishingPassword: password,
        scmUri: `https://${encodeURIComponent(user)}:${password}@${scmHostOf(site)}`,
        isDeleted: false,
      },
    };
  });

  arm.post<SiteRoute>(`${sitePath}/publishxml`, async (request, reply) => {
    const site = requireSite(cloud, request.params);
    return reply.type("application/xml").send(publishXml(cloud, site));
  });

  arm.get<SiteRoute>(`${sitePath}/deployments`, async (request) => {
    const site = requireSite(cloud, request.params);
    return { value: stateOf(cloud, site.id).deployments.map((each) => armDeployment(cloud, site, each)) };
  });
  arm.get<DeploymentRoute>(`${sitePath}/deployments/:id`, async (request) => {
    const site = requireSite(cloud, request.params);
    return armDeployment(cloud, site, requireDeployment(cloud, site, request.params.id));
  });

  // What `az webapp deploy` polls for Linux apps.
  arm.get<DeploymentRoute>(`${sitePath}/deploymentStatus/:id`, async (request) => {
    const site = requireSite(cloud, request.params);
    const deployment = requireDeployment(cloud, site, request.params.id);
    const status = { 1: "BuildInProgress", 3: "BuildFailed", 4: "RuntimeSuccessful" }[deployment.status];
    return {
      id: `${site.id}/deploymentStatus/${deployment.id}`,
      name: deployment.id,
      type: `${site.type}/deploymentStatus`,
      location: site.location,
      properties: {
        deploymentId: deployment.id,
        status,
        numberOfInstancesInProgress: 0,
        numberOfInstancesSuccessful: deployment.status === 4 ? 1 : 0,
        numberOfInstancesFailed: deployment.status === 3 ? 1 : 0,
        failedInstancesLogs: null,
        errors: deployment.status === 3 ? [{ message: deployment.message }] : null,
      },
    };
  });

  arm.get<SiteRoute>(`${sitePath}/instances`, async (request) => {
    const site = requireSite(cloud, request.params);
    const { state } = site.body.properties as { state?: string };
    const instance = { id: `${site.id}/instances/0`, name: "0", type: `${site.type}/instances` };
    return {
      value: state === "Running" ? [{ ...instance, properties: { state: "READY" } }] : [],
    };
  });
};

export function scmHostOf(site: Resource): string {
  return `${site.name.toLowerCase()}.scm.azurewebsites.net`;
}

/** Kudu knows the newest deployment as `latest`. @throws CloudError 404 */
export function requireDeployment(cloud: Cloud, site: Resource, id: string): Deployment {
  const { deployments } = stateOf(cloud, site.id);
  const found = id === "latest" ? deployments[0] : deployments.find((each) => each.id === id);
  if (found === undefined)
    throw new CloudError(404, "NotFound", `The site '${site.name}' has no deployment '${id}'.`);
  return found;
}

function armDeployment(cloud: Cloud, site: Resource, deployment: Deployment): JsonObject {
  return {
    id: `${site.id}/deployments/${deployment.id}`,
    name: deployment.id,
    type: `${site.type}/deployments`,
    location: site.location,
    properties: showDeployment(cloud, site, deployment),
  };
}

function shownCredentials(cloud: Cloud, site: Resource): { user: string; password: string } {
  const { basicAuth } = stateOf(cloud, site.id);
  return basicAuth.scm || basicAuth.ftp
    ? publishingCredentials(cloud, site)
    : { user: `$${site.name}`, password: "REDACTED" };
}

function publishXml(cloud: Cloud, site: Resource): string {
  const { user, password } = shownCredentials(cloud, site);
  const scm = scmHostOf(site);
  const profile = (kind: string, method: string, url: string) =>
    `<publishProfile profileName="${site.name} - ${kind}" publishMethod="${method}" publishUrl="${url}" userName="${user}" userPWD="${password}" destinationAppUrl="https://${hostOf(site.name)}" />`;
  return `<publishData>${profile("Zip Deploy", "ZipDeploy", `${scm}:443`)}${profile("FTP", "FTP", `ftps://ftp.${scm}/site/wwwroot`)}</publishData>`;
}
