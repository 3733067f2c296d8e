import type { Compute } from "../shared/quantities.ts";
import type { FieldProblem } from "../shared/validation.ts";
import type { ModelSource } from "./model-source.ts";
import type { ProjectPlace } from "./place.ts";

/**
 * What the container that fetches a model before its server starts may use at most. It runs for a minute, and counts in the quota as
 * long as its pod is there: a pod's limits are the more of those before and those beside each other. OpenShift AI gives KServe's
 * 24 GiB, whatever the model, where KServe itself gives 1; only the cluster's administrators can change it.
 * Source: opendatahub-io/kserve config/overlays/odh/patches (inferenceservice-config-patch.yaml and
 * set-resources-storagecontainer-patch.yaml, OpenShift AI 3.4; the same since 2.25)
 */
export const LOADER_LIMITS: Compute = { cpuCores: 1, memoryGib: 24 };

/** Whether a model is fetched by that container: an image is pulled and a volume mounted without it. Pure. */
export function isFetched(source: ModelSource): boolean {
  if (source.uri !== undefined) return !/^(?:oci|pvc):\/\//.test(source.uri);
  return source.connection.connection.type !== "oci";
}

/** Limits of a model's pod as a quota counts them. Pure. */
export function countedLimits(limits: Compute, source: ModelSource): Compute {
  if (!isFetched(source)) return limits;
  return {
    cpuCores: Math.max(limits.cpuCores, LOADER_LIMITS.cpuCores),
    memoryGib: Math.max(limits.memoryGib, LOADER_LIMITS.memoryGib),
  };
}

const way = "an image (oci://) and a volume (pvc://) need no loader";
const parts = [
  ["cpuCores", "cores"],
  ["memoryGib", "GiB"],
] as const;

/**
 * What keeps a model from being fetched in its project, though the model itself would fit. Pure.
 * @param copies how many there are at most, and the name of that number
 */
export function loaderProblems(
  field: string,
  source: ModelSource,
  limits: Compute,
  [countField, copies]: readonly [string, number],
  { quota, containers }: Pick<ProjectPlace, "quota" | "containers">,
): FieldProblem[] {
  if (!isFetched(source)) return [];
  return parts.flatMap(([part, unit]) => {
    const loader = LOADER_LIMITS[part];
    const most = containers?.max?.[part] ?? quota?.limits[part] ?? loader;
    const mostField = containers?.max === undefined ? "quota.limits" : "containers.max";
    if (loader > most) {
      const message = `is fetched by KServe's loader, to which OpenShift AI allows ${loader} ${unit}; the project's ${mostField}.${part} is ${most}, so that its pods would be refused; ${way}`;
      return [{ field, message }];
    }
    const allowed = quota?.limits[part];
    if (allowed === undefined || limits[part] >= loader || loader * copies <= allowed) return [];
    const message = `is fetched by KServe's loader, which counts as ${loader} ${unit} of limits in each pod, for ${countField} ${copies} in all ${loader * copies}, and exceeds the project's quota.limits.${part}, ${allowed}; ${way}`;
    return [{ field, message }];
  });
}
