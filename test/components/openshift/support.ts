import type { ContainerResources } from "../../../components/openshift/container.ts";
import type { DataScienceProjectArgs } from "../../../components/openshift/data-science-project.ts";
import type { InferenceServiceArgs } from "../../../components/openshift/inference-args.ts";
import type { ServingRuntimeArgs } from "../../../components/openshift/serving-runtime.ts";
import { TAGS } from "../recording.ts";

/** An image by digest, as every component wants it. */
export const IMAGE = `registry.example.com/serving/runtime@sha256:${"a1".repeat(32)}`;

export const RESOURCES: ContainerResources = {
  requests: { cpuCores: 1, memoryGib: 2 },
  limits: { cpuCores: 2, memoryGib: 4 },
};

export const PROJECT: DataScienceProjectArgs = {
  namespace: "kiln-dev-fraud",
  displayName: "Fraud",
  tags: TAGS,
  quota: {
    requests: { cpuCores: 8, memoryGib: 32 },
    limits: { cpuCores: 16, memoryGib: 64 },
    gpus: 1,
    pods: 20,
    volumes: 4,
    storageGib: 100,
  },
};

/** A project as models see it. */
export const PLACE = { namespace: PROJECT.namespace, quota: PROJECT.quota };

export const RUNTIME: ServingRuntimeArgs = {
  project: PLACE,
  runtimeName: "onnx",
  tags: TAGS,
  image: IMAGE,
  formats: [{ name: "onnx", version: "1" }],
  resources: RESOURCES,
};

export const MODEL: InferenceServiceArgs = {
  project: PLACE,
  modelName: "scoring",
  tags: TAGS,
  runtime: { runtimeName: "onnx", formats: RUNTIME.formats },
  format: { name: "onnx", version: "1" },
  source: { uri: "oci://registry.example.com/models/scoring" },
  resources: RESOURCES,
};

/** The fields that problems name, in order. */
export function fieldsOf(problems: readonly { readonly field: string }[]): string[] {
  return problems.map((problem) => problem.field);
}
