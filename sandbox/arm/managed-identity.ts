import { z } from "zod";
import { envelope } from "../core/resources.ts";
import {
  type ArmModule,
  groupId,
  normalLocation,
  parseBody,
  refuseMove,
  requireGroup,
  trackedSchema,
} from "./http.ts";
import { readRoutes, removeRoute } from "./tracked.ts";

const type = "Microsoft.ManagedIdentity/userAssignedIdentities";
const collection = `/subscriptions/:subscription/resourceGroups/:group/providers/${type}`;

type Route = { Params: { group: string; name: string } };

const bodySchema = trackedSchema;
const patchSchema = z.looseObject({ tags: z.record(z.string(), z.string()).optional() });

/** User-assigned managed identities. Each is a principal that role assignments and sites can name. */
export const managedIdentity: ArmModule = (arm, cloud) => {
  const idOf = (params: Route["Params"]) =>
    `${groupId(cloud, params.group)}/providers/${type}/${params.name}`;

  cloud.resources.onRemove(type, (identity) => {
    const { clientId } = identity.body.properties as { clientId: string };
    cloud.principals.remove(clientId);
  });

  arm.put<Route>(`${collection}/:name`, async (request, reply) => {
    const group = requireGroup(cloud, request.params.group);
    const body = parseBody(bodySchema, request.body);
    const location = normalLocation(body.location, type);
    const existing = cloud.resources.get(idOf(request.params));
    refuseMove(existing, location);
    if (existing !== undefined) {
      return envelope(cloud.resources.put({ ...existing, ...(body.tags ? { tags: body.tags } : {}) }));
    }
    const id = idOf(request.params);
    const made = cloud.store.transaction(() => {
      const knownFrom = cloud.clock.now() + cloud.timings().identityReplication;
      const principal = cloud.principals.createManagedIdentity(id, knownFrom);
      return cloud.resources.put({
        id,
        type,
        name: request.params.name,
        resourceGroup: group.name,
        location,
        ...(body.tags ? { tags: body.tags } : {}),
        body: {
          properties: {
            tenantId: cloud.tenantId,
            principalId: principal.objectId,
            clientId: principal.clientId,
          },
        },
        createdAt: cloud.clock.now(),
      });
    });
    return reply.code(201).send(envelope(made));
  });

  arm.patch<Route>(`${collection}/:name`, async (request) => {
    const existing = cloud.resources.require(idOf(request.params));
    const { tags } = parseBody(patchSchema, request.body);
    return envelope(cloud.resources.put({ ...existing, ...(tags === undefined ? {} : { tags }) }));
  });

  readRoutes(arm, cloud, type);
  removeRoute(arm, cloud, type);
};
