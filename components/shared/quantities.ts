import type { FieldProblem } from "./validation.ts";

/** Processor and memory, each in its unit. */
export interface Compute {
  /** Cores, in steps of 0.001. */
  readonly cpuCores: number;
  /** Memory in GiB, in steps of 1/1024. */
  readonly memoryGib: number;
}

/**
 * A number of cores as Kubernetes writes it: `2`, `500m`. The form that the server keeps, so that what is read back is
 * what was sent. Pure.
 */
export function cpuQuantity(cores: number): string {
  const millis = Math.round(cores * 1000);
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

/** An amount of GiB as Kubernetes writes it: `2Gi`, `512Mi`. The form that the server keeps. Pure. */
export function gibQuantity(gib: number): string {
  const mebi = Math.round(gib * 1024);
  // The server writes the largest unit that leaves a whole number.
  if (mebi > 0 && mebi % (1024 * 1024) === 0) return `${mebi / (1024 * 1024)}Ti`;
  if (mebi > 0 && mebi % 1024 === 0) return `${mebi / 1024}Gi`;
  return mebi === 0 ? "0" : `${mebi}Mi`;
}

/** Cores and memory under the names that containers use. Pure. */
export function computeQuantities({ cpuCores, memoryGib }: Compute): { cpu: string; memory: string } {
  return { cpu: cpuQuantity(cpuCores), memory: gibQuantity(memoryGib) };
}

/** What is wrong with an amount: below the least, above the most, or finer than its steps. Pure; bounds are inclusive. */
export function amountProblem(
  field: string,
  value: number,
  rule: { readonly min: number; readonly max: number; readonly stepsPerUnit: number; readonly unit: string },
): FieldProblem | undefined {
  const { min, max, stepsPerUnit, unit } = rule;
  if (!Number.isFinite(value) || value < min || value > max) {
    return { field, message: `is ${value}; ${unit} from ${min} to ${max} are allowed` };
  }
  const steps = value * stepsPerUnit;
  if (Math.abs(steps - Math.round(steps)) < 1e-6) return undefined;
  return { field, message: `is ${value}; ${unit} go in steps of 1/${stepsPerUnit}` };
}

/** The most of one thing that any amount may name: a typing error is far above it. */
const most = { cpuCores: 10_000, memoryGib: 100_000 };

/** What is wrong with cores and memory. Pure. */
export function computeProblems(field: string, compute: Compute): FieldProblem[] {
  return [
    amountProblem(`${field}.cpuCores`, compute.cpuCores, {
      min: 0.001,
      max: most.cpuCores,
      stepsPerUnit: 1000,
      unit: "cores",
    }),
    amountProblem(`${field}.memoryGib`, compute.memoryGib, {
      min: 1 / 1024,
      max: most.memoryGib,
      stepsPerUnit: 1024,
      unit: "GiB",
    }),
  ].filter((problem) => problem !== undefined);
}

/** Where one amount is above another that it must not exceed; the message names both fields. Pure. */
export function exceedsProblems(
  [field, compute]: readonly [string, Compute],
  [limitField, limit]: readonly [string, Compute],
): FieldProblem[] {
  return (["cpuCores", "memoryGib"] as const).flatMap((part) =>
    compute[part] > limit[part]
      ? [
          {
            field: `${field}.${part}`,
            message: `is ${compute[part]} and must not exceed ${limitField}.${part}, which is ${limit[part]}`,
          },
        ]
      : [],
  );
}
