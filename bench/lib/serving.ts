/** An image that stands for any: pods of the sandbox exist in the API alone. */
const IMAGE = `quay.io/modh/openvino_model_server@sha256:${"5".repeat(64)}`;

/**
 * The values of `Pulumi.<env>.yaml` for an environment with serving alone: projects with a quota, access and one runtime each, and
 * their models, which lie where no key is needed. Pure.
 * @param models in all, spread evenly
 */
export function servingValues(projects: number, models: number): Record<string, unknown> {
  const perProject = models / projects;
  if (!Number.isInteger(perProject)) throw new RangeError(`${models} models in ${projects} projects`);
  return {
    "kiln:foundry": { enabled: false },
    "kiln:serving": {
      enabled: true,
      projects: range(projects).map((at) => project(`team-${at}`, perProject)),
    },
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
