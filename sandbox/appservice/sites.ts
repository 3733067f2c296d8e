import { createHash } from "node:crypto";
import { z } from "zod";
import {
  type ArmModule,
  answerOperation,
  apiVersionOf,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
} from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { JsonObject, Resource } from "../core/resources.ts";
import { assignIdentity, removeSystemIdentity } from "./identity.ts";
import { requirePlan, sitesOf } from "./plans.ts";
import { fetchReferences, forgetReferences } from "./references.ts";
import { siteChanged } from "./signals.ts";
import { dictionariesOf, mergeConfig, type SiteConfig } from "./site-config.ts";
import {
  isSiteName,
  mergeProperties,
  requireSiteName,
  showSite,
  sitePatchSchema,
  sitePutSchema,
} from "./site-model.ts";
import { changeState, forgetSite, siteNamed, siteType, takeName } from "./state.ts";

export const siteCollection = `/subscriptions/:subscription/resourceGroups/:group/providers/${siteType}`;
export const sitePath = `${siteCollection}/:name`;

export type SiteRoute = {
  Params: { group: string; name: string };
  Querystring: { deleteEmptyServerFarm?: string };
};

const availabilitySchema = z.looseObject({ name: z.string(), type: z.string() });

export function siteIdOf(cloud: Cloud, params: SiteRoute["Params"]): string {
  return `${groupId(cloud, params.group)}/providers/${siteType}/${params.name}`;
}

export function requireSite(cloud: Cloud, params: SiteRoute["Params"]): Resource {
  return cloud.resources.require(siteIdOf(cloud, params));
}

/** Sites: web apps and function apps. */
export const sites: ArmModule = (arm, cloud) => {
  const show = (site: Resource) => showSite(cloud, site);

  cloud.operations.on("site.create", (operation) => {
    const site = cloud.resources.get(operation.target);
    if (site === undefined) return;
    fetchReferences(cloud, site);
    siteChanged(cloud, site.id);
  });
  cloud.resources.onRemove(siteType, (site) => {
    removeSystemIdentity(cloud, site.body.identity as JsonObject | undefined);
    forgetReferences(cloud, site.id);
    forgetSite(cloud, site);
    siteChanged(cloud, site.id);
  });

  arm.put<SiteRoute>(sitePath, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const name = requireSiteName(request.params.name);
    const body = parseBody(sitePutSchema, request.body);
    const location = normalLocation(body.location, siteType);
    const id = siteIdOf(cloud, request.params);
    const existing = cloud.resources.get(id);
    const asked = createHash("sha256")
      .update(JSON.stringify(request.body ?? {}))
      .digest("hex");
    const at = { namespace: "Microsoft.Web", location, apiVersion: apiVersionOf(request) };
    const pending = cloud.operations.pendingOn(id);
    if (existing !== undefined && pending !== undefined) {
      if ((pending.data as { asked?: string } | undefined)?.asked !== asked) throw busy(existing);
      return answerOperation(cloud, reply, pending, at, { running: 202, done: 200, body: show(existing) });
    }
    refuseMove(existing, location);
    refuseTakenName(cloud, name, id);
    const plan = requirePlan(cloud, planIdOf(body.properties?.serverFarmId, existing), request.params.group);
    const before = existing?.body.properties as JsonObject | undefined;
    const made = cloud.store.transaction(() => {
      const identity = assignIdentity(
        cloud,
        { id, identity: existing?.body.identity as JsonObject | undefined },
        body.identity,
        request.caller,
        "replace",
      );
      const site = cloud.resources.put({
        id: existing?.id ?? id,
        type: siteType,
        name: existing?.name ?? name,
        resourceGroup: group.name,
        location,
        tags: body.tags ?? existing?.tags ?? {},
        body: {
          kind: body.kind ?? existing?.body.kind ?? "app",
          ...(identity === undefined ? {} : { identity }),
          properties: mergeProperties(before, body.properties, {
            ...fixedBy(plan, body.properties?.siteConfig),
            state: before?.state ?? "Running",
          }),
        },
        createdAt: existing?.createdAt ?? cloud.clock.now(),
      });
      takeName(cloud, site);
      keepConfig(cloud, site, body.properties?.siteConfig);
      if (existing !== undefined) fetchReferences(cloud, site);
      return site;
    });
    if (existing !== undefined) {
      siteChanged(cloud, made.id);
      return show(made);
    }
    const operation = cloud.operations.start("site.create", made.id, cloud.timings().siteCreate, { asked });
    return answerOperation(cloud, reply, operation, at, { running: 202, done: 200, body: show(made) });
  });

  arm.patch<SiteRoute>(sitePath, async (request) => {
    const existing = requireSite(cloud, request.params);
    if (cloud.operations.pendingOn(existing.id) !== undefined) throw busy(existing);
    const body = parseBody(sitePatchSchema, request.body);
    const before = existing.body.properties as JsonObject;
    const plan = requirePlan(cloud, planIdOf(body.properties?.serverFarmId, existing), request.params.group);
    const changed = cloud.store.transaction(() => {
      const { identity: held, ...rest } = existing.body;
      const identity = assignIdentity(
        cloud,
        { id: existing.id, identity: held as JsonObject | undefined },
        body.identity,
        request.caller,
        "merge",
      );
      const site = cloud.resources.put({
        ...existing,
        ...(body.tags ? { tags: body.tags } : {}),
        body: {
          ...rest,
          ...(body.kind ? { kind: body.kind } : {}),
          ...(identity === undefined ? {} : { identity }),
          properties: mergeProperties(before, body.properties, fixedBy(plan, body.properties?.siteConfig)),
        },
      });
      keepConfig(cloud, site, body.properties?.siteConfig);
      fetchReferences(cloud, site);
      return site;
    });
    siteChanged(cloud, changed.id);
    return show(changed);
  });

  arm.get<SiteRoute>(sitePath, async (request) => show(requireSite(cloud, request.params)));
  arm.get<SiteRoute>(siteCollection, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    const here = cloud.resources.ofType(siteType).filter((site) => site.resourceGroup === group.name);
    return { value: here.map(show) };
  });
  arm.get(`/subscriptions/:subscription/providers/${siteType}`, async () => ({
    value: cloud.resources.ofType(siteType).map(show),
  }));

  arm.delete<SiteRoute>(sitePath, async (request, reply) => {
    const existing = cloud.resources.get(siteIdOf(cloud, request.params));
    if (existing === undefined) return reply.code(204).send();
    if (cloud.operations.pendingOn(existing.id) !== undefined) throw busy(existing);
    const planId = String((existing.body.properties as JsonObject).serverFarmId);
    cloud.store.transaction(() => {
      cloud.resources.remove(existing.id);
      const planToo = /^true$/i.test(request.query.deleteEmptyServerFarm ?? "");
      if (planToo && sitesOf(cloud, planId).length === 0) cloud.resources.remove(planId);
    });
    return reply.code(200).send();
  });

  for (const [action, state] of [
    ["start", "Running"],
    ["stop", "Stopped"],
  ] as const) {
    arm.post<SiteRoute>(`${sitePath}/${action}`, async (request, reply) => {
      const site = requireSite(cloud, request.params);
      const properties = { ...(site.body.properties as JsonObject), state, enabled: state === "Running" };
      cloud.resources.put({ ...site, body: { ...site.body, properties } });
      siteChanged(cloud, site.id);
      return reply.code(200).send();
    });
  }
  arm.post<SiteRoute>(`${sitePath}/restart`, async (request, reply) => {
    const site = requireSite(cloud, request.params);
    changeState(cloud, site.id, ({ restarts }) => ({ restarts: restarts + 1 }));
    siteChanged(cloud, site.id);
    return reply.code(200).send();
  });

  arm.post("/subscriptions/:subscription/providers/Microsoft.Web/checknameavailability", async (request) => {
    const { name } = parseBody(availabilitySchema, request.body);
    if (!isSiteName(name)) {
      return { nameAvailable: false, reason: "Invalid", message: `The name '${name}' is not valid.` };
    }
    return siteNamed(cloud, name) === undefined
      ? { nameAvailable: true, reason: "", message: "" }
      : {
          nameAvailable: false,
          reason: "AlreadyExists",
          message: `Hostname '${name}' already exists. Please select a different name.`,
        };
  });
};

/** What a plan and the site's own configuration decide about its properties. */
function fixedBy(plan: Resource, config: SiteConfig | null | undefined): JsonObject {
  return {
    serverFarmId: plan.id,
    reserved: (plan.body.properties as JsonObject).reserved ?? false,
    ...(config?.keyVaultReferenceIdentity
      ? { keyVaultReferenceIdentity: config.keyVaultReferenceIdentity }
      : {}),
  };
}

function keepConfig(cloud: Cloud, site: Resource, config: SiteConfig | null | undefined): void {
  if (config === undefined || config === null) return;
  changeState(cloud, site.id, (state) => ({
    config: mergeConfig(state.config, config),
    ...dictionariesOf(config),
  }));
}

function planIdOf(wanted: string | null | undefined, existing: Resource | undefined): string {
  const id = wanted ?? (existing?.body.properties as { serverFarmId?: string } | undefined)?.serverFarmId;
  if (id === undefined) {
    throw new CloudError(
      400,
      "BadRequest",
      "The parameter properties.serverFarmId is required: the sandbox makes no plan of its own for a site.",
    );
  }
  return id;
}

function refuseTakenName(cloud: Cloud, name: string, id: string): void {
  const holder = siteNamed(cloud, name);
  if (holder === undefined || holder.id.toLowerCase() === id.toLowerCase()) return;
  throw new CloudError(409, "Conflict", `Website with given name ${name} already exists.`);
}

function busy(site: Resource): CloudError {
  return new CloudError(
    409,
    "Conflict",
    `Cannot modify this site because another operation is in progress on '${site.name}'.`,
  );
}
