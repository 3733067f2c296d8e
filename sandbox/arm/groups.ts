import { z } from "zod";
import { requireResourceGroupName } from "../core/arm-path.ts";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { meets, parseFilter } from "../core/odata-filter.ts";
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
import { page } from "./paging.ts";

const type = "Microsoft.Resources/resourceGroups";
const one = "/subscriptions/:subscription/resourceGroups/:group";

type Route = { Params: { group: string }; Querystring: { $filter?: string; $expand?: string } };

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

  arm.get<Route>("/subscriptions/:subscription/resourceGroups", async (request) =>
    page(request, filtered(cloud.resources.ofType(type), request.query.$filter).map(envelope)),
  );

  arm.get<Route>(`${one}/resources`, async (request) => {
    const group = requireGroup(cloud, request.params.group);
    const inGroup = cloud.resources.under(group.id).filter(isTopLevel);
    return page(
      request,
      filtered(inGroup, request.query.$filter).map((each) => summary(cloud, each, request.query.$expand)),
    );
  });

  arm.get<Route>("/subscriptions/:subscription/resources", async (request) => {
    const all = cloud.resources.under(`/subscriptions/${cloud.subscriptionId}`);
    const listed = all.filter((each) => each.type !== type && isTopLevel(each));
    return page(
      request,
      filtered(listed, request.query.$filter).map((each) => summary(cloud, each, request.query.$expand)),
    );
  });
};

/** Lists of resources show no children (deployments, settings). */
function isTopLevel(resource: Resource): boolean {
  return resource.type.split("/").length === 2;
}

/** A resource as lists show it, with what `$expand` asks for besides. */
function summary(cloud: Cloud, resource: Resource, expand = ""): object {
  const { id, name, type: resourceType, location, tags, body } = resource;
  const { kind, sku, identity } = body;
  const { provisioningState } = (body.properties ?? {}) as { provisioningState?: string };
  return {
    id,
    name,
    type: resourceType,
    location,
    tags,
    kind,
    sku,
    identity,
    ...(/\bcreatedTime\b/i.test(expand) ? { createdTime: cloud.clock.iso(resource.createdAt) } : {}),
    ...(/\bprovisioningState\b/i.test(expand) ? { provisioningState: provisioningState ?? "Succeeded" } : {}),
  };
}

/** What a list's `$filter` can ask for: `tagValue` is the value of the tag that the same filter names. */
const fields: Record<
  string,
  (resource: Resource, tagName: string | undefined) => string | string[] | undefined
> = {
  name: (resource) => resource.name,
  resourcetype: (resource) => resource.type,
  resourcegroup: (resource) => resource.resourceGroup,
  location: (resource) => resource.location,
  tagname: (resource) => Object.keys(resource.tags ?? {}),
  tagvalue: (resource, tagName) =>
    Object.entries(resource.tags ?? {})
      .filter(([name]) => tagName === undefined || name.toLowerCase() === tagName.toLowerCase())
      .map(([, value]) => value),
};

/** @throws CloudError 400 for a filter that resource lists do not take */
function filtered(resources: Resource[], filter: string | undefined): Resource[] {
  if (filter === undefined || filter === "") return resources;
  const alternatives = parseFilter(filter);
  if (
    alternatives === undefined ||
    alternatives.flat().some(({ field }) => !(field.toLowerCase() in fields))
  ) {
    throw new CloudError(
      400,
      "InvalidFilterInQueryString",
      `Invalid $filter '${filter}' specified in the query string.`,
    );
  }
  return resources.filter((resource) =>
    alternatives.some((all) => {
      const tagName = all.find((each) => each.field.toLowerCase() === "tagname")?.value;
      return all.every((each) => meets(each, fields[each.field.toLowerCase()]?.(resource, tagName)));
    }),
  );
}
