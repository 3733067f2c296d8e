import { describe, expect, it } from "vitest";
import { judge } from "../../policies/judge.ts";
import { objectsOf } from "../../policies/kubernetes/objects.ts";
import { containersOf, podsOf } from "../../policies/kubernetes/pods.ts";
import { type Exemption, UNKNOWN } from "../../policies/model.ts";
import { context, resource, ruleNamed } from "./support.ts";

const objects = (type: string, props: object = {}) =>
  objectsOf(resource(type, props)).map(({ kind, group, patch, path }) => [kind, group, patch, path]);

describe("objects in a resource", () => {
  it("are told by the token, whatever version it names", () => {
    expect(objects("kubernetes:core/v1:Pod")).toEqual([["Pod", "", false, ""]]);
    expect(objects("kubernetes:v1:Pod")).toEqual([["Pod", "", false, ""]]);
    expect(objects("kubernetes:apps/v1beta2:Deployment")).toEqual([["Deployment", "apps", false, ""]]);
    expect(objects("kubernetes:serving.kserve.io/v1beta1:InferenceService")).toEqual([
      ["InferenceService", "serving.kserve.io", false, ""],
    ]);
  });

  it("are told by their text too, where that says something else", () => {
    expect(objects("kubernetes:core/v1:ConfigMap", { apiVersion: "v1", kind: "Pod" })).toEqual([
      ["ConfigMap", "", false, ""],
      ["Pod", "", false, ""],
    ]);
    expect(objects("kubernetes:core/v1:Pod", { apiVersion: 1, kind: ["Pod"] })).toHaveLength(1);
  });

  it("are patches by the token alone", () => {
    expect(
      objects("kubernetes:apps/v1:DeploymentPatch", { apiVersion: "apps/v1", kind: "Deployment" }),
    ).toEqual([["Deployment", "apps", true, ""]]);
    // A kind of someone's own that is called so is no patch.
    expect(objects("kubernetes:x.io/v1:RolePatch", { apiVersion: "x.io/v1", kind: "RolePatch" })).toEqual([
      ["RolePatch", "x.io", false, ""],
    ]);
  });

  it("are found in lists, in lists of lists and in templates", () => {
    const pod = { apiVersion: "v1", kind: "Pod" };
    const list = { apiVersion: "v1", kind: "List", items: [pod] };
    expect(objects("kubernetes:core/v1:List", { items: [list, pod, "text", null] })).toEqual([
      ["List", "", false, ""],
      ["List", "", false, "items[0]"],
      ["Pod", "", false, "items[1]"],
      ["Pod", "", false, "items[0].items[0]"],
    ]);
    expect(objects("kubernetes:template.openshift.io/v1:Template", { objects: [pod] })).toHaveLength(2);
    expect(objects("kubernetes:core/v1:PodList", { items: UNKNOWN })).toHaveLength(1);
  });

  it("are not charts, folders, manifests, nor anything of another package", () => {
    for (const type of [
      "kubernetes:helm.sh/v4:Chart",
      "kubernetes:yaml:ConfigGroup",
      "kubernetes:yaml/v2:ConfigGroup",
      "kubernetes:kustomize/v2:Directory",
      "pulumi:providers:kubernetes",
      "azure-native:web:WebApp",
    ])
      expect(objects(type)).toEqual([]);
  });
});

describe("pods in a resource", () => {
  const paths = (type: string, props: object) =>
    podsOf(resource(type, props)).flatMap((pod) => [
      pod.path,
      ...containersOf(pod).map(({ role, path }) => `${role} ${path}`),
    ]);

  it("are found wherever a custom resource has them, not in its metadata or status", () => {
    const spec = { containers: [{ name: "c" }] };
    expect(
      paths("kubernetes:kubeflow.org/v1:PyTorchJob", {
        metadata: { annotations: spec },
        status: spec,
        spec: {
          pytorchReplicaSpecs: {
            Master: { template: { spec } },
            "odd.name": { template: { spec: { initContainers: UNKNOWN } } },
          },
        },
      }),
    ).toEqual([
      "spec.pytorchReplicaSpecs.Master.template.spec",
      "main spec.pytorchReplicaSpecs.Master.template.spec.containers[name=c]",
      'spec.pytorchReplicaSpecs["odd.name"].template.spec',
    ]);
    expect(paths("kubernetes:serving.knative.dev/v1:Service", { spec: { template: { spec } } })).toHaveLength(
      2,
    );
  });

  it("are all parts of an InferenceService, with workers and the short forms of containers", () => {
    const type = "kubernetes:serving.kserve.io/v1beta1:InferenceService";
    const spec = {
      predictor: { sklearn: {}, workerSpec: { containers: [{ name: "w" }] } },
      transformer: { containers: [{ name: "t" }] },
      explainer: { art: {} },
    };
    expect(paths(type, { spec }).filter((path) => path.includes(" "))).toEqual([
      "model spec.predictor.sklearn",
      "main spec.predictor.workerSpec.containers[name=w]",
      "main spec.transformer.containers[name=t]",
      "model spec.explainer.art",
    ]);
  });

  it("survive what is deep, and names that objects have anyway", () => {
    let deep: object = { containers: [{ name: "c", image: "x" }] };
    for (let index = 0; index < 20_000; index++) deep = { a: deep };
    expect(podsOf(resource("kubernetes:x.io/v1:Deep", { spec: deep }))).toHaveLength(1);
    for (const kind of ["constructor", "toString", "__proto__"])
      expect(podsOf(resource(`kubernetes:core/v1:${kind}`, { spec: {} }))).toEqual([]);
  });
});

describe("an exemption for Kubernetes", () => {
  const exemption: Exemption = {
    rule: "image-by-digest",
    type: "kubernetes:apps/v1:Deployment",
    name: "app",
    property: "spec.template.spec.containers[name=app].image",
    environments: ["prod"],
    reason: "the vendor publishes no digests yet",
    expires: "2027-06-30",
  };
  const container = (name: string) => ({ name, image: "quay.io/vendor/app:1" });
  const app = (name: string, type = exemption.type) =>
    resource(
      type,
      { spec: { template: { spec: { containers: [container("other"), container("app")] } } } },
      name,
    );
  const judged = (name: string, type?: string) =>
    judge(ruleNamed("image-by-digest"), app(name, type), context("prod", { exemptions: [exemption] })).map(
      ({ property }) => property,
    );

  it("lifts its rule for one container of one resource", () => {
    expect(judged("app")).toEqual(["spec.template.spec.containers[name=other].image"]);
    expect(judged("app-2")).toHaveLength(2);
    expect(judged("app", "kubernetes:apps/v1:StatefulSet")).toHaveLength(2);
  });
});
