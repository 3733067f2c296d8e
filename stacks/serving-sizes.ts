/** Whether what runs in a project fits into it. */
import type { Compute } from "../components/shared/quantities.ts";
import type { FieldProblem } from "../components/shared/validation.ts";
import type { ProjectConfig, SizeConfig } from "./serving-config.ts";

/** Limits as they count: what is requested where nothing is said. Pure. */
export function limitsOf({ requests, limits }: SizeConfig): Compute {
  return limits ?? requests;
}

const parts = ["cpuCores", "memoryGib"] as const;

/** What is wrong with a container's size, by itself and in its project. Pure. */
export function sizeProblems(
  field: string,
  size: SizeConfig,
  { quota, containers }: ProjectConfig,
  pods: number,
): FieldProblem[] {
  const limits = limitsOf(size);
  const [most, named] =
    containers?.max === undefined ? [quota.limits, "quota.limits"] : [containers.max, "containers.max"];
  return [
    ...parts.flatMap((part) =>
      size.requests[part] > limits[part]
        ? [
            {
              field: `${field}.requests.${part}`,
              message: `is ${size.requests[part]}, more than ${field}.limits.${part}, which is ${limits[part]}`,
            },
          ]
        : [],
    ),
    ...parts.flatMap((part) =>
      limits[part] > most[part]
        ? [
            {
              field: `${field}.limits.${part}`,
              message: `is ${limits[part]}; allowed: at most ${named}.${part} of the project, which is ${most[part]}`,
            },
          ]
        : [],
    ),
    ...(size.gpus > 0 && size.gpus * pods > (quota.gpus ?? 0)
      ? [
          {
            field: `${field}.gpus`,
            message: `is ${size.gpus} for each of ${pods} pods; allowed: ${quota.gpus ?? 0} in all, the project's quota.gpus`,
          },
        ]
      : []),
  ];
}

/** What runs at the least has to fit into the quota, or a pod is refused for good. */
export function totalProblems({ models, notebooks, quota }: ProjectConfig): FieldProblem[] {
  const running = [
    ...models
      .filter(({ stopped }) => !stopped)
      .map(({ resources, replicas }) => ({ size: resources, pods: replicas.min })),
    ...notebooks
      .filter(({ stoppedSince }) => stoppedSince === undefined)
      .map(({ size }) => ({ size, pods: 1 })),
  ];
  const pods = running.reduce((sum, each) => sum + each.pods, 0);
  return [
    ...(["requests", "limits"] as const).flatMap((kind) =>
      parts.flatMap((part) => {
        const total = running.reduce(
          (sum, { size, pods: count }) =>
            sum + count * (kind === "limits" ? limitsOf(size) : size.requests)[part],
          0,
        );
        const unit = part === "cpuCores" ? "cores" : "GiB";
        return total > quota[kind][part] + 1e-9
          ? [
              {
                field: `quota.${kind}.${part}`,
                message: `is ${quota[kind][part]}; the project's models and notebooks together take ${Math.round(total * 1000) / 1000} ${unit} at the least`,
              },
            ]
          : [];
      }),
    ),
    ...(pods > quota.pods
      ? [
          {
            field: "quota.pods",
            message: `is ${quota.pods}; the project's models and notebooks are ${pods} pods at the least`,
          },
        ]
      : []),
  ];
}
