import type { Cloud } from "../core/cloud.ts";
import type { CloudError } from "../core/errors.ts";
import { envelope, type Resource } from "../core/resources.ts";
import type { Service } from "../core/service.ts";
import { groupId, requireGroup } from "./http.ts";

type Route = { Params: { group: string; name: string } };

/** The path of a type's resources in a group. */
export function collectionOf(type: string): string {
  return `/subscriptions/:subscription/resourceGroups/:group/providers/${type}`;
}

/** The GETs that every tracked type has: one resource, those of a group, those of the subscription. */
export function readRoutes(
  arm: Service,
  cloud: Cloud,
  type: string,
  show: (resource: Resource) => unknown = envelope,
): void {
  arm.get<Route>(`${collectionOf(type)}/:name`, async ({ params }) =>
    show(cloud.resources.require(`${groupId(cloud, params.group)}/providers/${type}/${params.name}`)),
  );
  arm.get<Route>(collectionOf(type), async (request) => {
    const group = requireGroup(cloud, request.params.group);
    return {
      value: cloud.resources
        .ofType(type)
        .filter((each) => each.resourceGroup === group.name)
        .map(show),
    };
  });
  arm.get(`/subscriptions/:subscription/providers/${type}`, async () => ({
    value: cloud.resources.ofType(type).map(show),
  }));
}

/** A DELETE that takes effect at once; 204 when there is nothing. @param refusal why it cannot go now */
export function removeRoute(
  arm: Service,
  cloud: Cloud,
  type: string,
  refusal: (resource: Resource) => CloudError | undefined = () => undefined,
): void {
  arm.delete<Route>(`${collectionOf(type)}/:name`, async ({ params }, reply) => {
    const id = `${groupId(cloud, params.group)}/providers/${type}/${params.name}`;
    const existing = cloud.resources.get(id);
    if (existing === undefined) return reply.code(204).send();
    const refused = refusal(existing);
    if (refused !== undefined) throw refused;
    cloud.store.transaction(() => cloud.resources.remove(existing.id));
    return reply.code(200).send();
  });
}
