import {
  type Compute,
  computeProblems,
  computeQuantities,
  cpuQuantity,
  exceedsProblems,
  gibQuantity,
} from "../shared/quantities.ts";
import { type FieldProblem, rangeProblem } from "../shared/validation.ts";

/** The extended resource that counts GPUs unless another is named. */
export const GPU_RESOURCE = "nvidia.com/gpu";

/** What all pods of a project may use together. */
export interface ProjectQuota {
  /** Sum of what containers ask for: cores, GiB. */
  readonly requests: Compute;
  /** Sum of what containers may use at most: cores, GiB; not below `requests`. */
  readonly limits: Compute;
  /** GPUs, whole, 0 to 1,000. @default 0 */
  readonly gpus?: number;
  /** Name of the extended resource that counts GPUs. @default "nvidia.com/gpu" */
  readonly gpuResource?: string;
  /** Pods, 1 to 10,000. */
  readonly pods: number;
  /** Persistent volume claims, 0 to 10,000. */
  readonly volumes: number;
  /** Storage that claims may ask for together, in whole GiB, 0 to 1,000,000. */
  readonly storageGib: number;
}

/**
 * What one container gets or may have. A quota without these refuses every pod that does not spell its requests and limits,
 * injected sidecars among them (kserve#1242).
 */
export interface ContainerBounds {
  /** Requests of a container that names none. @default 0.1 cores, 0.25 GiB, or `max` where that is less */
  readonly defaultRequests?: Compute;
  /** Limits of a container that names none. @default 1 core, 1 GiB, or `max` where that is less */
  readonly defaultLimits?: Compute;
  /** The most that one container may have; not above `quota.limits`. @default `quota.limits` */
  readonly max?: Compute;
}

/** Bounds with every default filled in. */
export type SettledBounds = Required<ContainerBounds>;

const requestsOfTheSilent: Compute = { cpuCores: 0.1, memoryGib: 0.25 };
const limitsOfTheSilent: Compute = { cpuCores: 1, memoryGib: 1 };

/** The bounds of containers in a project, defaults filled in. Pure. */
export function settledBounds(quota: ProjectQuota, bounds: ContainerBounds = {}): SettledBounds {
  const max = bounds.max ?? quota.limits;
  const defaultLimits = bounds.defaultLimits ?? lesser(limitsOfTheSilent, max);
  const defaultRequests =
    bounds.defaultRequests ?? lesser(lesser(requestsOfTheSilent, defaultLimits), quota.requests);
  return { defaultRequests, defaultLimits, max };
}

function lesser(one: Compute, other: Compute): Compute {
  return {
    cpuCores: Math.min(one.cpuCores, other.cpuCores),
    memoryGib: Math.min(one.memoryGib, other.memoryGib),
  };
}

/** What a ResourceQuota holds hard. Pure. */
export function quotaHard(quota: ProjectQuota): Record<string, string> {
  return {
    "requests.cpu": cpuQuantity(quota.requests.cpuCores),
    "requests.memory": gibQuantity(quota.requests.memoryGib),
    "limits.cpu": cpuQuantity(quota.limits.cpuCores),
    "limits.memory": gibQuantity(quota.limits.memoryGib),
    // Extended resources cannot be overcommitted: only requests are counted, limits equal them.
    [`requests.${quota.gpuResource ?? GPU_RESOURCE}`]: String(quota.gpus ?? 0),
    pods: String(quota.pods),
    persistentvolumeclaims: String(quota.volumes),
    "requests.storage": gibQuantity(quota.storageGib),
  };
}

/** The limits of a LimitRange for containers. Pure. */
export function containerLimits(bounds: SettledBounds) {
  return {
    type: "Container",
    defaultRequest: computeQuantities(bounds.defaultRequests),
    default: computeQuantities(bounds.defaultLimits),
    max: computeQuantities(bounds.max),
  };
}

/** Everything that is wrong with a quota and the bounds below it. Pure. */
export function quotaProblems(quota: ProjectQuota, bounds: ContainerBounds = {}): FieldProblem[] {
  const settled = settledBounds(quota, bounds);
  return [
    ...computeProblems("quota.requests", quota.requests),
    ...computeProblems("quota.limits", quota.limits),
    ...exceedsProblems(["quota.requests", quota.requests], ["quota.limits", quota.limits]),
    rangeProblem("quota.gpus", quota.gpus ?? 0, 0, 1000, "GPUs"),
    gpuResourceProblem("quota.gpuResource", quota.gpuResource),
    rangeProblem("quota.pods", quota.pods, 1, 10_000, "pods"),
    rangeProblem("quota.volumes", quota.volumes, 0, 10_000, "claims"),
    rangeProblem("quota.storageGib", quota.storageGib, 0, 1_000_000, "GiB"),
    ...(["defaultRequests", "defaultLimits", "max"] as const).flatMap((part) =>
      bounds[part] === undefined ? [] : computeProblems(`containers.${part}`, bounds[part]),
    ),
    ...exceedsProblems(["containers.max", settled.max], ["quota.limits", quota.limits]),
    ...exceedsProblems(["containers.defaultLimits", settled.defaultLimits], ["containers.max", settled.max]),
    ...exceedsProblems(
      ["containers.defaultRequests", settled.defaultRequests],
      ["containers.defaultLimits", settled.defaultLimits],
    ),
    ...exceedsProblems(
      ["containers.defaultRequests", settled.defaultRequests],
      ["quota.requests", quota.requests],
    ),
  ].filter((problem) => problem !== undefined);
}

/** What is wrong with the name of an extended resource, or undefined. Pure. */
export function gpuResourceProblem(field: string, name: string | undefined): FieldProblem | undefined {
  if (name === undefined || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/[\w.-]+$/.test(name)) return undefined;
  return { field, message: `"${name}" is no extended resource; it reads like ${GPU_RESOURCE}` };
}
