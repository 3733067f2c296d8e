import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DataScienceProject,
  type DataScienceProjectArgs,
  dataScienceProjectProblems,
} from "../../../components/openshift/data-science-project.ts";
import { containerLimits, quotaHard, settledBounds } from "../../../components/openshift/quota.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { fieldsOf, PROJECT } from "./support.ts";

const make = (more: Partial<DataScienceProjectArgs> = {}) =>
  recorded(() => new DataScienceProject("fraud", { ...PROJECT, ...more }));

describe("DataScienceProject", () => {
  it("registers a namespace that the dashboard shows, tagged as Azure resources are", async () => {
    const recording = await make({ description: "Card fraud" });
    expect(only(recording, "kubernetes:core/v1:Namespace").inputs).toMatchObject({
      metadata: {
        name: "kiln-dev-fraud",
        labels: {
          env: "dev",
          owner: "platform",
          costCenter: "42",
          "opendatahub.io/dashboard": "true",
          "modelmesh-enabled": "false",
        },
        annotations: { "openshift.io/display-name": "Fraud", "openshift.io/description": "Card fraud" },
      },
    });
  });

  it("registers no more than it needs: a component, a namespace, a quota with its bounds, its policies", async () => {
    const recording = await make();
    expect(recording.resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "kiln:openshift:DataScienceProject fraud",
      "kubernetes:core/v1:LimitRange fraud-limits",
      "kubernetes:core/v1:Namespace fraud",
      "kubernetes:core/v1:ResourceQuota fraud-quota",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-asking",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-closed",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-models",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-pipeline-runs",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-pipelines",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy fraud-workbenches",
    ]);
  });

  it("bounds containers below the quota, in the server's own spelling", async () => {
    const recording = await make();
    expect(only(recording, "kubernetes:core/v1:ResourceQuota").inputs).toMatchObject({
      spec: {
        hard: {
          "requests.cpu": "8",
          "requests.memory": "32Gi",
          "limits.cpu": "16",
          "limits.memory": "64Gi",
          "requests.nvidia.com/gpu": "1",
          pods: "20",
          persistentvolumeclaims: "4",
          "requests.storage": "100Gi",
        },
      },
    });
    expect(only(recording, "kubernetes:core/v1:LimitRange").inputs).toMatchObject({
      spec: {
        limits: [
          {
            type: "Container",
            defaultRequest: { cpu: "100m", memory: "256Mi" },
            default: { cpu: "1", memory: "1Gi" },
            max: { cpu: "16", memory: "64Gi" },
          },
        ],
      },
    });
  });

  it("makes its own things after its namespace", async () => {
    const recording = await make();
    const quota = only(recording, "kubernetes:core/v1:ResourceQuota");
    expect(quota.dependsOn.map((urn) => urn.split("::").at(-2))).toEqual([
      expect.stringMatching(/Namespace$/),
    ]);
  });

  it("binds the roles that somebody has, one binding each", async () => {
    const recording = await make({
      members: {
        admin: { groups: ["team-leads"] },
        edit: { users: ["ann"], serviceAccounts: [{ name: "ci", namespace: "delivery" }, { name: "local" }] },
        view: {},
      },
    });
    const bindings = recording.resources.filter(({ type }) => type.endsWith(":RoleBinding"));
    expect(bindings.map(({ name }) => name)).toEqual(["fraud-admin", "fraud-edit"]);
    expect(bindings[1]?.inputs).toMatchObject({
      metadata: { name: "project-edit", namespace: "kiln-dev-fraud" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
      subjects: [
        { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "ann" },
        { kind: "ServiceAccount", name: "ci", namespace: "delivery" },
        { kind: "ServiceAccount", name: "local", namespace: "kiln-dev-fraud" },
      ],
    });
  });

  it("reads its vault by an identity, without a Secret", async () => {
    const recording = await make({
      identity: { clientId: "client", tenantId: "tenant", vaultUri: "https://kv.vault.azure.net/" },
    });
    expect(only(recording, "kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({
      metadata: {
        name: "vault-reader",
        annotations: { "azure.workload.identity/client-id": "client" },
      },
      automountServiceAccountToken: false,
    });
    expect(only(recording, "kubernetes:external-secrets.io/v1:SecretStore").inputs).toMatchObject({
      spec: {
        provider: {
          azurekv: {
            authType: "WorkloadIdentity",
            tenantId: "tenant",
            vaultUrl: "https://kv.vault.azure.net/",
            serviceAccountRef: { name: "vault-reader" },
          },
        },
      },
    });
    // Said twice, External Secrets refuses it.
    expect(JSON.stringify(only(recording, "kubernetes:core/v1:ServiceAccount").inputs)).not.toContain(
      "tenant-id",
    );
    expect(recording.resources.some(({ type }) => type.endsWith(":Secret"))).toBe(false);
  });

  it("queues by Kueue where it is asked to", async () => {
    const recording = await make({ queue: { clusterQueue: "shared" } });
    expect(only(recording, "kubernetes:kueue.x-k8s.io/v1beta1:LocalQueue").inputs).toMatchObject({
      // Not "default", which OpenShift AI makes itself.
      metadata: { name: "project", namespace: "kiln-dev-fraud" },
      spec: { clusterQueue: "shared" },
    });
    expect(only(recording, "kubernetes:core/v1:Namespace").inputs).toMatchObject({
      metadata: { labels: { "kueue.openshift.io/managed": "true" } },
    });
  });

  it("lets a caller add labels and not take any", async () => {
    const namespace = () => ({
      labels: { "istio-injection": "disabled", owner: "nobody", "opendatahub.io/dashboard": "false" },
      annotations: { note: "x", "openshift.io/display-name": "no" },
    });
    const recording = await make({ transform: { namespace } });
    expect(only(recording, "kubernetes:core/v1:Namespace").inputs).toMatchObject({
      metadata: {
        labels: { "istio-injection": "disabled", owner: "platform", "opendatahub.io/dashboard": "true" },
        annotations: { note: "x", "openshift.io/display-name": "Fraud" },
      },
    });
  });

  it("names every wrong field, both where two disagree, before anything is registered", async () => {
    const wrong: Partial<DataScienceProjectArgs> = {
      namespace: "kube-fraud",
      displayName: " ",
      tags: { ...TAGS, owner: "" },
      quota: { ...PROJECT.quota, requests: { cpuCores: 17, memoryGib: 32 }, pods: 0 },
      containers: { max: { cpuCores: 32, memoryGib: 1 }, defaultLimits: { cpuCores: 1, memoryGib: 2 } },
      members: { edit: { users: ["ann", "ann"], groups: ["system:authenticated"] } },
      queue: { clusterQueue: "Shared", name: "default" },
    };
    const args = { ...PROJECT, ...wrong };
    expect(fieldsOf(dataScienceProjectProblems(args))).toEqual([
      "namespace",
      "displayName",
      "tags.owner",
      "quota.requests.cpuCores",
      "quota.pods",
      "containers.max.cpuCores",
      "containers.defaultLimits.memoryGib",
      "members.edit.users[1]",
      "members.edit.groups[0]",
      "queue.clusterQueue",
      "queue.name",
    ]);
    const recording = await recorded(() =>
      expect(() => new DataScienceProject("fraud", args)).toThrow(
        /containers\.max\.cpuCores is 32 and must not exceed quota\.limits\.cpuCores, which is 16/,
      ),
    );
    expect(recording.resources).toEqual([]);
  });
});

describe("bounds of containers", () => {
  it("fit every quota by default, in themselves and in each other", () => {
    const compute = (maxMillis: number, maxMebi: number) =>
      fc.record({
        cpuCores: fc.integer({ min: 1, max: maxMillis }).map((millis) => millis / 1000),
        memoryGib: fc.integer({ min: 1, max: maxMebi }).map((mebi) => mebi / 1024),
      });
    const sizes = compute(200_000, 1_000_000).chain((limits) =>
      fc.record({
        limits: fc.constant(limits),
        requests: compute(Math.round(limits.cpuCores * 1000), Math.round(limits.memoryGib * 1024)),
      }),
    );
    fc.assert(
      fc.property(sizes, (size) => {
        const quota = { ...PROJECT.quota, ...size };
        expect(dataScienceProjectProblems({ ...PROJECT, quota })).toEqual([]);
        expect(containerLimits(settledBounds(quota)).max).toEqual({
          cpu: quotaHard(quota)["limits.cpu"],
          memory: quotaHard(quota)["limits.memory"],
        });
      }),
    );
  });

  it("shrink with a small quota, so that the quota's own project accepts them", () => {
    const tiny = { cpuCores: 0.05, memoryGib: 0.125 };
    const quota = { ...PROJECT.quota, requests: tiny, limits: { cpuCores: 0.5, memoryGib: 0.5 } };
    expect(settledBounds(quota)).toEqual({
      defaultRequests: tiny,
      defaultLimits: { cpuCores: 0.5, memoryGib: 0.5 },
      max: { cpuCores: 0.5, memoryGib: 0.5 },
    });
    expect(dataScienceProjectProblems({ ...PROJECT, quota })).toEqual([]);
  });
});
