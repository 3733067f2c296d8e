/** What no single value of `kiln:serving` shows to be wrong, but several together do. */
import { connectionProblems } from "../components/openshift/connection.ts";
import { loaderProblems } from "../components/openshift/model-loader.ts";
import { modelSourceProblems } from "../components/openshift/model-source.ts";
import { networkProblems } from "../components/openshift/network.ts";
import { quotaProblems } from "../components/openshift/quota.ts";
import { subjectProblems } from "../components/openshift/subjects.ts";
import { DNS_LABEL_MAX, projectNamespace } from "../components/shared/kubernetes.ts";
import type { FieldProblem } from "../components/shared/validation.ts";
import type {
  AgentConfig,
  ProjectConfig,
  ServedModelConfig,
  ServingConfig,
  SourceConfig,
} from "./serving-config.ts";
import { limitsOf, sizeProblems, sourceIn, totalProblems } from "./serving-sizes.ts";
import { wayOutProblems } from "./serving-way-out.ts";

/** One problem, by the path of its key below `kiln:serving`. */
export interface ServingProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Path = ServingProblem["path"];

/** What the rest of the configuration says that serving depends on. */
export interface Around {
  readonly workload: string;
  readonly environment: string;
  /** Whether the environment has the foundry, whose vault and model serving then uses. */
  readonly foundry: boolean;
}

/** Everything that does not fit together, of a configuration whose values are each legal. Pure. */
export function servingProblems(serving: ServingConfig, around: Around): ServingProblem[] {
  const { projects, agent, vault } = serving;
  const names = projects.map(({ name }) => name);
  return [
    ...repeated(["projects"], names),
    ...(agent !== undefined && names.includes(agent.name)
      ? [
          {
            path: ["agent", "name"],
            message: `is "${agent.name}", which a project of kiln:serving.projects has`,
          },
        ]
      : []),
    ...projects.flatMap((project, at) => projectProblems(project, ["projects", at], serving, around)),
    ...(agent === undefined ? [] : agentProblems(agent, serving, around)),
    ...(around.foundry && vault !== undefined
      ? [
          {
            path: ["vault"],
            message: "does not go with the foundry, whose vault is used; leave one of them out",
          },
        ]
      : []),
  ];
}

function projectProblems(
  project: ProjectConfig,
  path: Path,
  serving: ServingConfig,
  around: Around,
): ServingProblem[] {
  const { connections, runtimes, models, notebooks, scheduledPipelines, pipelineServer } = project;
  const connectionNames = connections.map(({ name }) => name);
  const knows = (field: string, name: string, among: readonly string[], what: string): FieldProblem[] =>
    among.includes(name)
      ? []
      : [
          {
            field,
            message: `is "${name}"; allowed: one of the project's ${what}, ${among.join(", ") || "of which there are none"}`,
          },
        ];
  const sourceProblems = (field: string, source: SourceConfig): FieldProblem[] => {
    if ("uri" in source) return modelSourceProblems(field, source);
    const found = sourceIn(connections, source);
    if (found === undefined)
      return knows(`${field}.connection`, source.connection, connectionNames, "connections");
    return modelSourceProblems(field, found);
  };
  const loading = (field: string, { source, resources, replicas, stopped }: ServedModelConfig) => {
    const found = sourceIn(connections, source);
    if (found === undefined) return [];
    const copies = ["replicas.max", stopped ? 0 : replicas.max] as const;
    return loaderProblems(field, found, limitsOf(resources), copies, {
      quota: project.quota,
      ...(project.containers === undefined ? {} : { containers: project.containers }),
    });
  };
  const fields: FieldProblem[] = [
    ...quotaProblems(project.quota, project.containers ?? {}),
    ...networkProblems(project.network),
    ...(["admin", "edit", "view"] as const).flatMap((role) =>
      subjectProblems(`access.${role}`, project.access[role]),
    ),
    ...connections.flatMap((each, at) => connectionProblems(`connections[${at}]`, each)),
    ...models.flatMap((model, at): FieldProblem[] => {
      const field = `models[${at}]`;
      const runtime = runtimes.find(({ name }) => name === model.runtime);
      const formats = runtime?.formats.map(({ name }) => name) ?? [];
      return [
        ...knows(
          `${field}.runtime`,
          model.runtime,
          runtimes.map(({ name }) => name),
          "runtimes",
        ),
        ...(runtime !== undefined && !formats.includes(model.format.name)
          ? [
              {
                field: `${field}.format.name`,
                message: `is "${model.format.name}"; allowed: what the runtime ${runtime.name} serves, ${formats.join(", ")}`,
              },
            ]
          : []),
        ...sourceProblems(`${field}.source`, model.source),
        ...(model.canary === undefined ? [] : sourceProblems(`${field}.canary.source`, model.canary.source)),
        ...canaryProblems(field, model),
        ...(model.exposed ? hostProblem(`${field}.name`, model.name, project, around) : []),
        ...orderProblem(`${field}.replicas`, model.replicas),
        ...sizeProblems(
          `${field}.resources`,
          model.resources,
          project,
          model.stopped ? 0 : model.replicas.max,
        ),
        ...loading(`${field}.source`, model),
      ];
    }),
    ...notebooks.flatMap((notebook, at) => [
      ...notebook.connections.flatMap((name, index) =>
        knows(`notebooks[${at}].connections[${index}]`, name, connectionNames, "connections"),
      ),
      ...sizeProblems(`notebooks[${at}].size`, notebook.size, project, 1),
    ]),
    ...(pipelineServer === undefined
      ? []
      : knows("pipelineServer.connection", pipelineServer.connection, connectionNames, "connections")),
    ...(scheduledPipelines.length > 0 && pipelineServer === undefined
      ? [{ field: "scheduledPipelines", message: "need a pipelineServer in the project" }]
      : []),
    ...totalProblems(project),
    ...wayOutProblems(project),
  ];
  return [
    ...repeated([...path, "connections"], connectionNames),
    ...repeated(
      [...path, "runtimes"],
      runtimes.map(({ name }) => name),
    ),
    ...repeated(
      [...path, "models"],
      models.map(({ name }) => name),
    ),
    ...repeated(
      [...path, "notebooks"],
      notebooks.map(({ name }) => name),
    ),
    ...repeated(
      [...path, "scheduledPipelines"],
      scheduledPipelines.map(({ name }) => name),
    ),
    ...fields.map(({ field, message }) => ({ path: [...path, ...pathOf(field)], message })),
    ...(needsVault(project) && !around.foundry && serving.vault === undefined
      ? [
          {
            path: ["vault"],
            message: `is missing; ${project.name} has connections, whose keys lie in a vault, and there is no foundry to bring one`,
          },
        ]
      : []),
  ];
}

/** Whether anything in a project is read from a vault. Pure. */
export function needsVault({ connections, pipelineServer }: ProjectConfig): boolean {
  return connections.length > 0 || pipelineServer !== undefined;
}

function agentProblems(agent: AgentConfig, serving: ServingConfig, around: Around): ServingProblem[] {
  const missing = (path: Path, what: string) => ({
    path,
    message: `is missing; there is no foundry to bring ${what}`,
  });
  const surplus = {
    path: ["agent", "model"],
    message: "does not go with the foundry, whose model is used; leave one of them out",
  };
  return [
    ...[...quotaProblems(agent.quota), ...orderProblem("replicas", agent.replicas)].map(
      ({ field, message }) => ({
        path: ["agent", ...pathOf(field)],
        message,
      }),
    ),
    ...(around.foundry && agent.model !== undefined ? [surplus] : []),
    ...(!around.foundry && agent.model === undefined
      ? [missing(["agent", "model"], "the agent's model")]
      : []),
    ...(!around.foundry && serving.vault === undefined ? [missing(["vault"], "the agent's secrets")] : []),
  ];
}

/** In Standard mode only the router divides traffic, and nothing divides it for a model that stands still. */
function canaryProblems(field: string, { canary, exposed, stopped }: ServedModelConfig): FieldProblem[] {
  if (canary === undefined) return [];
  return [
    ...(exposed
      ? []
      : [{ field: `${field}.canary`, message: "needs exposed: true; only the router divides traffic" }]),
    ...(stopped ? [{ field: `${field}.canary`, message: "does not go with stopped: true" }] : []),
  ];
}

/** A model's host name is `<model>-<namespace>.<domain>`, and its first part a DNS label. */
function hostProblem(field: string, model: string, project: ProjectConfig, around: Around): FieldProblem[] {
  const host = `${model}-${projectNamespace(around.workload, around.environment, project.name)}`;
  if (host.length <= DNS_LABEL_MAX) return [];
  const message = `is "${model}"; its host name would begin with ${host}, of ${host.length} characters, and ${DNS_LABEL_MAX} are allowed`;
  return [{ field, message }];
}

function orderProblem(field: string, { min, max }: { min: number; max: number }): FieldProblem[] {
  return min <= max
    ? []
    : [{ field: `${field}.min`, message: `is ${min}, more than ${field}.max, which is ${max}` }];
}

function repeated(path: Path, names: readonly string[]): ServingProblem[] {
  return names.flatMap((name, at) =>
    names.indexOf(name) < at
      ? [{ path: [...path, at, "name"], message: `is "${name}", which an earlier one has` }]
      : [],
  );
}

/** `models[0].runtime` as a path. */
function pathOf(field: string): (string | number)[] {
  return field
    .split(/[.[\] ]+/)
    .filter((part) => part !== "")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
