import { z } from "zod";
import { locations, normalLocation, parseBody } from "../arm/http.ts";
import type { Cloud } from "../core/cloud.ts";
import type { Service } from "../core/service.ts";
import { capabilitiesOf, type Model, modelFormat, modelsIn, skusIn, usageName } from "../openai/catalogue.ts";
import { accountKinds } from "./account-body.ts";
import { subdomainFree } from "./account-write.ts";
import { type AccountRoute, accountPath, requireAccount } from "./accounts.ts";
import type { DeletedAccounts } from "./deleted-accounts.ts";
import { accountCountUsage, showUsage, usagesIn } from "./quota.ts";
import { accountType, deploymentHiddenOf, deploymentType, namespace } from "./state.ts";

const base = `/subscriptions/:subscription/providers/${namespace}`;

type LocationRoute = { Params: { location: string } };

const domainSchema = z.object({
  subdomainName: z.string().min(1),
  type: z.string().min(1),
  kind: z.string().nullish(),
});
const skuCheckSchema = z.object({
  skus: z.array(z.string()).min(1),
  kind: z.string().min(1),
  type: z.string().min(1),
});

/** What there is to be had, where, and how much of it is left: usages, models, SKUs, availability. */
export function offerRoutes(arm: Service, cloud: Cloud, deleted: DeletedAccounts): void {
  arm.get<LocationRoute>(`${base}/locations/:location/usages`, async (request) => {
    const location = normalLocation(request.params.location, `${namespace}/locations/usages`);
    return { value: usagesIn(cloud, deleted, location).map(showUsage) };
  });

  // Of an account: the quotas that its own deployments draw on, with what they draw.
  arm.get<AccountRoute>(`${accountPath}/usages`, async (request) => {
    const account = requireAccount(cloud, request.params);
    const drawn = new Map<string, number>();
    for (const deployment of cloud.resources.under(account.id)) {
      if (deployment.type !== deploymentType) continue;
      const { usageName: name, capacity } = deploymentHiddenOf(deployment);
      drawn.set(name, (drawn.get(name) ?? 0) + capacity);
    }
    const usages = usagesIn(cloud, deleted, account.location ?? "");
    return {
      value: usages
        .filter(({ name }) => name !== accountCountUsage)
        .map((usage) => showUsage({ ...usage, current: drawn.get(usage.name) ?? 0 })),
    };
  });

  arm.get<AccountRoute>(`${accountPath}/models`, async (request) => {
    const { location = "" } = requireAccount(cloud, request.params);
    return { value: modelsIn(location).map((model) => showModel(model, location)) };
  });
  arm.get<LocationRoute>(`${base}/locations/:location/models`, async (request) => {
    const location = normalLocation(request.params.location, `${namespace}/locations/models`);
    return {
      value: modelsIn(location).map((model) => ({
        kind: "OpenAI",
        skuName: "S0",
        model: showModel(model, location),
      })),
    };
  });

  arm.get<AccountRoute>(`${accountPath}/skus`, async (request) => {
    requireAccount(cloud, request.params);
    return { value: [{ resourceType: accountType, sku: { name: "S0", tier: "Standard" } }] };
  });
  arm.get(`${base}/skus`, async () => ({
    value: accountKinds.flatMap((kind) =>
      locations.map((location) => ({
        resourceType: "accounts",
        name: "S0",
        tier: "Standard",
        kind,
        locations: [location.toUpperCase()],
        restrictions: [],
      })),
    ),
  }));

  arm.post(`${base}/checkDomainAvailability`, async (request) => {
    const { subdomainName, type, kind } = parseBody(domainSchema, request.body);
    const free = subdomainFree(cloud, deleted, subdomainName.toLowerCase());
    return {
      isSubdomainAvailable: free,
      ...(free
        ? {}
        : { reason: `Sub domain name '${subdomainName}' is already used. Please pick a different name.` }),
      subdomainName,
      type,
      ...(kind ? { kind } : {}),
    };
  });
  arm.post<LocationRoute>(`${base}/locations/:location/checkSkuAvailability`, async (request) => {
    normalLocation(request.params.location, accountType);
    const { skus, kind, type } = parseBody(skuCheckSchema, request.body);
    const kindKnown = accountKinds.some((each) => each.toLowerCase() === kind.toLowerCase());
    return {
      value: skus.map((skuName) => {
        const skuAvailable = kindKnown && skuName.toUpperCase() === "S0";
        return {
          kind,
          type,
          skuName,
          skuAvailable,
          ...(skuAvailable
            ? {}
            : {
                reason: "InvalidSkuId",
                message: `The SKU '${skuName}' is not available for kind '${kind}'.`,
              }),
        };
      }),
    };
  });
}

function showModel(model: Model, location: string): object {
  const offers = skusIn(model, location);
  return {
    format: modelFormat,
    name: model.name,
    version: model.version,
    isDefaultVersion: model.isDefaultVersion,
    lifecycleStatus: model.lifecycle,
    capabilities: capabilitiesOf(model),
    deprecation: { inference: `${model.retires}T00:00:00Z` },
    maxCapacity: Math.max(...offers.map((sku) => sku.capacity.maximum)),
    skus: offers.map((sku) => ({
      name: sku.name,
      usageName: usageName(sku.name, model.name),
      deprecationDate: `${model.retires}T00:00:00Z`,
      capacity: sku.capacity,
      rateLimits: [{ key: "token", renewalPeriod: 60, count: 1000 }],
    })),
  };
}
