import { z } from "zod";
import {
  type ArmModule,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
  trackedSchema,
} from "../arm/http.ts";
import { readRoutes, removeRoute } from "../arm/tracked.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";
import { planType, siteType } from "./state.ts";

const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${planType}`;

type Route = { Params: { group: string; name: string } };

const skuSchema = z.looseObject({
  name: z.string().min(1).optional(),
  tier: z.string().min(1).optional(),
  capacity: z.number().int().min(0).max(100).nullish(),
});

const propertiesSchema = z.looseObject({
  reserved: z.boolean().nullish(),
  zoneRedundant: z.boolean().nullish(),
  perSiteScaling: z.boolean().nullish(),
  elasticScaleEnabled: z.boolean().nullish(),
  maximumElasticWorkerCount: z.number().int().min(1).nullish(),
  targetWorkerCount: z.number().int().min(0).nullish(),
  targetWorkerSizeId: z.number().int().min(0).nullish(),
});

const bodySchema = trackedSchema.extend({
  kind: z.string().nullish(),
  sku: skuSchema.nullish(),
  properties: propertiesSchema.nullish(),
});
const patchSchema = z.looseObject({
  kind: z.string().nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  sku: skuSchema.nullish(),
  properties: propertiesSchema.nullish(),
});

/** Tiers by the letters of a SKU's name. Source: App Service pricing tiers. */
const tiers: readonly [pattern: RegExp, tier: string, family: string, zones: boolean][] = [
  [/^F1$/, "Free", "F", false],
  [/^D1$/, "Shared", "D", false],
  [/^B[1-3]$/, "Basic", "B", false],
  [/^S[1-3]$/, "Standard", "S", false],
  [/^P[1-3]v2$/i, "PremiumV2", "Pv2", true],
  [/^P[0-5](m?)v3$/i, "PremiumV3", "Pv3", true],
  [/^P[0-5](m?)v4$/i, "PremiumV4", "Pv4", true],
  [/^I[1-6](m?)v2$/i, "IsolatedV2", "Iv2", true],
  [/^EP[1-3]$/, "ElasticPremium", "EP", true],
  [/^WS[1-3]$/, "WorkflowStandard", "WS", true],
  [/^FC1$/, "FlexConsumption", "FC", true],
  [/^Y1$/, "Dynamic", "Y", false],
];

/** App Service plans. */
export const plans: ArmModule = (arm, cloud) => {
  const idOf = (params: Route["Params"]) =>
    `${groupId(cloud, params.group)}/providers/${planType}/${params.name}`;
  const show = (plan: Resource) => showPlan(cloud, plan);

  arm.put<Route>(`${collection}/:name`, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const name = requirePlanName(request.params.name);
    const body = parseBody(bodySchema, request.body);
    const location = normalLocation(body.location, planType);
    const id = idOf(request.params);
    const existing = cloud.resources.get(id);
    refuseMove(existing, location);
    const properties = keptProperties(existing, body.properties);
    const sku = skuOf(body.sku ?? (existing?.body.sku as z.infer<typeof skuSchema> | undefined), properties);
    if (existing !== undefined && existing.body.properties !== undefined)
      refuseOtherSystem(existing, properties);
    const made = cloud.resources.put({
      id: existing?.id ?? id,
      type: planType,
      name: existing?.name ?? name,
      resourceGroup: group.name,
      location,
      tags: body.tags ?? existing?.tags ?? {},
      body: { kind: body.kind ?? existing?.body.kind ?? kindOf(sku, properties), sku, properties },
      createdAt: existing?.createdAt ?? cloud.clock.now(),
    });
    return reply.code(200).send(show(made));
  });

  arm.patch<Route>(`${collection}/:name`, async (request) => {
    const existing = cloud.resources.require(idOf(request.params));
    const body = parseBody(patchSchema, request.body);
    const properties = keptProperties(existing, body.properties);
    refuseOtherSystem(existing, properties);
    const sku = skuOf(body.sku ?? (existing.body.sku as z.infer<typeof skuSchema>), properties);
    return show(
      cloud.resources.put({
        ...existing,
        ...(body.tags ? { tags: body.tags } : {}),
        body: { ...existing.body, ...(body.kind ? { kind: body.kind } : {}), sku, properties },
      }),
    );
  });

  readRoutes(arm, cloud, planType, show);
  arm.get<Route>(`${collection}/:name/sites`, async (request) => {
    const plan = cloud.resources.require(idOf(request.params));
    return { value: sitesOf(cloud, plan.id).map(envelope) };
  });

  removeRoute(arm, cloud, planType, (plan) => {
    const sites = sitesOf(cloud, plan.id).map(({ name }) => name);
    if (sites.length === 0) return undefined;
    return new CloudError(
      409,
      "Conflict",
      `Server farm '${plan.name}' cannot be deleted because it has web app(s) ${sites.join(", ")} assigned to it.`,
    );
  });
};

/** The plan that a site names, by its id or by its name in the site's group. @throws CloudError 404 */
export function requirePlan(cloud: Cloud, idOrName: string, group: string): Resource {
  const id = idOrName.includes("/") ? idOrName : `${groupId(cloud, group)}/providers/${planType}/${idOrName}`;
  const plan = cloud.resources.get(id);
  if (plan === undefined || plan.type !== planType) {
    throw new CloudError(404, "NotFound", `Cannot find server farm with ID '${id}'.`);
  }
  return plan;
}

export function sitesOf(cloud: Cloud, planId: string): Resource[] {
  return cloud.resources.ofType(siteType).filter((site) => {
    const { serverFarmId } = site.body.properties as { serverFarmId?: string };
    return serverFarmId?.toLowerCase() === planId.toLowerCase();
  });
}

function showPlan(cloud: Cloud, plan: Resource): JsonObject {
  const properties = plan.body.properties as JsonObject;
  const sku = plan.body.sku as { capacity?: number };
  return {
    ...envelope(plan),
    properties: {
      ...properties,
      status: "Ready",
      provisioningState: "Succeeded",
      subscription: cloud.subscriptionId,
      resourceGroup: plan.resourceGroup,
      geoRegion: plan.location,
      numberOfSites: sitesOf(cloud, plan.id).length,
      numberOfWorkers: sku.capacity ?? 1,
      currentNumberOfWorkers: sku.capacity ?? 1,
      maximumNumberOfWorkers: 30,
    },
  };
}

function keptProperties(
  existing: Resource | undefined,
  wanted: z.infer<typeof propertiesSchema> | null | undefined,
): JsonObject {
  const before = (existing?.body.properties ?? {
    reserved: false,
    zoneRedundant: false,
    perSiteScaling: false,
    elasticScaleEnabled: false,
    maximumElasticWorkerCount: 1,
    targetWorkerCount: 0,
    targetWorkerSizeId: 0,
    isXenon: false,
    hyperV: false,
    isSpot: false,
  }) as JsonObject;
  const given = Object.entries(propertiesSchema.strip().parse(wanted ?? {})).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return { ...before, ...Object.fromEntries(given) } as JsonObject;
}

/** @throws CloudError 400 for a SKU that App Service does not sell, or that has no zones */
function skuOf(wanted: z.infer<typeof skuSchema> | null | undefined, properties: JsonObject): JsonObject {
  const name = wanted?.name ?? "F1";
  const found = tiers.find(([pattern]) => pattern.test(name));
  if (found === undefined) {
    throw new CloudError(
      400,
      "BadRequest",
      `The parameter sku.name has an invalid value. Cannot find SKU with name '${name}'.`,
    );
  }
  const [, tier, family, zones] = found;
  if (properties.zoneRedundant === true && !zones) {
    throw new CloudError(400, "BadRequest", `Zone redundancy is not supported for the SKU '${name}'.`);
  }
  return { name, tier, size: name, family, capacity: wanted?.capacity ?? (tier === "Dynamic" ? 0 : 1) };
}

function kindOf(sku: JsonObject, properties: JsonObject): string {
  if (sku.tier === "ElasticPremium") return "elastic";
  if (sku.tier === "Dynamic" || sku.tier === "FlexConsumption") return "functionapp";
  return properties.reserved === true ? "linux" : "app";
}

/** A plan is for Linux or for Windows, for good. */
function refuseOtherSystem(existing: Resource, properties: JsonObject): void {
  const before = existing.body.properties as JsonObject;
  if (before.reserved === properties.reserved) return;
  throw new CloudError(
    409,
    "Conflict",
    `The App Service plan '${existing.name}' cannot change its operating system (reserved).`,
  );
}

function requirePlanName(name: string): string {
  if (!/^[a-z0-9-]{1,60}$/i.test(name)) {
    throw new CloudError(
      400,
      "BadRequest",
      `The App Service plan name '${name}' is not valid: 1 to 60 letters, digits and '-'.`,
    );
  }
  return name;
}
