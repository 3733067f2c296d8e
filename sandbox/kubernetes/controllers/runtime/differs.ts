import { sameQuantity } from "../../../providers/kubernetes/quantity.ts";

/**
 * Whether the server's object already has what a controller wants of it: every field that is wanted is there with that
 * value; fields that the server or others added do not count. Lists must have the same length and order, and quantities
 * (under `requests`, `limits`, `capacity`, `sizeLimit`) are compared by amount, since the server rewrites them.
 */
export function satisfies(actual: unknown, wanted: unknown, field = ""): boolean {
  if (wanted === undefined) return true;
  if (wanted === null) return actual === null || actual === undefined;
  if (Array.isArray(wanted)) {
    if (wanted.length === 0 && actual === undefined) return true;
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((each, index) => satisfies(actual[index], each, field))
    );
  }
  if (typeof wanted === "object") {
    if (typeof actual !== "object" || actual === null) {
      return actual === undefined && Object.values(wanted).every((each) => each === undefined);
    }
    const has = actual as Record<string, unknown>;
    const quantities = quantityFields.has(field);
    return Object.entries(wanted).every(([name, value]) =>
      quantities ? isSameAmount(has[name], value) : satisfies(has[name], value, name),
    );
  }
  if (field === "sizeLimit") return isSameAmount(actual, wanted);
  // An empty text is what the server leaves out.
  return actual === wanted || (wanted === "" && actual === undefined);
}

const quantityFields = new Set(["requests", "limits", "capacity"]);

function isSameAmount(left: unknown, right: unknown): boolean {
  return left === right || sameQuantity(left, right);
}

/** The same text for the same content, whatever the order of fields. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
}
