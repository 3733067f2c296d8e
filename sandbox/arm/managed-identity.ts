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

  arm.get<Route>(`${collection}/:name`, async (request) =>
    envelope(cloud.resources.require(idOf(request.params))),
  );

  arm.get<Route>(collection, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    return {
      value: cloud.resources
        .ofType(type)
        .filter((each) => each.resourceGroup === group.name)
        .map(envelope),
    };
  });
  arm.get(`/subscriptions/:subscription/providers/${type}`, async () => ({
    value: cloud.resources.ofType(type).map(envelope),
  }));

  arm.delete<Route>(`${collection}/:name`, async (request, reply) => {
    const existing = cloud.resources.get(idOf(request.params));
    if (existing === undefined) return reply.code(204).send();
    cloud.store.transaction(() => cloud.resources.remove(existing.id));
    return reply.code(200).send();
  });
};
