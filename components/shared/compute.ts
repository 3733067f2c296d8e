import type { FieldProblem } from "./validation.ts";

/** What a container asks for and may use at most. Both are always said: a quota counts them, and refuses pods without. */
export interface ComputeResources {
  /** What the scheduler reserves. */
  readonly requests: ComputeAmounts;
  /** What it may use at most; each at least what is requested. */
  readonly limits: ComputeAmounts;
  /** Whole GPUs (`nvidia.com/gpu`), 0 to 16. They cannot be shared, so request and limit are the same. @default 0 */
  readonly gpus?: number;
}

/** Amounts as Kubernetes writes quantities. */
export interface ComputeAmounts {
  /** Cores, for example `500m` or `2`. */
  readonly cpu: string;
  /** Bytes, for example `512Mi` or `4Gi`. */
  readonly memory: string;
}

const SUFFIXES: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  "": 10n ** 9n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: 10n ** 9n * 1024n,
  Mi: 10n ** 9n * 1024n ** 2n,
  Gi: 10n ** 9n * 1024n ** 3n,
  Ti: 10n ** 9n * 1024n ** 4n,
  Pi: 10n ** 9n * 1024n ** 5n,
  Ei: 10n ** 9n * 1024n ** 6n,
};

/**
 * A quantity in billionths of its unit, exact, or undefined when it is none. Signs and exponents are left out: no amount
 * of a container needs them. Source: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity. Pure.
 */
export function quantityOf(text: string): bigint | undefined {
  const match = /^(\d+)(?:\.(\d{1,9}))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.exec(text);
  if (match === null) return undefined;
  const [, whole = "", fraction = "", suffix = ""] = match;
  const scale = SUFFIXES[suffix] ?? 0n;
  return BigInt(whole) * scale + (BigInt(fraction.padEnd(9, "0") || "0") * scale) / 10n ** 9n;
}

/** What is wrong with an amount that must be more than nothing, or undefined. Pure. */
export function quantityProblem(field: string, text: string, example: string): FieldProblem | undefined {
  const amount = quantityOf(text);
  if (amount !== undefined && amount > 0n) return undefined;
  return { field, message: `is ${JSON.stringify(text)}; an amount above 0 like ${example} is needed` };
}

/** Everything that is wrong with what a container asks for. Pure. */
export function computeProblems(field: string, resources: ComputeResources): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [part, example] of [
    ["cpu", "500m or 2"],
    ["memory", "512Mi or 4Gi"],
  ] as const) {
    const [request, limit] = [resources.requests[part], resources.limits[part]];
    const wrong = [
      quantityProblem(`${field}.requests.${part}`, request, example),
      quantityProblem(`${field}.limits.${part}`, limit, example),
    ].filter((problem) => problem !== undefined);
    problems.push(...wrong);
    if (wrong.length === 0 && (quantityOf(request) ?? 0n) > (quantityOf(limit) ?? 0n)) {
      const message = `is ${request}, more than ${field}.limits.${part}, ${limit}`;
      problems.push({ field: `${field}.requests.${part}`, message });
    }
  }
  const { gpus = 0 } = resources;
  if (!Number.isInteger(gpus) || gpus < 0 || gpus > 16)
    problems.push({ field: `${field}.gpus`, message: `is ${gpus}; whole GPUs from 0 to 16 are allowed` });
  return problems;
}

/** The resources as a container has them. Pure. */
export function containerResources(resources: ComputeResources): {
  requests: Record<string, string>;
  limits: Record<string, string>;
} {
  const { gpus = 0 } = resources;
  const extra = gpus > 0 ? { "nvidia.com/gpu": String(gpus) } : {};
  return {
    requests: { cpu: resources.requests.cpu, memory: resources.requests.memory, ...extra },
    limits: { cpu: resources.limits.cpu, memory: resources.limits.memory, ...extra },
  };
}
