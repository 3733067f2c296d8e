import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { ArmModule } from "./http.ts";
import { apiVersions, type ServedType, servedTypes } from "./providers.ts";
import { regions } from "./regions.ts";

/** Subscriptions, tenants, locations and resource providers. */
export const subscriptions: ArmModule = (arm, cloud) => {
  arm.get("/subscriptions", async (request) => ({
    value: cloud.rbac.hasAnyRole(request.caller.objectId) ? [subscription(cloud)] : [],
  }));
  arm.get("/subscriptions/:subscription", async () => subscription(cloud));
  arm.get("/tenants", async () => ({
    value: [{ id: `/tenants/${cloud.tenantId}`, tenantId: cloud.tenantId, displayName: "Kiln sandbox" }],
  }));
  arm.get("/subscriptions/:subscription/locations", async () => ({
    value: Object.entries(regions).map(([name, displayName]) => ({
      id: `/subscriptions/${cloud.subscriptionId}/locations/${name}`,
      name,
      type: "Region",
      displayName,
      regionalDisplayName: displayName,
      metadata: { regionType: "Physical", regionCategory: "Recommended" },
    })),
  }));
  arm.get("/subscriptions/:subscription/providers", async () => ({
    value: Object.keys(servedTypes).map((namespace) => provider(cloud, namespace)),
  }));
  arm.get<{ Params: { namespace: string } }>(
    "/subscriptions/:subscription/providers/:namespace",
    async (request) => provider(cloud, known(request.params.namespace)),
  );
  arm.post<{ Params: { namespace: string } }>(
    "/subscriptions/:subscription/providers/:namespace/register",
    async (request) => provider(cloud, known(request.params.namespace)),
  );
};

function known(namespace: string): string {
  const found = Object.keys(servedTypes).find((each) => each.toLowerCase() === namespace.toLowerCase());
  if (found === undefined) {
    throw new CloudError(
      404,
      "InvalidResourceNamespace",
      `The resource namespace '${namespace}' is invalid.`,
    );
  }
  return found;
}

function provider(cloud: Cloud, namespace: string): object {
  return {
    id: `/subscriptions/${cloud.subscriptionId}/providers/${namespace}`,
    namespace,
    registrationState: "Registered",
    registrationPolicy: "RegistrationRequired",
    resourceTypes: (servedTypes[namespace] ?? []).map(resourceType),
  };
}

function resourceType({ type, tracked }: ServedType): object {
  return {
    resourceType: type,
    locations: tracked ? Object.values(regions) : [],
    apiVersions,
    defaultApiVersion: apiVersions[0],
    capabilities: tracked ? "SupportsTags, SupportsLocation" : "None",
  };
}

function subscription(cloud: Cloud): object {
  return {
    id: `/subscriptions/${cloud.subscriptionId}`,
    authorizationSource: "RoleBased",
    managedByTenants: [],
    subscriptionId: cloud.subscriptionId,
    tenantId: cloud.tenantId,
    displayName: "Kiln sandbox",
    state: "Enabled",
    subscriptionPolicies: {
      locationPlacementId: "Public_2014-09-01",
      quotaId: "PayAsYouGo_2014-09-01",
      spendingLimit: "Off",
    },
  };
}
