import { KUBERNETES, objectsOf, within } from "../kubernetes/objects.ts";
import { at, type Rule, UNKNOWN, type Value } from "../model.ts";
import { REQUIRED_TAGS } from "./required-tags.ts";

/** Kinds that are, or make, a namespace. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["Namespace", ""],
  ["Project", "project.openshift.io"],
  ["ProjectRequest", "project.openshift.io"],
]);

/** A namespace is found, counted and taken down by the same five names as a resource of Azure; here they are labels. */
export const namespaceLabels: Rule = {
  name: "namespace-labels",
  description: `Every namespace carries the labels ${REQUIRED_TAGS.join(", ")}; env is the stack.`,
  severity: "high",
  package: KUBERNETES,
  check: (resource, { stack }) =>
    objectsOf(resource).flatMap(({ kind, group, object, patch, path }) => {
      if (KINDS.get(kind) !== group) return [];
      return REQUIRED_TAGS.flatMap((label) => {
        const value = at(object, `metadata.labels.${label}`);
        const absent = value === undefined || value === null;
        const message = patch && absent ? undefined : fault(label, value, stack);
        return message === undefined ? [] : [{ property: within(path, `metadata.labels.${label}`), message }];
      });
    }),
};

function fault(label: string, value: Value | undefined, stack: string): string | undefined {
  if (value === UNKNOWN) return undefined;
  if (typeof value !== "string" || value.trim() === "") return "the label is missing or empty.";
  return label === "env" && value !== stack ? `the label must be the stack's name, ${stack}.` : undefined;
}
