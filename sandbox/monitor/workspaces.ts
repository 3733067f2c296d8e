import { randomBytes, randomUUID } from "node:crypto";
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
import { readRoutes } from "../arm/tracked.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, type JsonObject, type Resource } from "../core/resources.ts";

const type = "Microsoft.OperationalInsights/workspaces";
const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${type}`;

/** How long a deleted workspace can be recovered, in milliseconds. Source: "Delete and recover a workspace". */
const softDeleteMs = 14 * 24 * 60 * 60 * 1000;

type Route = { Params: { group: string; name: string }; Querystring: { force?: string } };

interface DeletedWorkspace {
  readonly workspace: Resource;
  readonly deletedAt: number;
}

const skus = [
  "Free",
  "Standard",
  "Premium",
  "PerNode",
  "PerGB2018",
  "Standalone",
  "CapacityReservation",
  "LACluster",
] as const;
const propertiesSchema = z.looseObject({
  sku: z.looseObject({ name: z.enum(skus) }).nullish(),
  retentionInDays: z.number().int().min(-1).max(730).nullish(),
  publicNetworkAccessForIngestion: z.enum(["Enabled", "Disabled", "SecuredByPerimeter"]).nullish(),
  publicNetworkAccessForQuery: z.enum(["Enabled", "Disabled", "SecuredByPerimeter"]).nullish(),
  features: z.looseObject({ disableLocalAuth: z.boolean().nullish() }).nullish(),
});
const putSchema = trackedSchema.extend({ properties: propertiesSchema.nullish() });
const patchSchema = z.looseObject({
  tags: z.record(z.string(), z.string()).nullish(),
  properties: propertiesSchema.nullish(),
});

const defaults: JsonObject = {
  sku: { name: "PerGB2018" },
  retentionInDays: 30,
  publicNetworkAccessForIngestion: "Enabled",
  publicNetworkAccessForQuery: "Enabled",
  workspaceCapping: { dailyQuotaGb: -1 },
  features: { enableLogAccessUsingOnlyResourcePermissions: true },
};

const readOnly = ["customerId", "provisioningState", "createdDate", "modifiedDate"];

/**
 * `Microsoft.OperationalInsights`: Log Analytics workspaces. A deleted one can be recovered for 14 days by creating it
 * again in the same group; `?force=true` deletes for good.
 */
export const operationalInsights: ArmModule = (arm, cloud) => {
  const deleted = cloud.store.collection<DeletedWorkspace>("deleted-workspaces");
  const idOf = (params: Route["Params"]) =>
    `${groupId(cloud, params.group)}/providers/${type}/${params.name}`;
  const live = (): DeletedWorkspace[] => {
    for (const [id, { deletedAt }] of deleted.entries())
      if (deletedAt + softDeleteMs <= cloud.clock.now()) deleted.delete(id);
    return deleted.values();
  };

  // Also when its group goes, a workspace is only soft-deleted.
  cloud.resources.onRemove(type, (workspace) => {
    deleted.put(workspace.id.toLowerCase(), { workspace, deletedAt: cloud.clock.now() });
  });

  arm.put<Route>(`${collection}/:name`, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const name = requireWorkspaceName(request.params.name);
    const body = parseBody(putSchema, request.body);
    const location = normalLocation(body.location, type);
    const id = idOf(request.params);
    const existing = cloud.resources.get(id);
    refuseMove(existing, location);
    live();
    const recovered = deleted.get(id.toLowerCase())?.workspace;
    // Source: the workspace's old place must be named to get it back.
    refuseMove(recovered, location);
    const before = existing ?? recovered;
    const workspace = cloud.store.transaction(() => {
      deleted.delete(id.toLowerCase());
      return cloud.resources.put({
        id: before?.id ?? id,
        type,
        name: before?.name ?? name,
        resourceGroup: group.name,
        location,
        tags: body.tags ?? existing?.tags ?? {},
        body: {
          properties: merged(cloud, before?.body.properties as JsonObject | undefined, body.properties),
        },
        hidden: before?.hidden ?? newKeys(cloud, id),
        createdAt: before?.createdAt ?? cloud.clock.now(),
      });
    });
    return reply.code(existing === undefined ? 201 : 200).send(envelope(workspace));
  });

  arm.patch<Route>(`${collection}/:name`, async (request) => {
    const existing = cloud.resources.require(idOf(request.params));
    const body = parseBody(patchSchema, request.body);
    return envelope(
      cloud.resources.put({
        ...existing,
        ...(body.tags ? { tags: body.tags } : {}),
        body: { properties: merged(cloud, existing.body.properties as JsonObject, body.properties) },
      }),
    );
  });

  readRoutes(arm, cloud, type);

  arm.delete<Route>(`${collection}/:name`, async (request, reply) => {
    const id = idOf(request.params);
    const force = /^true$/i.test(request.query.force ?? "");
    const existing = cloud.resources.get(id);
    const known =
      existing !== undefined || (force && live().some(({ workspace }) => sameId(workspace.id, id)));
    if (!known) return reply.code(204).send();
    cloud.store.transaction(() => {
      cloud.resources.remove(id);
      if (force) deleted.delete(id.toLowerCase());
    });
    return reply.code(200).send();
  });

  arm.post<Route>(`${collection}/:name/sharedKeys`, async (request) => {
    const workspace = cloud.resources.require(idOf(request.params));
    const { primary, secondary } = workspace.hidden as { primary: string; secondary: string };
    return { primarySharedKey: primary, secondarySharedKey: secondary };
  });

  arm.get(
    `/subscriptions/:subscription/providers/Microsoft.OperationalInsights/deletedWorkspaces`,
    async () => ({
      value: live().map(showDeleted),
    }),
  );
  arm.get<Route>(
    "/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.OperationalInsights/deletedWorkspaces",
    async (request) => {
      const wanted = request.params.group.toLowerCase();
      const here = live().filter(({ workspace }) => workspace.resourceGroup.toLowerCase() === wanted);
      return { value: here.map(showDeleted) };
    },
  );
};

function showDeleted({ workspace }: DeletedWorkspace): JsonObject {
  const shown = envelope(workspace);
  return { ...shown, properties: { ...(shown.properties as JsonObject), provisioningState: "Deleting" } };
}

function merged(
  cloud: Cloud,
  before: JsonObject | undefined,
  wanted: z.infer<typeof propertiesSchema> | null | undefined,
): JsonObject {
  const given = Object.entries(wanted ?? {}).filter(
    ([field, value]) => value !== undefined && value !== null && !readOnly.includes(field),
  );
  const now = cloud.clock.iso();
  return {
    ...defaults,
    customerId: randomUUID(),
    createdDate: now,
    ...before,
    ...Object.fromEntries(given),
    modifiedDate: now,
    provisioningState: "Succeeded",
  } as JsonObject;
}

function newKeys(cloud: Cloud, id: string): JsonObject {
  const key = () => {
    const made = randomBytes(64).toString("base64");
    cloud.mint.remember(made, "workspace-key", id);
    return made;
  };
  return { primary: key(), secondary: key() };
}

function requireWorkspaceName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{2,61}[a-z0-9]$/i.test(name)) {
    throw new CloudError(
      400,
      "InvalidResourceName",
      `The workspace name '${name}' is not valid: 4 to 63 letters, digits and '-', not starting or ending with '-'.`,
    );
  }
  return name;
}

function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
