/** Pieces of `kiln:serving` that tests put together. */
export const DIGEST = "0123456789abcdef".repeat(4);
export const SIZE = { requests: { cpuCores: 0.5, memoryGib: 1 }, limits: { cpuCores: 1, memoryGib: 2 } };

/** A project with one runtime and one model that needs no key. */
export function project(name: string, models: readonly string[] = ["scorer"]) {
  return {
    name,
    runtimes: [
      {
        name: "ovms",
        image: `quay.io/modh/openvino_model_server@sha256:${DIGEST}`,
        formats: [{ name: "onnx", version: "1" }],
        resources: SIZE,
      },
    ],
    models: models.map((model) => ({
      name: model,
      format: { name: "onnx" },
      runtime: "ovms",
      source: { uri: `oci://quay.io/example/${model}@sha256:${DIGEST}` },
      resources: SIZE,
    })),
  };
}
