import { type Cases, wrong } from "../case.ts";
import {
  APP,
  CRON_APP,
  container,
  cronJob,
  DIGEST,
  deployment,
  inference,
  notebook,
  object,
  over,
  pod,
  podSpec,
  runtime,
  TEMPLATE,
  tagged,
  templated,
  worker,
} from "./objects.ts";

/** Cases of images, in every kind that has containers. */
export const imageCases: Readonly<Record<string, Cases>> = {
  "image-by-digest": {
    pass: {
      "deployment-digest": deployment(),
      "deployment-tag-and-digest": deployment({}, { image: `quay.io/kiln/agent:1.0@sha256:${DIGEST}` }),
      "deployment-patch": object("apps/v1:DeploymentPatch", "apps/v1", {
        spec: { template: { spec: { containers: [{ name: "app" }] } } },
      }),
      "model-digest": inference({ model: { storageUri: `oci://quay.io/models/a@sha256:${DIGEST}` } }),
      "runtime-digest": runtime(),
      "notebook-digest": notebook(),
      // A definition is no workload, whatever its schema's fields are called.
      "definition-of-containers": object(
        "apiextensions.k8s.io/v1:CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        {
          spec: {
            versions: [
              {
                schema: {
                  openAPIV3Schema: {
                    properties: { containers: { type: "array" }, required: ["containers"] },
                  },
                },
              },
            ],
          },
        },
      ),
    },
    fail: {
      "pod-tag": wrong(pod({}, { image: tagged }), "spec.containers[name=app].image"),
      "pod-latest": wrong(
        pod({}, { image: `quay.io/kiln/agent:latest@sha256:${DIGEST}` }),
        "spec.containers[name=app].image",
      ),
      "pod-short-digest": wrong(
        pod({}, { image: "quay.io/kiln/agent@sha256:0123" }),
        "spec.containers[name=app].image",
      ),
      "pod-no-image": wrong(pod({}, { image: undefined }), "spec.containers[name=app].image"),
      "pod-init-tag": wrong(
        pod({ initContainers: [container({ name: "first", image: tagged })] }),
        "spec.initContainers[name=first].image",
      ),
      "pod-ephemeral-tag": wrong(
        pod({ ephemeralContainers: [container({ name: "look", image: tagged })] }),
        "spec.ephemeralContainers[name=look].image",
      ),
      "pod-containers-in-map": wrong(
        pod({ containers: { app: container({ image: tagged }) } }),
        "spec.containers.app.image",
      ),
      "deployment-tag": wrong(deployment({}, { image: tagged }), `${APP}.image`),
      "deployment-old-tag": wrong(
        templated("extensions/v1beta1:Deployment", "extensions/v1beta1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "deployment-config-tag": wrong(
        templated("apps.openshift.io/v1:DeploymentConfig", "apps.openshift.io/v1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "stateful-set-tag": wrong(
        templated("apps/v1:StatefulSet", "apps/v1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "daemon-set-tag": wrong(
        templated("apps/v1:DaemonSet", "apps/v1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "replica-set-tag": wrong(
        templated("apps/v1:ReplicaSet", "apps/v1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "replication-controller-tag": wrong(
        templated("core/v1:ReplicationController", "v1", {}, { image: tagged }),
        `${APP}.image`,
      ),
      "job-tag": wrong(templated("batch/v1:Job", "batch/v1", {}, { image: tagged }), `${APP}.image`),
      "cron-job-tag": wrong(cronJob({}, { image: tagged }), `${CRON_APP}.image`),
      "pod-template-tag": wrong(
        object("core/v1:PodTemplate", "v1", { template: { spec: podSpec({}, { image: tagged }) } }),
        "template.spec.containers[name=app].image",
      ),
      "deployment-patch-tag": wrong(
        object("apps/v1:DeploymentPatch", "apps/v1", {
          spec: { template: { spec: { containers: [{ name: "app", image: tagged }] } } },
        }),
        `${APP}.image`,
      ),
      "custom-resource-pod-tag": wrong(
        {
          type: "kubernetes:v1:Pod",
          props: { apiVersion: "v1", kind: "Pod", spec: podSpec({}, { image: tagged }) },
        },
        "spec.containers[name=app].image",
      ),
      "pod-list-tag": wrong(
        object("core/v1:PodList", "v1", {
          items: [{ metadata: { name: "a" }, spec: podSpec({}, { image: tagged }) }],
        }),
        "items[0].spec.containers[name=app].image",
      ),
      "template-tag": wrong(
        object("template.openshift.io/v1:Template", "template.openshift.io/v1", {
          objects: [{ apiVersion: "v1", kind: "Pod", spec: podSpec({}, { image: tagged }) }],
        }),
        "objects[0].spec.containers[name=app].image",
      ),
      // The text says another kind than the token: both are judged.
      "pod-in-disguise": wrong(
        {
          type: "kubernetes:core/v1:ConfigMap",
          props: { apiVersion: "v1", kind: "Pod", spec: podSpec({}, { image: tagged }) },
        },
        "spec.containers[name=app].image",
      ),
      "worker-tag": wrong(
        worker({ image: tagged }),
        "spec.workerGroupSpecs[0].template.spec.containers[0].image",
      ),
      "model-image-tag": wrong(inference({ model: { image: tagged } }), "spec.predictor.model.image"),
      "model-oci-tag": wrong(
        inference({ model: { storageUri: "oci://quay.io/models/a:1" } }),
        "spec.predictor.model.storageUri",
      ),
      "model-container-tag": wrong(
        inference({ containers: [{ name: "kserve-container", image: tagged }] }),
        "spec.predictor.containers[name=kserve-container].image",
      ),
      "transformer-tag": wrong(
        {
          ...inference(),
          props: over(inference().props, {
            spec: { transformer: { containers: [container({ name: "t", image: tagged })] } },
          }),
        },
        "spec.transformer.containers[name=t].image",
      ),
      "explainer-tag": wrong(
        {
          ...inference(),
          props: over(inference().props, {
            spec: { explainer: { containers: [container({ name: "e", image: tagged })] } },
          }),
        },
        "spec.explainer.containers[name=e].image",
      ),
      "runtime-tag": wrong(runtime({ image: tagged }), "spec.containers[name=kserve-container].image"),
      "cluster-runtime-tag": wrong(
        runtime({ image: tagged }, {}, "ClusterServingRuntime"),
        "spec.containers[name=kserve-container].image",
      ),
      "runtime-alpha-tag": wrong(
        { ...runtime({ image: tagged }), type: "kubernetes:serving.kserve.io/v1alpha2:ServingRuntime" },
        "spec.containers[name=kserve-container].image",
      ),
      "notebook-tag": wrong(notebook({ image: tagged }), `${TEMPLATE}.containers[name=n].image`),
      "volume-image-tag": wrong(
        pod({ volumes: [{ name: "v", image: { reference: tagged } }] }),
        "spec.volumes[name=v].image.reference",
      ),
    },
  },
};
