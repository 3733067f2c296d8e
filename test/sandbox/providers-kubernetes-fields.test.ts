import { describe, expect, test } from "vitest";
import { kindOfApiVersion } from "../../sandbox/providers/kubernetes/kinds.ts";
import { ownScope } from "../../sandbox/providers/kubernetes/namespaces.ts";
import { unknown, type ValueMap } from "../../sandbox/providers/values.ts";
import { initFailure } from "./providers-client.ts";
import {
  configMap,
  connect,
  definition,
  it,
  kubectl,
  live,
  namespace,
  types,
  useProvider,
  widget,
  workload,
} from "./providers-kubernetes-support.ts";

/*
 * The provider against a real API server: fields that are another's, objects that are to be made anew, and what the real provider
 * says in other places than when it makes an object.
 */

useProvider();

describe("fields whose changes are ignored", () => {
  test("stay as whoever manages them wants them", async () => {
    const at = await namespace();
    const inputs = workload("Deployment", "web", at, { replicas: 1 });
    const made = await it.create(types.deployment, inputs);
    await kubectl("-n", at, "scale", "deployment", "web", "--replicas=3");
    await kubectl("-n", at, "rollout", "status", "deployment", "web");
    const known = { inputs, outputs: made.outputs };
    const next = workload("Deployment", "web", at, { replicas: 1 }, { step: "2" });
    for (const preview of [true, false]) {
      await expect(it.update(types.deployment, made.id, known, next, preview)).rejects.toThrow(
        /conflict with "kubectl" with subresource "scale".*: \.spec\.replicas/,
      );
      const ignored = ["spec.replicas"];
      const outputs = await it.update(types.deployment, made.id, known, next, preview, ignored);
      expect(outputs).toMatchObject({ spec: { replicas: 3 }, metadata: { annotations: { step: "2" } } });
    }
  });
});

test("a change that is waited for is on record as it was made, and is none the next time", async () => {
  const at = await namespace();
  const quota = (pods: string): ValueMap => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "pods", namespace: at },
    spec: { hard: { pods } },
  });
  const made = await it.create(types.quota, quota("1"));
  let known = { inputs: quota("1"), outputs: made.outputs };
  for (const pods of ["2", "3", "4"]) {
    const outputs = await it.update(types.quota, made.id, known, quota(pods));
    expect(outputs).toMatchObject({ spec: { hard: { pods } }, status: { hard: { pods } } });
    expect((await it.diff(types.quota, quota(pods), quota(pods), outputs)).details).toEqual({});
    known = { inputs: quota(pods), outputs };
  }
});

describe("a patch resource", () => {
  test("takes nothing from who made the object, be it kubectl", async () => {
    const at = await namespace();
    await kubectl("-n", at, "create", "configmap", "theirs", "--from-literal=a=1");
    const type = "kubernetes:core/v1:ConfigMapPatch";
    const added = await it.create(type, configMap("theirs", at, { b: "1" }));
    const known = { inputs: configMap("theirs", at, { b: "1" }), outputs: added.outputs };
    const both = configMap("theirs", at, { a: "2", b: "2" });
    await expect(it.update(type, added.id, known, both)).rejects.toThrow(/conflict with "kubectl-create"/);
    const outputs = await it.update(type, added.id, known, configMap("theirs", at, { b: "2" }));
    expect(outputs.data).toEqual({ a: "1", b: "2" });
    const managers = JSON.stringify((await live(`-n ${at} configmap theirs`)).metadata);
    expect(managers).toContain("kubectl-create");
  });

  test("may be one of a custom resource", async () => {
    const at = await namespace();
    await it.create(types.definition, definition);
    await it.create(types.widget, widget("base", at, {}));
    const type = "kubernetes:probe.kiln/v1:WidgetPatch";
    const inputs = widget("base", at, { added: "1" }, {});
    const checked = await it.check(type, inputs);
    expect(checked.inputs.kind).toBe("Widget");
    const made = await it.create(type, checked.inputs);
    expect(made.outputs).toMatchObject({ spec: { size: 1 }, metadata: { annotations: { added: "1" } } });
    const state = { inputs: checked.inputs, outputs: made.outputs };
    const replaced = await it.diff(type, state.inputs, widget("base", at, { added: "2" }, {}), state.outputs);
    expect(replaced.details).toEqual({ "metadata.annotations.added": "UPDATE" });
    expect((await it.read(type, made.id, state)).id).toBe(made.id);
    await it.delete(type, made.id, state);
    const after = (await live(`-n ${at} widget base`)).metadata as { annotations?: object };
    expect(after.annotations ?? {}).not.toHaveProperty("added");
  });

  test("that alone manages what has to be there, says so at its end", async () => {
    const at = await namespace();
    const type = "kubernetes:core/v1:ServicePatch";
    const inputs: ValueMap = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: at, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { ports: [{ port: 80 }] },
    };
    const made = await it.create(type, inputs);
    await expect(it.delete(type, made.id, { inputs, outputs: made.outputs })).rejects.toThrow(
      /currently managing a required field.*`retainOnDelete`.*spec\.ports/,
    );
  });
});

describe("made anew", () => {
  test("is a Job that did not succeed, where the program wants it", async () => {
    const at = await namespace();
    const job = (name: string, nowhere: boolean): ValueMap => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        namespace: at,
        annotations: { "pulumi.com/replaceUnready": "true", "pulumi.com/skipAwait": "true" },
      },
      spec: {
        template: {
          spec: {
            nodeSelector: nowhere ? { is: "nowhere" } : {},
            restartPolicy: "Never",
            containers: [{ name: "main", image: "registry.kiln/a:1" }],
          },
        },
      },
    });
    const late = await it.create(types.job, job("late", true));
    const path = 'metadata.annotations["pulumi.com/replaceUnready"]';
    expect(await it.diff(types.job, job("late", true), job("late", true), late.outputs)).toMatchObject({
      replaces: [path],
      deleteFirst: true,
    });
    const done = await it.create(types.job, job("done", false));
    await kubectl("-n", at, "wait", "job/done", "--for=condition=Complete", "--timeout=60s");
    expect((await it.diff(types.job, job("done", false), job("done", false), done.outputs)).changes).toBe(1);
  });

  test("is everything where another cluster may be meant", async () => {
    const by = (values: ValueMap) => it.diffConfig({ kubeconfig: "a", clusterIdentifier: "x" }, values);
    expect(await by({ kubeconfig: "a", clusterIdentifier: "x" })).toEqual({ changes: 1, replaces: [] });
    expect(await by({ kubeconfig: "a", clusterIdentifier: "y" })).toEqual({
      changes: 2,
      replaces: ["clusterIdentifier"],
    });
    expect((await by({ kubeconfig: unknown, clusterIdentifier: "x" })).replaces).toEqual([]);
    expect((await it.diffConfig({ kubeconfig: "a" }, { kubeconfig: unknown })).replaces).toEqual([
      "kubeconfig",
    ]);
    expect(await it.diffConfig({ kubeconfig: "a" }, { kubeconfig: "b" })).toEqual({
      changes: 2,
      replaces: [],
    });
  });
});

describe("what is said", () => {
  test("a Service whose Pods are not ready shows at a refresh", async () => {
    const at = await namespace();
    const labels = { app: "late" };
    await it.create(types.pod, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "late", namespace: at, labels, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { nodeSelector: { is: "nowhere" }, containers: [{ name: "main", image: "registry.kiln/a:1" }] },
    });
    const service: ValueMap = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "balanced", namespace: at, annotations: { "pulumi.com/timeoutSeconds": "1" } },
      spec: { type: "LoadBalancer", selector: labels, ports: [{ port: 80 }] },
    };
    const failure = initFailure(await it.create(types.service, service).catch((each: unknown) => each));
    expect(failure.reasons).toEqual([
      expect.stringMatching(/'balanced' timed out waiting to be Ready$/),
      expect.stringMatching(/^Service does not target any Pods/),
      "Service was not allocated an IP address; does your cloud provider support this?",
    ]);
    const refreshed = await it.read(types.service, failure.id, failure).catch((each: unknown) => each);
    expect(initFailure(refreshed).reasons).toContain(failure.reasons[2]);
  });

  test("a claim that nobody binds was polled for", async () => {
    const at = await namespace();
    const claim: ValueMap = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "disk", namespace: at, annotations: { "pulumi.com/timeoutSeconds": "1" } },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "nobodys",
        resources: { requests: { storage: "1Gi" } },
      },
    };
    const error = await it
      .create("kubernetes:core/v1:PersistentVolumeClaim", claim)
      .catch((each: unknown) => each);
    expect(initFailure(error).reasons[0]).toMatch(/Timeout occurred polling for 'disk'$/);
  });

  test("a kind that Kubernetes has no more is not waited for", async () => {
    const type = "kubernetes:policy/v1beta1:PodDisruptionBudget";
    const inputs = {
      apiVersion: "policy/v1beta1",
      kind: "PodDisruptionBudget",
      metadata: { name: "a" },
      spec: {},
    };
    await expect(it.create(type, inputs)).rejects.toThrow(
      /was removed in Kubernetes 1\.25\. Use "policy\/v1\//,
    );
  });

  test("what names no namespace stands in the default one", async () => {
    const inside = await it.check(types.configMap, { metadata: { name: "a" } });
    expect(inside.inputs.metadata).toEqual({ name: "a", namespace: "default" });
    const outside = await it.check(types.namespace, { metadata: { name: "a" } });
    expect(outside.inputs.metadata).toEqual({ name: "a" });
  });

  test("which of Kubernetes' own kinds stand in namespaces is known as the API server has it", async () => {
    const lines = (await kubectl("api-resources", "--no-headers")).trim().split("\n");
    const told = lines.map((line) => line.split(/\s+/).slice(-3));
    const known = told.flatMap(([apiVersion = "", namespaced = "", name = ""]) => {
      const own = ownScope(kindOfApiVersion(apiVersion, name));
      return own === undefined
        ? []
        : [{ kind: `${apiVersion}/${name}`, own, namespaced: namespaced === "true" }];
    });
    expect(known.length).toBeGreaterThan(50);
    expect(known.filter(({ own, namespaced }) => own !== namespaced)).toEqual([]);
  });

  test("manifests are read, each object in the namespace that is asked for", async () => {
    const client = await connect();
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
    const { result } = await client.invoke("kubernetes:yaml:decode", { text, defaultNamespace: "mine" });
    expect(result.result).toEqual([
      { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "mine" } },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } },
    ]);
    await expect(client.invoke("kubernetes:yaml:decode", {})).rejects.toThrow(
      "missing required field 'text'",
    );
  });
});
