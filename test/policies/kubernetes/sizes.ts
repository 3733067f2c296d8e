import { type Cases, wrong } from "../case.ts";
import {
  claim,
  container,
  IMAGE,
  inference,
  notebook,
  object,
  over,
  pod,
  podSpec,
  RESOURCES,
  runtime,
  SECURITY,
  TEMPLATE,
  template,
  worker,
} from "./objects.ts";

/** Cases of what a pod gets. */
export const sizeCases: Readonly<Record<string, Cases>> = {
  "resources-set": {
    pass: {
      "pod-measured": pod(),
      "pod-gpu": pod(
        {},
        {
          resources: over(RESOURCES, {
            requests: { "nvidia.com/gpu": 1 },
            limits: { "nvidia.com/gpu": "1" },
          }),
        },
      ),
      "pod-gpu-limit": pod({}, { resources: over(RESOURCES, { limits: { "nvidia.com/gpu": 1 } }) }),
      "pod-ephemeral-unmeasured": pod({
        ephemeralContainers: [{ name: "look", image: IMAGE, securityContext: SECURITY }],
      }),
      "model-of-runtime": inference({ model: { resources: undefined } }),
      "deployment-patch-unmeasured": object("apps/v1:DeploymentPatch", "apps/v1", {
        spec: { template: { spec: { containers: [{ name: "app", resources: { limits: { cpu: 2 } } }] } } },
      }),
    },
    fail: {
      "pod-unmeasured": wrong(
        pod({}, { resources: undefined }),
        "spec.containers[name=app].resources.requests.cpu",
      ),
      "pod-unlimited": wrong(
        pod({}, { resources: { limits: { memory: undefined } } }),
        "spec.containers[name=app].resources.limits.memory",
      ),
      "pod-nothing": wrong(
        pod({}, { resources: { requests: { cpu: "0" } } }),
        "spec.containers[name=app].resources.requests.cpu",
      ),
      "pod-nonsense": wrong(
        pod({}, { resources: { limits: { memory: "lots" } } }),
        "spec.containers[name=app].resources.limits.memory",
      ),
      "pod-resources-in-list": wrong(
        pod({}, { resources: ["1", "2"] }),
        "spec.containers[name=app].resources.limits.cpu",
      ),
      "pod-request-above": wrong(
        pod({}, { resources: { requests: { memory: "2Gi" } } }),
        "spec.containers[name=app].resources.requests.memory",
      ),
      "pod-gpu-unequal": wrong(
        pod(
          {},
          {
            resources: over(RESOURCES, {
              requests: { "nvidia.com/gpu": 1 },
              limits: { "nvidia.com/gpu": 2 },
            }),
          },
        ),
        'spec.containers[name=app].resources.limits["nvidia.com/gpu"]',
      ),
      "pod-gpu-unlimited": wrong(
        pod({}, { resources: over(RESOURCES, { requests: { "nvidia.com/gpu": 1 } }) }),
        'spec.containers[name=app].resources.limits["nvidia.com/gpu"]',
      ),
      "pod-init-unmeasured": wrong(
        pod({ initContainers: [container({ name: "first", resources: undefined })] }),
        "spec.initContainers[name=first].resources.limits.cpu",
      ),
      "model-half-measured": wrong(
        inference({ model: { resources: { requests: undefined } } }),
        "spec.predictor.model.resources.requests.cpu",
      ),
      "runtime-unmeasured": wrong(
        runtime({ resources: undefined }),
        "spec.containers[name=kserve-container].resources.limits.cpu",
      ),
      "notebook-unmeasured": wrong(
        notebook({ resources: { limits: undefined } }),
        `${TEMPLATE}.containers[name=n].resources.limits.cpu`,
      ),
      "worker-unmeasured": wrong(
        worker({ resources: undefined }),
        "spec.workerGroupSpecs[0].template.spec.containers[0].resources.limits.cpu",
      ),
    },
  },
  "replicas-not-zero": {
    pass: {
      "model-one": inference(),
      "model-default": inference({ minReplicas: undefined }),
      "model-stopped": inference({}, { annotations: { "serving.kserve.io/stop": "true" } }),
      "model-by-knative": inference(
        { minReplicas: 0 },
        { annotations: { "serving.kserve.io/deploymentMode": "Knative" } },
      ),
      "model-by-keda": inference(
        { minReplicas: 0 },
        { annotations: { "serving.kserve.io/autoscalerClass": "keda" } },
      ),
    },
    fail: {
      "model-zero": wrong(inference({ minReplicas: 0 }), "spec.predictor.minReplicas"),
      "model-zero-unsaid-mode": wrong(
        inference({ minReplicas: 0 }, { annotations: {} }),
        "spec.predictor.minReplicas",
      ),
      "model-zero-raw": wrong(
        inference(
          { minReplicas: 0 },
          { annotations: { "serving.kserve.io/deploymentMode": "RawDeployment" } },
        ),
        "spec.predictor.minReplicas",
      ),
      "model-zero-in-text": wrong(inference({ minReplicas: "0" }), "spec.predictor.minReplicas"),
      "model-upside-down": wrong(inference({ minReplicas: 3 }), "spec.predictor.minReplicas"),
      "transformer-zero": wrong(
        {
          ...inference(),
          props: over(inference().props, {
            spec: { transformer: { minReplicas: 0, containers: [container()] } },
          }),
        },
        "spec.transformer.minReplicas",
      ),
    },
  },
  "volume-claim-access": {
    pass: { "claim-of-one": claim() },
    fail: {
      "claim-shared": wrong(claim({ accessModes: ["ReadWriteMany"] }), "spec.accessModes"),
      "claim-unsaid": wrong(claim({ accessModes: undefined }), "spec.accessModes"),
      "claim-no-size": wrong(claim({ resources: undefined }), "spec.resources.requests.storage"),
      "claim-of-set-shared": wrong(
        object("apps/v1:StatefulSet", "apps/v1", {
          spec: {
            template: template(podSpec()),
            volumeClaimTemplates: [
              {
                metadata: { name: "data" },
                spec: { ...(claim().props.spec as object), accessModes: ["ReadWriteMany"] },
              },
            ],
          },
        }),
        "spec.volumeClaimTemplates[0].spec.accessModes",
      ),
    },
  },
};
