import { describe, expect, it } from "vitest";
import {
  ServingRuntime,
  type ServingRuntimeArgs,
  servingRuntimeProblems,
  servingRuntimeSpec,
} from "../../../components/openshift/serving-runtime.ts";
import { only, recorded } from "../recording.ts";
import { fieldsOf, IMAGE, RESOURCES, RUNTIME } from "./support.ts";

const vllm: ServingRuntimeArgs = {
  ...RUNTIME,
  runtimeName: "vllm",
  displayName: "vLLM",
  command: ["python", "-m", "vllm.entrypoints.openai.api_server"],
  args: ["--model=/mnt/models", "--served-model-name={{.Name}}"],
  env: { HF_HOME: "/tmp/hf" },
  formats: [{ name: "vLLM" }],
  resources: { requests: { cpuCores: 2, memoryGib: 8 }, limits: { cpuCores: 4, memoryGib: 16 }, gpus: 1 },
  sharedMemoryGib: 2,
};

describe("ServingRuntime", () => {
  it("registers a runtime of one model per server, by digest and without privileges", async () => {
    const recording = await recorded(() => new ServingRuntime("onnx", RUNTIME));
    expect(recording.resources).toHaveLength(2);
    const { inputs } = only(recording, "kubernetes:serving.kserve.io/v1alpha1:ServingRuntime");
    expect(inputs).toMatchObject({
      metadata: {
        name: "onnx",
        labels: { "opendatahub.io/dashboard": "true", service: "openai" },
        annotations: { "openshift.io/display-name": "onnx", "opendatahub.io/apiProtocol": "REST" },
      },
      spec: {
        multiModel: false,
        supportedModelFormats: [{ name: "onnx", version: "1", autoSelect: false }],
        containers: [
          {
            name: "kserve-container",
            image: IMAGE,
            ports: [{ containerPort: 8080 }],
            resources: { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "4Gi" } },
            securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true },
          },
        ],
      },
    });
    expect(JSON.stringify(inputs)).not.toMatch(/\/dev\/shm|nvidia/);
  });

  it("gives vLLM its GPU and shared memory", () => {
    expect(servingRuntimeSpec(vllm)).toMatchObject({
      containers: [
        {
          command: vllm.command,
          args: vllm.args,
          env: [{ name: "HF_HOME", value: "/tmp/hf" }],
          resources: { requests: { "nvidia.com/gpu": "1" }, limits: { "nvidia.com/gpu": "1" } },
          volumeMounts: [{ name: "shm", mountPath: "/dev/shm" }],
        },
      ],
      volumes: [{ name: "shm", emptyDir: { medium: "Memory", sizeLimit: "2Gi" } }],
    });
  });

  it("lets a caller add probes and not loosen security", () => {
    const container = () => ({
      env: [],
      readinessProbe: { httpGet: { path: "/health", port: 8080 } },
      // A caller that gets around the types.
      securityContext: { privileged: true },
    });
    const spec = servingRuntimeSpec({ ...RUNTIME, transform: { container } });
    expect(spec.containers[0]).toMatchObject({
      readinessProbe: { httpGet: { path: "/health" } },
      securityContext: { privileged: false },
    });
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong: ServingRuntimeArgs = {
      ...vllm,
      runtimeName: "vLLM",
      image: "quay.io/vllm:latest",
      formats: [],
      env: { "not a name": "x" },
      port: 80,
      resources: { ...RESOURCES, limits: { cpuCores: 17, memoryGib: 4 }, gpus: 17 },
      project: { ...RUNTIME.project, containers: { max: { cpuCores: 16, memoryGib: 64 } } },
      sharedMemoryGib: 5,
    };
    const problems = servingRuntimeProblems(wrong);
    expect(fieldsOf(problems)).toEqual([
      "runtimeName",
      "image",
      "formats",
      "env.not a name",
      "port",
      "resources.gpus",
      "resources.limits.cpuCores",
      "sharedMemoryGib",
    ]);
    expect(problems.at(-2)?.message).toBe(
      "is 17 and must not exceed the project's containers.max.cpuCores, which is 16",
    );
    const recording = await recorded(() =>
      expect(() => new ServingRuntime("vllm", wrong)).toThrow(/by digest/),
    );
    expect(recording.resources).toEqual([]);
  });

  it("counts GPUs as the project does", () => {
    const resources = { ...RESOURCES, gpus: 1, gpuResource: "amd.com/gpu" };
    expect(servingRuntimeProblems({ ...RUNTIME, resources })).toEqual([
      {
        field: "resources.gpuResource",
        message: "is amd.com/gpu; the project's quota.gpuResource is nvidia.com/gpu",
      },
    ]);
  });
});
