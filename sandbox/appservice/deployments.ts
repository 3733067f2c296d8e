import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { unpack } from "./packages.ts";
import { siteChanged } from "./signals.ts";
import { changeState, type Deployment, stateOf } from "./state.ts";

/** How many deployments keep their record, and how many of the newest keep their code. */
const kept = { records: 20, code: 2 };

/** Everything of a site that is not in the cloud's own data: its code, its home, its logs. */
export function siteFolder(cloud: Cloud, siteName: string): string {
  return path.join(cloud.dataDir, "sites", siteName.toLowerCase());
}

export function codeFolder(cloud: Cloud, siteName: string, deploymentId: string): string {
  return path.join(siteFolder(cloud, siteName), "code", deploymentId);
}

/**
 * Takes a package for a site. It is recorded at once as being built; `done` settles when it is served or has failed.
 * @throws CloudError 409 while another is under way
 */
export function deploy(
  cloud: Cloud,
  site: Resource,
  zip: Uint8Array,
  by: { author: string; deployer: string },
): { deployment: Deployment; done: Promise<Deployment> } {
  const building = stateOf(cloud, site.id).deployments.find(({ status }) => status === 1);
  if (building !== undefined) {
    throw new CloudError(409, "Conflict", `There is a deployment currently in progress: ${building.id}.`);
  }
  const deployment: Deployment = {
    id: randomBytes(20).toString("hex"),
    status: 1,
    message: "Created via a push deployment",
    ...by,
    receivedAt: cloud.clock.now(),
    functions: [],
  };
  changeState(cloud, site.id, ({ deployments }) => ({
    deployments: [deployment, ...deployments].slice(0, kept.records),
  }));
  const done = build(cloud, site, deployment, zip);
  // Who sent it asynchronously reads the outcome from the record.
  done.catch(() => undefined);
  return { deployment, done };
}

async function build(
  cloud: Cloud,
  site: Resource,
  deployment: Deployment,
  zip: Uint8Array,
): Promise<Deployment> {
  try {
    const functions = await unpack(zip, codeFolder(cloud, site.name, deployment.id));
    const built: Deployment = { ...deployment, status: 4, functions, endedAt: cloud.clock.now() };
    if (!record(cloud, site, built, built.id)) throw siteGone(site);
    siteChanged(cloud, site.id);
    return built;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    record(cloud, site, { ...deployment, status: 3, message, endedAt: cloud.clock.now() });
    throw error;
  }
}

/** Updates a deployment's record, and with `active` makes its code the one that is served. False when the site went. */
function record(cloud: Cloud, site: Resource, deployment: Deployment, active?: string): boolean {
  if (!stateOf(cloud, site.id).deployments.some(({ id }) => id === deployment.id)) return false;
  changeState(cloud, site.id, ({ deployments }) => ({
    deployments: deployments.map((each) => (each.id === deployment.id ? deployment : each)),
    ...(active === undefined ? {} : { active }),
  }));
  return true;
}

/** A build that a crash of the sandbox cut off has failed. */
export function failCutOffBuilds(cloud: Cloud, site: Resource): void {
  const { deployments } = stateOf(cloud, site.id);
  if (!deployments.some(({ status }) => status === 1)) return;
  changeState(cloud, site.id, () => ({
    deployments: deployments.map((each) =>
      each.status === 1
        ? { ...each, status: 3, message: "The sandbox stopped during this deployment." }
        : each,
    ),
  }));
}

/** Deletes the code that is neither served, nor one of the newest, nor in use by a process that still drains. */
export async function pruneCode(cloud: Cloud, site: Resource, inUse: readonly string[]): Promise<void> {
  const { deployments, active } = stateOf(cloud, site.id);
  const newest = deployments.filter(({ status }) => status === 4).slice(0, kept.code);
  const building = deployments.filter(({ status }) => status === 1);
  const needed = new Set([...newest, ...building].map(({ id }) => id).concat(inUse, active ?? []));
  const folder = path.join(siteFolder(cloud, site.name), "code");
  const there = await readdir(folder).catch(() => []);
  for (const name of there) {
    if (needed.has(name) || needed.has(name.replace(/\.partial$/, ""))) continue;
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/** A deployment as Kudu shows it. */
export function showDeployment(cloud: Cloud, site: Resource, deployment: Deployment): JsonObject {
  const scm = `https://${site.name.toLowerCase()}.scm.azurewebsites.net/api/deployments/${deployment.id}`;
  const time = (at: number | undefined) => (at === undefined ? null : cloud.clock.iso(at));
  return {
    id: deployment.id,
    status: deployment.status,
    status_text: deployment.status === 3 ? deployment.message : "",
    author_email: "N/A",
    author: deployment.author,
    deployer: deployment.deployer,
    message: deployment.message,
    progress: "",
    received_time: time(deployment.receivedAt),
    start_time: time(deployment.receivedAt),
    end_time: time(deployment.endedAt),
    last_success_end_time: deployment.status === 4 ? time(deployment.endedAt) : null,
    complete: deployment.status !== 1,
    active: stateOf(cloud, site.id).active === deployment.id,
    is_temp: false,
    is_readonly: true,
    url: scm,
    log_url: `${scm}/log`,
    site_name: site.name,
  };
}

function siteGone(site: Resource): CloudError {
  return new CloudError(404, "NotFound", `The site '${site.name}' was deleted during the deployment.`);
}
