import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { type ArmModule, locations } from "./http.ts";

/** Namespaces that answer as registered. */
const namespaces = [
  "Microsoft.Authorization",
  "Microsoft.CognitiveServices",
  "Microsoft.Insights",
  "Microsoft.KeyVault",
  "Microsoft.ManagedIdentity",
  "Microsoft.OperationalInsights",
  "Microsoft.Resources",
  "Microsoft.Storage",
  "Microsoft.Web",
];

/** Subscriptions, tenants, locations and resource providers. */
export const subscriptions: ArmModule = (arm, cloud) => {
  arm.get("/subscriptions", async (request) => ({
    value: cloud.rbac.hasAnyRole(request.caller.objectId) ? [subscription(cloud)] : [],
    count: { type: "Total", value: 1 },
  }));
  arm.get("/subscriptions/:subscription", async () => subscription(cloud));
  arm.get("/tenants", async () => ({
    value: [{ id: `/tenants/${cloud.tenantId}`, tenantId: cloud.tenantId, displayName: "Kiln sandbox" }],
  }));
  arm.get("/subscriptions/:subscription/locations", async () => ({
    value: locations.map((name) => ({
      id: `/subscriptions/${cloud.subscriptionId}/locations/${name}`,
      name,
      type: "Region",
      displayName: name,
      regionalDisplayName: name,
      metadata: { regionType: "Physical", regionCategory: "Recommended" },
    })),
  }));
  arm.get("/subscriptions/:subscription/providers", async () => ({
    value: namespaces.map((namespace) => provider(cloud, namespace)),
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
  const found = namespaces.find((each) => each.toLowerCase() === namespace.toLowerCase());
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
    resourceTypes: [],
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
