/** Whether what runs in a project fits into it. */
import { countedLimits } from "../components/openshift/model-loader.ts";
import type { ModelSource } from "../components/openshift/model-source.ts";
import type { Compute } from "../components/shared/quantities.ts";
import type { FieldProblem } from "../components/shared/validation.ts";
import type { ConnectionConfig, ProjectConfig, SizeConfig, SourceConfig } from "./serving-config.ts";

/** Limits as they count: what is requested where nothing is said. Pure. */
export function limitsOf({ requests, limits }: SizeConfig): Compute {
  return limits ?? requests;
}

/** Where a model lies, by its connection; undefined where there is no such connection. Pure. */
export function sourceIn(
  connections: readonly ConnectionConfig[],
  source: SourceConfig,
): ModelSource | undefined {
  if ("uri" in source) return source;
  const connection = connections.find(({ name }) => name === source.connection);
  if (connection === undefined) return undefined;
  return { connection: { connectionName: connection.name, connection }, path: source.path };
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
export function totalProblems({ connections, models, notebooks, quota }: ProjectConfig): FieldProblem[] {
  const counted = (size: SizeConfig, at: SourceConfig): SizeConfig => {
    const source = sourceIn(connections, at);
    return source === undefined ? size : { ...size, limits: countedLimits(limitsOf(size), source) };
  };
  const running = [
    ...models
      .filter(({ stopped }) => !stopped)
      .flatMap(({ resources, replicas, source, canary }) => [
        { size: counted(resources, source), pods: replicas.min },
        ...(canary === undefined ? [] : [{ size: counted(resources, canary.source), pods: canary.replicas }]),
      ]),
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
