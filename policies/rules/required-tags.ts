import { at, azureType, type Rule, UNKNOWN, type Value } from "../model.ts";
import { UNTAGGABLE } from "../untaggable.ts";

/** The tags by which cost, ownership and teardown find a resource. */
export const REQUIRED_TAGS = ["env", "service", "repo", "owner", "costCenter"] as const;

/** Whether an Azure type can carry tags; a type that is not known to carry none can. */
export function isTaggable(type: string): boolean {
  const [module = "", resource = ""] = type.split(":");
  return UNTAGGABLE[module]?.has(resource) !== true;
}

/** Every taggable Azure resource carries the five tags, and `env` is the stack. */
export const requiredTags: Rule = {
  name: "required-tags",
  description: `Every taggable Azure resource carries ${REQUIRED_TAGS.join(", ")}; env is the stack.`,
  severity: "high",
  check(resource, context) {
    const type = azureType(resource.type);
    if (type === undefined || !isTaggable(type)) return [];
    const tags = at(resource.props, "tags");
    if (tags === UNKNOWN) return [];
    return REQUIRED_TAGS.flatMap((tag) => {
      const wrong = fault(tag, at(resource.props, `tags.${tag}`), context.stack);
      return wrong === undefined ? [] : [{ property: `tags.${tag}`, message: wrong }];
    });
  },
};

function fault(tag: string, value: Value | undefined, stack: string): string | undefined {
  if (value === UNKNOWN) return undefined;
  if (typeof value !== "string" || value.trim() === "")
    return "the tag is missing or empty. If Azure gives this type no tags, say so in policies/untaggable.ts.";
  if (tag === "env" && value !== stack) return `the tag must be the stack's name, ${stack}.`;
  return undefined;
}
