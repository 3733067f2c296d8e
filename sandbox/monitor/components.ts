import { createHash, randomUUID } from "node:crypto";
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

const type = "Microsoft.Insights/components";
const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${type}`;

type Route = { Params: { group: string; name: string } };

const propertiesSchema = z.looseObject({
  Application_Type: z.string().min(1),
  WorkspaceResourceId: z.string().nullish(),
  DisableLocalAuth: z.boolean().nullish(),
  DisableIpMasking: z.boolean().nullish(),
  IngestionMode: z
    .enum(["ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics"])
    .nullish(),
  RetentionInDays: z.number().int().min(30).max(730).nullish(),
  SamplingPercentage: z.number().gt(0).max(100).nullish(),
  publicNetworkAccessForIngestion: z.enum(["Enabled", "Disabled", "SecuredByPerimeter"]).nullish(),
  publicNetworkAccessForQuery: z.enum(["Enabled", "Disabled", "SecuredByPerimeter"]).nullish(),
});
const putSchema = trackedSchema.extend({
  kind: z.string().min(1),
  properties: propertiesSchema,
});
const patchSchema = z.looseObject({ tags: z.record(z.string(), z.string()).nullish() });

const readOnly = [
  "AppId",
  "ApplicationId",
  "ConnectionString",
  "CreationDate",
  "InstrumentationKey",
  "Name",
  "TenantId",
  "provisioningState",
];

/** `Microsoft.Insights`: Application Insights components. A component needs a workspace, as new ones do since 2024. */
export const insights: ArmModule = (arm, cloud) => {
  const idOf = (params: Route["Params"]) =>
    `${groupId(cloud, params.group)}/providers/${type}/${params.name}`;

  arm.put<Route>(`${collection}/:name`, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    const name = requireComponentName(request.params.name);
    const body = parseBody(putSchema, request.body);
    const location = normalLocation(body.location, type);
    const id = idOf(request.params);
    const existing = cloud.resources.get(id);
    refuseMove(existing, location);
    const before = existing?.body.properties as JsonObject | undefined;
    const workspace = body.properties.WorkspaceResourceId ?? before?.WorkspaceResourceId;
    requireWorkspace(cloud, workspace);
    const given = Object.entries(body.properties).filter(
      ([field, value]) => value !== undefined && value !== null && !readOnly.includes(field),
    );
    return envelope(
      cloud.resources.put({
        id: existing?.id ?? id,
        type,
        name: existing?.name ?? name,
        resourceGroup: group.name,
        location,
        tags: body.tags ?? existing?.tags ?? {},
        body: {
          kind: body.kind,
          etag: `"${randomUUID()}"`,
          properties: {
            ...defaultsOf(cloud, { id, name, location }),
            ...before,
            ...Object.fromEntries(given),
          } as JsonObject,
        },
        createdAt: existing?.createdAt ?? cloud.clock.now(),
      }),
    );
  });

  arm.patch<Route>(`${collection}/:name`, async (request) => {
    const existing = cloud.resources.require(idOf(request.params));
    const { tags } = parseBody(patchSchema, request.body);
    return envelope(cloud.resources.put({ ...existing, ...(tags ? { tags } : {}) }));
  });

  readRoutes(arm, cloud, type);
  removeRoute(arm, cloud, type);
};

function defaultsOf(
  cloud: Cloud,
  { id, name, location }: { id: string; name: string; location: string },
): JsonObject {
  const instrumentationKey = randomUUID();
  const appId = randomUUID();
  // Which of a region's ingestion points a component has, is the service's choice; always the same here.
  const point = (createHash("sha256").update(id.toLowerCase()).digest()[0] ?? 0) % 8;
  return {
    AppId: appId,
    ApplicationId: name,
    Application_Type: "web",
    ConnectionString: `InstrumentationKey=${instrumentationKey};IngestionEndpoint=https://${location}-${point}.in.applicationinsights.azure.com/;LiveEndpoint=https://${location}.livediagnostics.monitor.azure.com/;ApplicationId=${appId}`,
    CreationDate: cloud.clock.iso(),
    DisableIpMasking: false,
    DisableLocalAuth: false,
    Flow_Type: "Bluefield",
    IngestionMode: "LogAnalytics",
    InstrumentationKey: instrumentationKey,
    Name: name,
    RetentionInDays: 90,
    SamplingPercentage: null,
    TenantId: cloud.subscriptionId,
    provisioningState: "Succeeded",
    publicNetworkAccessForIngestion: "Enabled",
    publicNetworkAccessForQuery: "Enabled",
  };
}

function requireWorkspace(cloud: Cloud, id: unknown): Resource {
  if (typeof id !== "string") {
    throw new CloudError(
      400,
      "BadRequest",
      "The property WorkspaceResourceId is required: classic components without a workspace are retired.",
    );
  }
  const workspace = cloud.resources.get(id);
  if (workspace?.type !== "Microsoft.OperationalInsights/workspaces")
    throw new CloudError(400, "WorkspaceNotFound", `The workspace '${id}' does not exist.`);
  return workspace;
}

function requireComponentName(name: string): string {
  if (!/^[^%&\\?/<>#]{1,260}$/.test(name) || /[. ]$/.test(name)) {
    throw new CloudError(
      400,
      "InvalidResourceName",
      `The component name '${name}' is not valid: 1 to 260 characters without %&\\?/<>#, not ending in '.' or space.`,
    );
  }
  return name;
}
