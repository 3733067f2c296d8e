import { entries } from "../kubernetes/objects.ts";
import { isObject, isPresent, UNKNOWN, type Value } from "../model.ts";

/** Labels of a pod or a namespace; a value that is not known yet is UNKNOWN. */
export type Labels = ReadonlyMap<string, string | typeof UNKNOWN>;

/** Yes, no, or not known yet. */
export type Answer = boolean | "unknown";

/** All of some answers: no as soon as one says no. */
export const all = (answers: readonly Answer[]): Answer =>
  answers.includes(false) ? false : answers.includes("unknown") ? "unknown" : true;

/** Any of some answers: yes as soon as one says yes. */
export const any = (answers: readonly Answer[]): Answer =>
  answers.includes(true) ? true : answers.includes("unknown") ? "unknown" : false;

/** Labels as a map; undefined while nothing of them is known. */
export function labelsOf(value: Value | undefined): Labels | undefined {
  if (value === UNKNOWN) return undefined;
  const labels = new Map<string, string | typeof UNKNOWN>();
  if (isObject(value))
    for (const [key, each] of Object.entries(value))
      if (typeof each === "string" || each === UNKNOWN) labels.set(key, each);
  return labels;
}

/** What a selector asks of one label. */
export type Requirement =
  | { readonly operator: "In" | "NotIn"; readonly key: string; readonly values: ReadonlySet<string> }
  | { readonly operator: "Exists" | "DoesNotExist"; readonly key: string }
  | { readonly operator: "unknown" };

/** All requirements must hold; with none, everything matches. */
export type Selector = readonly Requirement[];

/** A label selector of Kubernetes; an empty one, and one that is left out, matches everything. */
export function parseSelector(value: Value | undefined): Selector {
  if (value === UNKNOWN) return [{ operator: "unknown" }];
  if (!isObject(value)) return [];
  const requirements: Requirement[] = [];
  if (value.matchLabels === UNKNOWN) requirements.push({ operator: "unknown" });
  if (isObject(value.matchLabels))
    for (const [key, wanted] of Object.entries(value.matchLabels))
      requirements.push(
        typeof wanted === "string"
          ? { operator: "In", key, values: new Set([wanted]) }
          : { operator: "unknown" },
      );
  if (value.matchExpressions === UNKNOWN) requirements.push({ operator: "unknown" });
  for (const { value: each } of entries(value.matchExpressions, "")) requirements.push(parseExpression(each));
  return requirements;
}

/** What cannot be read is not known: the API server will refuse it, and until then nothing follows from it. */
function parseExpression(value: Value): Requirement {
  if (!isObject(value) || typeof value.key !== "string") return { operator: "unknown" };
  const { key, operator, values } = value;
  if (operator === "Exists" || operator === "DoesNotExist") return { operator, key };
  if (operator !== "In" && operator !== "NotIn") return { operator: "unknown" };
  const list = isPresent(values) && Array.isArray(values) ? values : undefined;
  if (list === undefined || list.some((each) => typeof each !== "string")) return { operator: "unknown" };
  return { operator, key, values: new Set(list as string[]) };
}

/** Whether labels fulfil a selector. `NotIn` holds for what has no such label at all. */
export function matches(selector: Selector, labels: Labels | undefined): Answer {
  return all(selector.map((requirement) => fulfils(requirement, labels)));
}

function fulfils(requirement: Requirement, labels: Labels | undefined): Answer {
  if (requirement.operator === "unknown" || labels === undefined) return "unknown";
  const value = labels.get(requirement.key);
  switch (requirement.operator) {
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default: {
      const negated = requirement.operator === "NotIn";
      if (value === undefined) return negated;
      if (value === UNKNOWN) return "unknown";
      return requirement.values.has(value) !== negated;
    }
  }
}
