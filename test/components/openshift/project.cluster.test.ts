import { afterAll, beforeAll, expect, test } from "vitest";
import {
  DataScienceProject,
  type DataScienceProjectArgs,
} from "../../../components/openshift/data-science-project.ts";
import { type TestStack, testStack } from "./cluster.ts";
import { PROJECT } from "./support.ts";

/*
 * A project on the real API server, by the real engine: its whole life, and what the server enforces because of it.
 */

const args: DataScienceProjectArgs = {
  ...PROJECT,
  description: "Card fraud",
  quota: {
    ...PROJECT.quota,
    requests: { cpuCores: 2, memoryGib: 4 },
    limits: { cpuCores: 4, memoryGib: 8 },
    pods: 3,
  },
  members: {
    admin: { groups: ["team-leads"] },
    edit: { groups: ["data-scientists"] },
    view: { users: ["viewer"] },
  },
  queue: { clusterQueue: "shared" },
};
const program =
  (more: Partial<DataScienceProjectArgs> = {}) =>
  async () => {
    const project = new DataScienceProject("fraud", { ...args, ...more });
    return { namespace: project.namespace };
  };
const inProject = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  name,
  namespace: args.namespace,
});

let stack: TestStack;

beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack?.dispose());

test("is made, and read back as it was meant", async () => {
  const made = await stack.up(program());
  expect(made).toEqual({
    fraud: "create",
    "fraud-limits": "create",
    "fraud-quota": "create",
    "fraud-closed": "create",
    "fraud-models": "create",
    "fraud-asking": "create",
    "fraud-workbenches": "create",
    "fraud-pipelines": "create",
    "fraud-pipeline-runs": "create",
    "fraud-admin": "create",
    "fraud-edit": "create",
    "fraud-view": "create",
    "fraud-queue": "create",
  });
  const namespace = await stack.read({ apiVersion: "v1", kind: "Namespace", name: args.namespace });
  expect(namespace.metadata).toMatchObject({
    labels: { env: "dev", "opendatahub.io/dashboard": "true", "kueue.openshift.io/managed": "true" },
    annotations: { "openshift.io/display-name": "Fraud", "openshift.io/description": "Card fraud" },
  });
  const quota = await stack.read(inProject("v1", "ResourceQuota", "quota"));
  expect(quota.spec.hard).toMatchObject({ "limits.cpu": "4", "requests.nvidia.com/gpu": "1", pods: "3" });
  const closed = await stack.read(inProject("networking.k8s.io/v1", "NetworkPolicy", "closed"));
  expect(closed.spec.policyTypes).toEqual(["Ingress", "Egress"]);
  const queue = await stack.read(inProject("kueue.x-k8s.io/v1beta1", "LocalQueue", "project"));
  expect(queue.spec.clusterQueue).toBe("shared");
});

test("stays as it is: the server keeps what was sent in the spelling in which it was sent", async () => {
  expect(await stack.preview(program())).toEqual({});
});

const pod = (name: string, resources: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: args.namespace },
  spec: { containers: [{ name: "main", image: "registry.example.com/app:1", resources }] },
});
const model = (name: string) => ({
  apiVersion: "serving.kserve.io/v1beta1",
  kind: "InferenceService",
  metadata: { name, namespace: args.namespace },
  spec: {
    predictor: { model: { modelFormat: { name: "onnx" }, storageUri: "oci://registry.example.com/m" } },
  },
});

test("its roles are the server's: who may look may not deploy, who is not in it may nothing", async () => {
  expect(await stack.tryCreate(model("by-data-scientist"), "data-scientist")).toBe("created");
  expect(await stack.tryCreate(model("by-viewer"), "viewer")).toMatch(
    /^403 .*User "viewer" cannot create resource "inferenceservices"/,
  );
  const elsewhere = { ...model("elsewhere"), metadata: { name: "elsewhere", namespace: "default" } };
  expect(await stack.tryCreate(elsewhere, "data-scientist")).toMatch(/^403 /);
  const binding = (name: string, role: string) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name, namespace: args.namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "viewer" }],
  });
  expect(await stack.tryCreate(binding("more", "view"), "data-scientist")).toMatch(/^403 /);
  expect(await stack.tryCreate(binding("more", "view"), "team-lead")).toBe("created");
  expect(await stack.tryCreate(binding("most", "cluster-admin"), "team-lead")).toMatch(
    /^403 .*attempting to grant RBAC permissions not currently held/,
  );
  await stack.cluster.kubectl(["delete", "inferenceservice", "by-data-scientist", "-n", args.namespace]);
});

test("its quota is the server's, and a pod that says nothing fits by the project's defaults", async () => {
  const { namespace } = args;
  await stack.cluster.kubectl(["wait", "--for=create", "sa/default", "-n", namespace, "--timeout=60s"]);
  expect(await stack.tryCreate(pod("silent"))).toBe("created");
  const silent = await stack.read(inProject("v1", "Pod", "silent"));
  expect(silent.spec.containers[0].resources).toEqual({
    requests: { cpu: "100m", memory: "256Mi" },
    limits: { cpu: "1", memory: "1Gi" },
  });
  const sized = (cpu: string) => ({ requests: { cpu, memory: "1Gi" }, limits: { cpu, memory: "1Gi" } });
  expect(await stack.tryCreate(pod("huge", sized("5")))).toMatch(
    /^403 .*maximum cpu usage per Container is 4/,
  );
  expect(await stack.tryCreate(pod("hungry", sized("2")))).toMatch(
    /^403 .*exceeded quota: quota, requested: requests\.cpu=2, used: requests\.cpu=100m, limited: requests\.cpu=2/,
  );
  const gpus = { requests: { "nvidia.com/gpu": "2" }, limits: { "nvidia.com/gpu": "2" } };
  expect(await stack.tryCreate(pod("gpus", gpus))).toMatch(/^403 .*requests\.nvidia\.com\/gpu/);
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "big", namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "101Gi" } } },
  };
  expect(await stack.tryCreate(claim)).toMatch(/^403 .*requests\.storage=101Gi/);
});

test("changes in place, object by object", async () => {
  const changed = program({
    displayName: "Card fraud",
    quota: { ...args.quota, gpus: 2 },
    members: { admin: { groups: ["team-leads"] }, view: { users: ["viewer", "auditor"] } },
    network: { egress: [{ cidr: "203.0.113.0/24", ports: [443], pods: "models" }] },
  });
  expect(await stack.up(changed)).toEqual({
    fraud: "update",
    "fraud-quota": "update",
    "fraud-view": "update",
    "fraud-edit": "delete",
    "fraud-models": "update",
  });
  const quota = await stack.read(inProject("v1", "ResourceQuota", "quota"));
  expect(quota.spec.hard["requests.nvidia.com/gpu"]).toBe("2");
  expect(await stack.tryCreate(model("by-data-scientist"), "data-scientist")).toMatch(/^403 /);
  expect(await stack.preview(changed)).toEqual({});
});

test("is refused before anything is touched, or by the server where only it can know", async () => {
  const wrong = program({ quota: { ...args.quota, pods: 0 } });
  expect(await stack.refusal(wrong)).toMatch(/DataScienceProject: quota\.pods is 0/);
  const labels = () => ({ labels: { "not a label": "x" }, annotations: {} });
  expect(await stack.refusal(program({ transform: { namespace: labels } }))).toMatch(
    /metadata\.labels: Invalid value: "not a label"/,
  );
});

test("replaces a queue that is to be backed by another, which cannot be changed in place", async () => {
  await stack.up(program());
  const moved = await stack.up(program({ queue: { clusterQueue: "elsewhere" } }));
  expect(moved).toEqual({ "fraud-queue": "replace" });
  const queue = await stack.read(inProject("kueue.x-k8s.io/v1beta1", "LocalQueue", "project"));
  expect(queue.spec.clusterQueue).toBe("elsewhere");
});

test("by another name is another: the old one goes, with everything in it", async () => {
  const other = "kiln-dev-cards";
  const made = await stack.up(program({ namespace: other }));
  expect(made).toMatchObject({ fraud: "replace", "fraud-quota": "replace", "fraud-queue": "replace" });
  expect(await stack.read({ apiVersion: "v1", kind: "Namespace", name: args.namespace })).toBeUndefined();
  expect(
    await stack.read({ apiVersion: "v1", kind: "ResourceQuota", name: "quota", namespace: other }),
  ).toBeDefined();
});

test("leaves nothing", async () => {
  await stack.down();
  const ours = ["get", "namespaces", "-l", "app.kubernetes.io/managed-by=kiln", "-o", "name"];
  expect(await stack.cluster.kubectl(ours)).toMatchObject({ exitCode: 0, stdout: "" });
});
