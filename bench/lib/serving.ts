/** An image that stands for any: pods of the sandbox exist in the API alone. */
const IMAGE = `quay.io/modh/openvino_model_server@sha256:${"5".repeat(64)}`;

/**
 * The files of an environment `dev` with serving alone: projects with a quota, access and one runtime each, and their models, which
 * lie where no key is needed. Each project has a file of its own, since a thousand models are more than the engine can hand on. Pure.
 * @param models in all, spread evenly
 * @returns content by file, below the folder of Pulumi.yaml
 */
export function servingFiles(projects: number, models: number): Record<string, object> {
  const perProject = models / projects;
  if (!Number.isInteger(perProject)) throw new RangeError(`${models} models in ${projects} projects`);
  const teams = range(projects).map((at) => `team-${at}`);
  return {
    "Pulumi.dev.yaml": {
      config: {
        "kiln:foundry": { enabled: false },
        "kiln:serving": { enabled: true, projects: teams.map((team) => ({ file: `${team}.yaml` })) },
      },
    },
    ...Object.fromEntries(teams.map((team) => [`${team}.yaml`, project(team, perProject)])),
  };
}

function project(name: string, models: number): object {
  const size = { requests: { cpuCores: 0.1, memoryGib: 0.25 } };
  return {
    name,
    quota: {
      requests: { cpuCores: 200, memoryGib: 400 },
      limits: { cpuCores: 400, memoryGib: 800 },
      pods: 2000,
    },
    access: { admin: { groups: ["team-leads"] }, edit: { groups: ["data-scientists"] } },
    runtimes: [{ name: "openvino", image: IMAGE, formats: [{ name: "onnx" }], resources: size }],
    models: range(models).map((at) => ({
      name: `model-${at}`,
      format: { name: "onnx" },
      runtime: "openvino",
      source: { uri: `oci://quay.io/models/model-${at}@sha256:${"a".repeat(64)}` },
      replicas: { min: 1, max: 2 },
      resources: size,
      callers: { groups: ["viewers"] },
    })),
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
