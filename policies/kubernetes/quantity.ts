import { UNKNOWN, type Value } from "../model.ts";

/** Powers of ten and of two behind a quantity (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */
const SUFFIXES: Readonly<Record<string, number>> = {
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
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** A number for a quantity (`500m`, `2`, `1.5Gi`, `1e3`) in its base unit: cores, bytes, pieces; undefined for what is none. */
export function quantity(value: Value | undefined): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/.exec(value);
  if (match === null) return undefined;
  const [, digits = "", exponent = "", suffix = ""] = match;
  const amount = Number(`${digits}${exponent}`) * (SUFFIXES[suffix] ?? Number.NaN);
  return Number.isFinite(amount) ? amount : undefined;
}

/** Whether an amount is of use as a request or a limit: readable and above nothing. What is not known yet is. */
export const isAmount = (value: Value | undefined): boolean =>
  value === UNKNOWN || (quantity(value) ?? 0) > 0;

/**
 * Whether one amount is more than another. A sum of amounts differs from the written one in its last digits only, so a
 * millionth part of a per cent is not more.
 */
export const exceeds = (amount: number, most: number): boolean => amount > most * (1 + 1e-8);

/** An amount as people read it: bytes in binary units, everything else as a plain number. */
export function readable(amount: number, resource: string): string {
  if (!/memory|storage/.test(resource)) return String(Number(amount.toFixed(3)));
  for (const unit of ["Ti", "Gi", "Mi", "Ki"]) {
    const scaled = amount / (SUFFIXES[unit] ?? 1);
    if (scaled >= 1) return `${Number(scaled.toFixed(2))}${unit}`;
  }
  return String(amount);
}
