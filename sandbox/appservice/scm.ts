import { timingSafeEqual } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { forbidden } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { bearerOf, createService, pathOf, type Service } from "../core/service.ts";
import { deploy, showDeployment } from "./deployments.ts";
import { requireDeployment, scmHostOf } from "./publishing.ts";
import type { SiteRuntime } from "./runtime.ts";
import { siteChanged } from "./signals.ts";
import { logFolder } from "./site-host.ts";
import { changeState, publishingCredentials, siteOfHost, stateOf } from "./state.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The site whose scm host was asked, once the caller may use it. */
    site: Resource;
    /** Who publishes: a principal's client id, or the publishing user. */
    publisher: string;
  }
}

const audiences = [
  "https://management.azure.com",
  "https://management.core.windows.net",
  "https://appservice.azure.com",
];

/** What a caller needs on the site. Source: Kudu's authorization by role. */
const publishAction = "Microsoft.Web/sites/publish/Action";

/** Largest package taken, in bytes. */
const maxPackage = 256 * 1024 * 1024;

type DeployRoute = {
  Querystring: { type?: string; async?: string; isAsync?: string; Deployer?: string; deployer?: string };
};
type IdRoute = { Params: { id: string } };
type LogRoute = { Params: { file: string } };

/** `{app}.scm.azurewebsites.net`: Kudu, as far as bringing code and reading logs goes. */
export function createScm(cloud: Cloud, runtime: SiteRuntime): Service {
  const scm = createService(cloud, {
    notFound: (request) =>
      new CloudError(404, "NotFound", `The sandbox has nothing at ${request.method} '${pathOf(request)}'.`),
  });
  // A package is bytes, whatever type its sender says it has.
  scm.removeAllContentTypeParsers();
  scm.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxPackage }, (_request, body, done) =>
    done(null, body),
  );
  scm.addHook("onRequest", async (request) => authorize(cloud, request));

  const receive = async (request: FastifyRequest<DeployRoute>, reply: FastifyReply) => {
    const { type, async: asked, isAsync, Deployer, deployer } = request.query;
    if (type !== undefined && type.toLowerCase() !== "zip") {
      throw new CloudError(400, "BadRequest", `The sandbox takes packages of type zip, not '${type}'.`);
    }
    if (!Buffer.isBuffer(request.body) || request.body.length === 0) {
      throw new CloudError(400, "BadRequest", "The request has no package in its body.");
    }
    const { deployment, done } = deploy(cloud, request.site, request.body, {
      author: request.publisher,
      deployer: Deployer ?? deployer ?? "ZipDeploy",
    });
    reply.headers({ "scm-deployment-id": deployment.id });
    if (/^true$/i.test(asked ?? isAsync ?? "")) {
      reply.header("location", `https://${scmHostOf(request.site)}/api/deployments/latest`);
      return reply.code(202).send(JSON.stringify(deployment.id));
    }
    return showDeployment(cloud, request.site, await done);
  };
  scm.post<DeployRoute>("/api/publish", receive);
  scm.post<DeployRoute>("/api/zipdeploy", receive);
  scm.put<DeployRoute>("/api/zipdeploy", receive);

  scm.get("/api/deployments", async ({ site }) =>
    stateOf(cloud, site.id).deployments.map((each) => showDeployment(cloud, site, each)),
  );
  scm.get<IdRoute>("/api/deployments/:id", async ({ site, params }, reply) => {
    const deployment = requireDeployment(cloud, site, params.id);
    // Kudu answers 202 as long as a deployment is under way.
    return reply.code(deployment.status === 1 ? 202 : 200).send(showDeployment(cloud, site, deployment));
  });
  scm.get<IdRoute>("/api/deployments/:id/log", async ({ site, params }) => {
    const { id, message, receivedAt } = requireDeployment(cloud, site, params.id);
    return [{ log_time: cloud.clock.iso(receivedAt), id, message, type: 0, details_url: null }];
  });

  scm.get("/api/settings", async ({ site }) => stateOf(cloud, site.id).appSettings);
  scm.delete("/api/app/settings", async ({ site }, reply) => {
    restart(cloud, site);
    return reply.code(200).send();
  });
  scm.post("/api/restart", async ({ site }, reply) => {
    restart(cloud, site);
    return reply.code(200).send();
  });
  scm.get("/api/environment", async ({ site }) => ({
    version: "1.0.0.0",
    siteLastModified: cloud.clock.iso(site.createdAt),
    process: runtime.status(site.name),
  }));

  scm.get("/api/logs/docker", async ({ site }) => logs(cloud, site));
  scm.get("/api/vfs/LogFiles", async ({ site }) => logs(cloud, site));
  scm.get<LogRoute>("/api/vfs/LogFiles/:file", async ({ site, params }, reply) => {
    const known = await logs(cloud, site);
    if (!known.some(({ name }) => name === params.file)) {
      throw new CloudError(404, "NotFound", `The site '${site.name}' has no log file '${params.file}'.`);
    }
    const content = await readFile(path.join(logFolder(cloud, site.name), params.file));
    return reply.type("text/plain; charset=utf-8").send(content);
  });
  return scm;
}

function restart(cloud: Cloud, site: Resource): void {
  changeState(cloud, site.id, ({ restarts }) => ({ restarts: restarts + 1 }));
  siteChanged(cloud, site.id);
}

async function logs(cloud: Cloud, site: Resource) {
  const folder = logFolder(cloud, site.name);
  const names = (await readdir(folder).catch(() => [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const { size, mtime } = await stat(path.join(folder, name));
      return {
        machineName: "kiln",
        name,
        lastUpdated: mtime.toISOString(),
        size,
        href: `https://${scmHostOf(site)}/api/vfs/LogFiles/${name}`,
        path: `/home/LogFiles/${name}`,
      };
    }),
  );
}

/** Finds the site of the host name, and lets in who may publish to it. */
async function authorize(cloud: Cloud, request: FastifyRequest): Promise<void> {
  const site = siteOfHost(cloud, request.host);
  if (site === undefined) throw new CloudError(404, "NotFound", `No site lives at ${request.host}.`);
  request.site = site;
  const token = bearerOf(request);
  if (token === undefined) {
    request.publisher = basicPublisher(cloud, site, request.headers.authorization);
    return;
  }
  const verdict = await cloud.tokens.verify(token, audiences);
  const caller = "problem" in verdict ? undefined : cloud.principals.byObjectId(verdict.principal);
  if (caller === undefined) throw unauthorized("The bearer token is not valid.");
  if (!cloud.rbac.allows(caller.objectId, publishAction, site.id))
    throw forbidden(caller, publishAction, site.id);
  request.publisher = caller.clientId;
}

function basicPublisher(cloud: Cloud, site: Resource, authorization: string | undefined): string {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) throw unauthorized("The request has no credentials.");
  if (!stateOf(cloud, site.id).basicAuth.scm) {
    throw unauthorized(
      `Basic authentication is disabled on the scm site of '${site.name}'. Use a bearer token of https://management.azure.com.`,
    );
  }
  const given = Buffer.from(encoded, "base64");
  const { user, password } = publishingCredentials(cloud, site);
  const expected = [`${user}:${password}`, `${site.name}\\${user}:${password}`].map((each) =>
    Buffer.from(each),
  );
  const right = expected.some((each) => each.length === given.length && timingSafeEqual(each, given));
  if (!right) throw unauthorized("The publishing user name or password is wrong.");
  return user;
}

function unauthorized(message: string): CloudError {
  return new CloudError(401, "Unauthorized", message, {
    headers: { "www-authenticate": 'Basic realm="site"' },
  });
}
