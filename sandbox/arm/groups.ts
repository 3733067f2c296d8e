import { z } from "zod";
import { requireResourceGroupName } from "../core/arm-path.ts";
import { CloudError } from "../core/errors.ts";
import { envelope, groupNotFound, type Resource } from "../core/resources.ts";
import {
  type ArmModule,
  answerOperation,
  apiVersionOf,
  groupId,
  normalLocation,
  parseBody,
  requireGroup,
  trackedSchema,
} from "./http.ts";

const type = "Microsoft.Resources/resourceGroups";
const one = "/subscriptions/:subscription/resourceGroups/:group";

type Route = { Params: { group: string }; Querystring: { $filter?: string; $top?: string } };

const patchSchema = z.looseObject({ tags: z.record(z.string(), z.string()).optional() });

/** Resource groups, and the flat lists of resources. */
export const groups: ArmModule = (arm, cloud) => {
  cloud.operations.on("group.delete", (operation) => {
    cloud.resources.remove(operation.target);
  });

  arm.put<Route>(one, async (request, reply) => {
    const name = request.params.group;
    requireResourceGroupName(name);
    const body = parseBody(trackedSchema, request.body);
    const location = normalLocation(body.location, type);
    const existing = cloud.resources.get(groupId(cloud, name));
    if (existing !== undefined) {
      requireGroup(cloud, name);
      if (existing.location !== location) {
        throw new CloudError(
          409,
          "InvalidResourceGroupLocation",
          `Invalid resource group location '${location}'. The Resource group already exists in location '${existing.location}'.`,
        );
      }
      return envelope(cloud.resources.put({ ...existing, tags: body.tags ?? {} }));
    }
    const made = cloud.resources.put({
      id: groupId(cloud, name),
      type,
      name,
      resourceGroup: name,
      location,
      tags: body.tags ?? {},
      body: { properties: { provisioningState: "Succeeded" } },
      createdAt: cloud.clock.now(),
    });
    return reply.code(201).send(envelope(made));
  });

  arm.patch<Route>(one, async (request) => {
    const existing = requireGroup(cloud, request.params.group);
    const { tags } = parseBody(patchSchema, request.body);
    return envelope(cloud.resources.put({ ...existing, ...(tags === undefined ? {} : { tags }) }));
  });

  arm.route<Route>({
    method: ["GET", "HEAD"],
    url: one,
    handler: async (request, reply) => {
      const found = cloud.resources.get(groupId(cloud, request.params.group));
      if (request.method === "HEAD") return reply.code(found === undefined ? 404 : 204).send();
      if (found === undefined) throw groupNotFound(request.params.group);
      const deleting = cloud.operations.pendingOn(found.id)?.kind === "group.delete";
      return deleting
        ? { ...envelope(found), properties: { provisioningState: "Deleting" } }
        : envelope(found);
    },
  });

  arm.delete<Route>(one, async (request, reply) => {
    const found = cloud.resources.get(groupId(cloud, request.params.group));
    if (found === undefined) throw groupNotFound(request.params.group);
    const operation =
      cloud.operations.pendingOn(found.id) ??
      cloud.operations.start("group.delete", found.id, cloud.timings().groupDelete);
    return answerOperation(
      cloud,
      reply,
      operation,
      { namespace: "Microsoft.Resources", location: found.location ?? "", apiVersion: apiVersionOf(request) },
      { running: 202, done: 200 },
    );
  });

  arm.get<Route>("/subscriptions/:subscription/resourceGroups", async (request) => ({
    value: filtered(cloud.resources.ofType(type), request.query.$filter).map(envelope),
  }));

  arm.get<Route>(`${one}/resources`, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    return {
      value: filtered(cloud.resources.under(group.id).filter(isTopLevel), request.query.$filter).map(summary),
    };
  });

  arm.get<Route>("/subscriptions/:subscription/resources", async (request) => {
    const all = cloud.resources.under(`/subscriptions/${cloud.subscriptionId}`);
    return {
      value: filtered(
        all.filter((each) => each.type !== type && isTopLevel(each)),
        request.query.$filter,
      ).map(summary),
    };
  });
};

/** Lists of resources show no children (deployments, settings). */
function isTopLevel(resource: Resource): boolean {
  return resource.type.split("/").length === 2;
}

function summary(resource: Resource): object {
  const { id, name, type: resourceType, location, tags, body } = resource;
  const { kind, sku, identity } = body;
  return { id, name, type: resourceType, location, tags, kind, sku, identity };
}

/** The filters that clients send: `resourceType eq 'x'`, `tagName eq 'a' and tagValue eq 'b'`, `name eq 'x'`. */
function filtered(resources: Resource[], filter: string | undefined): Resource[] {
  if (filter === undefined || filter === "") return resources;
  const part = (field: string) => new RegExp(`${field}\\s+eq\\s+'([^']*)'`, "i").exec(filter)?.[1];
  const [wantedType, tagName, tagValue, name] = ["resourceType", "tagName", "tagValue", "name"].map(part);
  if ([wantedType, tagName, name].every((each) => each === undefined)) {
    throw new CloudError(
      400,
      "InvalidFilterInQueryString",
      `Invalid $filter '${filter}' specified in the query string.`,
    );
  }
  return resources.filter(
    (resource) =>
      (wantedType === undefined || resource.type.toLowerCase() === wantedType.toLowerCase()) &&
      (name === undefined || resource.name.toLowerCase() === name.toLowerCase()) &&
      (tagName === undefined || resource.tags?.[tagName] !== undefined) &&
      (tagName === undefined || tagValue === undefined || resource.tags?.[tagName] === tagValue),
  );
}
