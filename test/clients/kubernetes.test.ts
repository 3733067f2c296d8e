import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestKubernetes, testKubernetes } from "../harness/kubernetes.ts";
import { type TestPython, testPython } from "../harness/python.ts";

let python: TestPython;
let cluster: TestKubernetes;

beforeAll(async () => {
  python = await testPython("requirements-kubernetes.txt");
  cluster = await testKubernetes();
});
afterAll(() => cluster?.dispose());

test("the Python client works unmodified, with what `kiln env` gives", async () => {
  const env = { ...cluster.daemon.environment(), KUBECONFIG: cluster.kubeconfig() };
  const report = await python.script("kubernetes_client.py", [cluster.kubeconfig("viewer")], env);
  expect(report).toEqual({
    nodes: ["gpu-0", "worker-0", "worker-1"],
    watched: ["ADDED", { is: "here" }],
    applied: ["registry.example/book:1", "registry.example/book:2"],
    conflict: {
      status: 409,
      reason: "Conflict",
      message: expect.stringContaining('conflict with "one"'),
    },
    refused: {
      status: 403,
      reason: "Forbidden",
      message: expect.stringContaining('User "viewer" cannot list resource "configmaps"'),
    },
  });
});

test("kubectl explains, lists and waits for custom resources as for any other", async () => {
  const explained = await cluster.kubectl(["explain", "inferenceservice.spec.predictor.minReplicas"]);
  expect(explained.stdout).toContain("KIND:       InferenceService");
  const resources = await cluster.kubectl(["api-resources", "--api-group=serving.kserve.io", "-o", "name"]);
  expect(resources.stdout.split("\n")).toContain("inferenceservices.serving.kserve.io");
  const established = ["wait", "--for=condition=Established", "crd/notebooks.kubeflow.org", "--timeout=60s"];
  expect(await cluster.kubectl(established)).toMatchObject({ exitCode: 0 });
  const nodes = await cluster.kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s"]);
  expect(nodes).toMatchObject({ exitCode: 0 });
  expect((await cluster.kubectl(["version"])).stdout).toContain("Server Version: v1.");
});
