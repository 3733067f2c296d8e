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
      quantities ? sameQuantity(has[name], value) : satisfies(has[name], value, name),
    );
  }
  if (field === "sizeLimit") return sameQuantity(actual, wanted);
  // An empty text is what the server leaves out.
  return actual === wanted || (wanted === "" && actual === undefined);
}

const quantityFields = new Set(["requests", "limits", "capacity"]);

function sameQuantity(left: unknown, right: unknown): boolean {
  return left === right || (left !== undefined && amountOf(left) === amountOf(right));
}

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Amount of a Kubernetes quantity (`500m`, `1Gi`, `2`); NaN for what is none. */
export function amountOf(quantity: unknown): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]i?|[KMGTPE]i)?$/.exec(String(quantity));
  const factor = factors[match?.[2] ?? ""];
  if (match === null || factor === undefined) return Number.NaN;
  return Number((Number(match[1]) * factor).toPrecision(15));
}

/** The same text for the same content, whatever the order of fields. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
}
