/** Suffixes of quantities with what they multiply by. Source: k8s.io/apimachinery/pkg/api/resource */
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

const written = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

/** Amount of a Kubernetes quantity (`500m`, `1Gi`, `2`); NaN for what is none. */
export function amountOf(quantity: unknown): number {
  if (typeof quantity !== "string" && typeof quantity !== "number") return Number.NaN;
  const [, digits, suffix = ""] = written.exec(String(quantity)) ?? [];
  return Number((Number(digits) * (factors[suffix] ?? Number.NaN)).toPrecision(15));
}

/** Whether both are quantities, and the same amount, however it is written. */
export function sameQuantity(left: unknown, right: unknown): boolean {
  return amountOf(left) === amountOf(right);
}
