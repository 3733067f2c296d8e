import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import { type ArmModule, parseBody, tagsSchema } from "./http.ts";
import { scopeOf } from "./scoped.ts";

const wanted = z.looseObject({ properties: z.looseObject({ tags: tagsSchema.nullish() }) });
const change = wanted.extend({ operation: z.enum(["Merge", "Replace", "Delete"]) });

type Tags = Readonly<Record<string, string>>;

/**
 * `{scope}/providers/Microsoft.Resources/tags/default`: the tags of a resource group or a resource as a resource of
 * their own, as `az tag` changes them. The paths are the inner ones that `scoped.ts` makes.
 */
export const tags: ArmModule = (arm, cloud) => {
  arm.get("/-scoped/tags/default", async (request) => show(taggable(cloud, scopeOf(request))));
  arm.put("/-scoped/tags/default", async (request) => {
    const { properties } = parseBody(wanted, request.body);
    return keep(cloud, scopeOf(request), () => properties.tags ?? {});
  });
  arm.patch("/-scoped/tags/default", async (request) => {
    const { operation, properties } = parseBody(change, request.body);
    const given = properties.tags ?? {};
    return keep(cloud, scopeOf(request), (before) => {
      if (operation === "Replace") return given;
      if (operation === "Merge") return { ...before, ...given };
      return Object.fromEntries(Object.entries(before).filter(([name, value]) => given[name] !== value));
    });
  });
  arm.delete("/-scoped/tags/default", async (request, reply) => {
    keep(cloud, scopeOf(request), () => ({}));
    return reply.code(200).send();
  });
};

function keep(cloud: Cloud, scope: string, next: (before: Tags) => Tags): object {
  const found = taggable(cloud, scope);
  return show(cloud.resources.put({ ...found, tags: next(found.tags ?? {}) }));
}

/** @throws CloudError 404 when there is no such resource, 400 for one that has no place and so no tags */
function taggable(cloud: Cloud, scope: string): Resource {
  const found = cloud.resources.require(scope);
  if (found.location !== undefined) return found;
  throw new CloudError(
    400,
    "ResourceTypeNotSupportTags",
    `The resource '${found.id}' of type '${found.type}' does not support tags.`,
  );
}

function show(resource: Resource): object {
  return {
    id: `${resource.id}/providers/Microsoft.Resources/tags/default`,
    name: "default",
    type: "Microsoft.Resources/tags",
    properties: { tags: resource.tags ?? {} },
  };
}
