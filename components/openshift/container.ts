import { type Compute, computeProblems, computeQuantities, exceedsProblems } from "../shared/quantities.ts";
import { type FieldProblem, rangeProblem } from "../shared/validation.ts";
import type { ProjectPlace } from "./place.ts";
import { GPU_RESOURCE, gpuResourceProblem } from "./quota.ts";

/** What one container asks for and may have at most. */
export interface ContainerResources {
  readonly requests: Compute;
  /** Not below `requests`, nor above what the project allows one container. */
  readonly limits: Compute;
  /** Whole GPUs, 0 to 16. @default 0 */
  readonly gpus?: number;
  /** Name of the extended resource that counts GPUs. @default the project's, or "nvidia.com/gpu" */
  readonly gpuResource?: string;
}

/** Resources as a container spells them. Pure. */
export function containerResources({
  requests,
  limits,
  gpus = 0,
  gpuResource = GPU_RESOURCE,
}: ContainerResources) {
  const gpu = gpus === 0 ? {} : { [gpuResource]: String(gpus) };
  return {
    requests: { ...computeQuantities(requests), ...gpu },
    limits: { ...computeQuantities(limits), ...gpu },
  };
}

/** What is wrong with a container's resources, in themselves and where the project bounds one container. Pure. */
export function resourceProblems(
  field: string,
  resources: ContainerResources,
  { containers, quota }: Pick<ProjectPlace, "containers" | "quota">,
): FieldProblem[] {
  const { requests, limits, gpus = 0, gpuResource } = resources;
  return [
    ...computeProblems(`${field}.requests`, requests),
    ...computeProblems(`${field}.limits`, limits),
    ...exceedsProblems([`${field}.requests`, requests], [`${field}.limits`, limits]),
    rangeProblem(`${field}.gpus`, gpus, 0, 16, "GPUs"),
    gpuResourceProblem(`${field}.gpuResource`, gpuResource),
    ...(containers?.max === undefined
      ? []
      : exceedsProblems([`${field}.limits`, limits], ["the project's containers.max", containers.max])),
    quota !== undefined && gpus > 0 && (gpuResource ?? GPU_RESOURCE) !== (quota.gpuResource ?? GPU_RESOURCE)
      ? {
          field: `${field}.gpuResource`,
          message: `is ${gpuResource ?? GPU_RESOURCE}; the project's quota.gpuResource is ${quota.gpuResource ?? GPU_RESOURCE}`,
        }
      : undefined,
  ].filter((problem) => problem !== undefined);
}

/**
 * Where copies of a container cannot fit into the project's quota, even if nothing else ran there. Pure.
 * @param countField the field that says how many, for the message
 */
export function quotaOverrun(
  field: string,
  resources: ContainerResources,
  [countField, count]: readonly [string, number],
  quota: ProjectPlace["quota"],
): FieldProblem[] {
  if (quota === undefined) return [];
  const { requests, limits, gpus = 0 } = resources;
  const rows: [string, number, string, number][] = [
    ["requests.cpuCores", requests.cpuCores, "quota.requests.cpuCores", quota.requests.cpuCores],
    ["requests.memoryGib", requests.memoryGib, "quota.requests.memoryGib", quota.requests.memoryGib],
    ["limits.cpuCores", limits.cpuCores, "quota.limits.cpuCores", quota.limits.cpuCores],
    ["limits.memoryGib", limits.memoryGib, "quota.limits.memoryGib", quota.limits.memoryGib],
    ["gpus", gpus, "quota.gpus", quota.gpus ?? 0],
    ["", 1, "quota.pods", quota.pods],
  ];
  return rows.flatMap(([part, each, quotaField, allowed]) => {
    // Steps are thousandths at their finest: what is above by less is a rounding of the product.
    if (each * count <= allowed + 1e-6) return [];
    if (part === "")
      return [
        { field: countField, message: `is ${count} and exceeds the project's ${quotaField}, ${allowed}` },
      ];
    const sum = Number((each * count).toFixed(3));
    return [
      {
        field: `${field}.${part}`,
        message: `is ${each}, for ${countField} ${count} in all ${sum}, and exceeds the project's ${quotaField}, ${allowed}`,
      },
    ];
  });
}
