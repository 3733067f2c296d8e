import { describe, expect, test } from "vitest";
import type { ValueMap } from "../../sandbox/providers/values.ts";
import { initFailure } from "./providers-client.ts";
import {
  configMap,
  connect,
  definition,
  it,
  killServer,
  kube,
  kubectl,
  namespace,
  serve,
  template,
  there,
  types,
  useProvider,
  widget,
  workload,
} from "./providers-kubernetes-support.ts";

/*
 * The provider against a real API server with its controllers: what is waited for, and what goes wrong.
 */

useProvider();

describe("waiting", () => {
  test("workloads are there when their Pods are", async () => {
    const at = await namespace();
    const spec = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "one", namespace: at },
      spec: template("one").spec,
    };
    const [web, db, agent, pod] = await Promise.all([
      it.create(types.deployment, workload("Deployment", "web", at, { replicas: 2 })),
      it.create(types.statefulSet, workload("StatefulSet", "db", at, { replicas: 2, serviceName: "db" })),
      it.create(types.daemonSet, workload("DaemonSet", "agent", at, {})),
      it.create(types.pod, spec as ValueMap),
    ]);
    expect(web.outputs.status).toMatchObject({ availableReplicas: 2, observedGeneration: 1 });
    expect(db.outputs.status).toMatchObject({ readyReplicas: 2 });
    const status = agent.outputs.status as ValueMap;
    expect(status.numberReady).toBe(status.desiredNumberScheduled);
    expect(pod.outputs.status).toMatchObject({ phase: "Running" });
    const service: ValueMap = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: at },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    };
    expect((await it.create(types.service, service)).outputs.spec).toMatchObject({
      clusterIP: expect.any(String),
    });
    const inputs = workload("Deployment", "web", at, { replicas: 2 });
    const next = workload("Deployment", "web", at, {
      replicas: 2,
      template: template("web", "registry.kiln/app:2"),
    });
    const before = { inputs, outputs: web.outputs };
    const rolled = await it.update(types.deployment, `${at}/web`, before, next);
    expect(rolled.status).toMatchObject({ updatedReplicas: 2, observedGeneration: 2 });
  });

  test("a Deployment over its quota fails with the reasons, is kept, and the next update heals it", async () => {
    const at = await namespace();
    const quota: ValueMap = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "small", namespace: at },
      spec: { hard: { pods: "1" } },
    };
    const made = await it.create(types.quota, quota);
    expect(made.outputs.status).toMatchObject({ hard: { pods: "1" } });
    const patient = { "pulumi.com/timeoutSeconds": "10" };
    const inputs = workload("Deployment", "big", at, { replicas: 2 }, patient);
    const error = await it.create(types.deployment, inputs).catch((each: unknown) => each);
    const failure = initFailure(error);
    expect(failure.id).toBe(`${at}/big`);
    expect(failure.inputs).toEqual(inputs);
    expect(failure.reasons[0]).toMatch(
      /was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: 'big' timed out waiting to be Ready$/,
    );
    expect(failure.reasons).toContain("Minimum number of live Pods was not attained");
    expect(failure.reasons.join("\n")).toContain(
      "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1",
    );
    const refreshed = await it.read(types.deployment, failure.id, failure).catch((each: unknown) => each);
    expect(initFailure(refreshed).reasons[0]).toContain("failed to initialize");
    const fewer = workload("Deployment", "big", at, { replicas: 1 }, patient);
    const outputs = await it.update(types.deployment, failure.id, failure, fewer);
    expect(outputs.status).toMatchObject({ availableReplicas: 1 });
    const again = it.update(types.deployment, failure.id, { inputs: fewer, outputs }, inputs);
    await expect(again).rejects.toThrow(
      /the Kubernetes API server reported that "probe-\d+\/big" failed to fully/,
    );
  });

  test("a Job that fails does not wait for its time to be up", async () => {
    const at = await namespace();
    const job: ValueMap = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "late", namespace: at },
      spec: {
        activeDeadlineSeconds: 1,
        suspend: false,
        template: { spec: { ...late, restartPolicy: "Never" } },
      },
    };
    const error = await it.create(types.job, job).catch((each: unknown) => each);
    const { reasons } = initFailure(error);
    expect(reasons[0]).toMatch(/Resource 'late' was created but failed to initialize$/);
    expect(reasons[1]).toContain("[DeadlineExceeded]");
  });
  // No node has it, so its Pod never runs.
  const late: ValueMap = {
    nodeSelector: { is: "nowhere" },
    containers: [{ name: "main", image: "registry.kiln/a:1" }],
  };

  test("a definition is there when it is established, and objects of it are what it says", async () => {
    const at = await namespace();
    const planned = await it.create(types.widget, widget("early", at, {}), { preview: true });
    expect(planned.outputs).toEqual(widget("early", at, {}));
    const made = await it.create(types.definition, definition);
    expect(made.outputs.status).toMatchObject({ acceptedNames: { kind: "Widget" } });
    expect(made.outputs).toMatchObject({ spec: definition.spec as object });
    await expect(it.create(types.widget, widget("big", at, {}, { size: 10 }))).rejects.toThrow(
      /spec.size: Invalid value: 10/,
    );
  });

  test("any object waits for what its annotation says, and tells why it is not so when the time is up", async () => {
    const at = await namespace();
    const wait = { "pulumi.com/waitFor": '["condition=Ready","jsonpath={.status.url}"]' };
    const making = it.create(types.widget, widget("slow", at, wait));
    const said = {
      conditions: [{ type: "Ready", status: "False", reason: "NoRuntime", message: "no runtime fits" }],
    };
    const status = (value: object) => JSON.stringify({ status: value });
    await there(at, "slow");
    const patch = (name: string, value: object) =>
      kubectl("-n", at, "patch", "widget", name, "--subresource=status", "--type=merge", "-p", status(value));
    await patch("slow", said);
    await patch("slow", {
      conditions: [{ ...said.conditions[0], status: "True" }],
      url: "https://slow.kiln",
    });
    const made = await making;
    expect(made.outputs.status).toMatchObject({ url: "https://slow.kiln" });

    const short = { ...wait, "pulumi.com/timeoutSeconds": "15" };
    const failing = it.create(types.widget, widget("never", at, short)).catch((each: unknown) => each);
    await there(at, "never");
    await patch("never", said);
    const failure = initFailure(await failing);
    expect(failure.reasons[0]).toMatch(/timed out waiting for the condition$/);
    expect(failure.reasons).toContain("[NoRuntime] no runtime fits");
    expect(failure.outputs.status).toMatchObject(said);
    const skipped = await it.create(
      types.widget,
      widget("now", at, { ...wait, "pulumi.com/skipAwait": "true" }),
    );
    expect(skipped.outputs).not.toHaveProperty("status");
    await expect(
      it.create(types.widget, widget("odd", at, { "pulumi.com/waitFor": "Ready" })),
    ).rejects.toThrow('expected a "jsonpath=" or "condition=" prefix, got "Ready"');
  });

  test("a delete waits for finalizers, and names those that hang", async () => {
    const at = await namespace();
    const inputs = widget("held", at, { "pulumi.com/timeoutSeconds": "1" });
    const made = await it.create(types.widget, inputs);
    await kubectl(
      "-n",
      at,
      "patch",
      "widget",
      "held",
      "--type=merge",
      "-p",
      '{"metadata":{"finalizers":["probe.kiln/hold"]}}',
    );
    const state = { inputs, outputs: made.outputs };
    await expect(it.delete(types.widget, made.id, state)).rejects.toThrow(
      /^.*timed out waiting for the condition\n {2}- finalizers might be preventing deletion .*probe.kiln\/hold/,
    );
    const going = it.delete(types.widget, made.id, { ...state, inputs: widget("held", at, {}) });
    await kubectl(
      "-n",
      at,
      "patch",
      "widget",
      "held",
      "--type=json",
      "-p",
      '[{"op":"remove","path":"/metadata/finalizers"}]',
    );
    await going;
    expect((await it.read(types.widget, made.id, state)).id).toBe("");
  });

  test("what a definition takes with it is gone", async () => {
    const at = await namespace();
    const inputs = widget("last", at, {});
    const made = await it.create(types.widget, inputs);
    await it.delete(types.definition, "widgets.probe.kiln", { inputs: definition });
    await it.delete(types.widget, made.id, { inputs, outputs: made.outputs });
    expect((await it.read(types.widget, made.id, { inputs, outputs: made.outputs })).id).toBe("");
  });
});

describe("the API server away", () => {
  test("killed in the middle of creates, waits and deletes, it is waited for", async () => {
    const at = await namespace();
    const names = Array.from({ length: 60 }, (_, index) => `it-${index}`);
    const making = names.map((name) => it.create(types.configMap, configMap(name, at, { name })));
    const waiting = it.create(types.deployment, workload("Deployment", "through", at, { replicas: 2 }));
    await making[0];
    await killServer();
    const made = await Promise.all(making);
    expect(made.map(({ id }) => id)).toEqual(names.map((name) => `${at}/${name}`));
    expect((await waiting).outputs.status).toMatchObject({ availableReplicas: 2 });
    const going = names.map((name, index) =>
      it.delete(types.configMap, `${at}/${name}`, { outputs: made[index]?.outputs ?? {} }),
    );
    await killServer();
    await Promise.all(going);
    expect(await kubectl("-n", at, "get", "configmap", "-o", "name")).not.toContain("configmap/it-");
  });

  test("not started, it is asked for by name", async () => {
    const none = await serve(() => undefined);
    try {
      const client = await connect({}, none);
      const inputs = configMap("a", "default", {});
      expect((await client.check(types.configMap, inputs)).failures).toEqual([]);
      const asked = "`kiln sandbox kubernetes start`, or enable kiln:serving";
      await expect(client.create(types.configMap, inputs)).rejects.toThrow(asked);
      await expect(client.create(types.configMap, inputs, { preview: true })).rejects.toThrow(asked);
      await expect(client.read(types.configMap, "default/a", { inputs, outputs: {} })).rejects.toThrow(asked);
      const lenient = await connect({ deleteUnreachable: "true" }, none);
      await lenient.delete(types.configMap, "default/a", { inputs });
      expect((await lenient.read(types.configMap, "default/a", { inputs, outputs: {} })).id).toBe("");
      const skipping = await connect({ skipUpdateUnreachable: "true" }, none);
      const changed = await skipping.check(types.configMap, configMap("a", "default", { a: "2" }), {
        olds: inputs,
      });
      expect(changed.inputs).toEqual(inputs);
      expect((await skipping.read(types.configMap, "default/a", { inputs, outputs: {} })).inputs).toEqual(
        inputs,
      );
    } finally {
      await none.close();
    }
  });
});

describe("configuration", () => {
  test("a namespace is for what names none and stands in one", async () => {
    const at = await namespace();
    const client = await connect({ namespace: at, kubeconfig: kube.kubeconfig(), context: "kiln-sandbox" });
    const inside = await client.check(types.configMap, { metadata: { name: "a" } });
    expect(inside.inputs.metadata).toEqual({ name: "a", namespace: at });
    const outside = await client.check(types.namespace, { metadata: { name: "a" } });
    expect(outside.inputs.metadata).toEqual({ name: "a" });
  });

  test("no other cluster, context or way to sign in is taken", async () => {
    const elsewhere = (user: string) => `
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://cluster.example"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: ${user}}]
`;
    const create = async (config: Record<string, string>) =>
      (await connect(config)).create(types.configMap, configMap("a", "default", {}));
    await expect(create({ kubeconfig: elsewhere("{token: x}") })).rejects.toThrow(
      "no other Kubernetes API server",
    );
    await expect(create({ context: "other" })).rejects.toThrow('context "other" does not exist');
    await expect(create({ kubeconfig: "/nowhere/at/all" })).rejects.toThrow("there is no file");
    await expect(create({ kubeconfig: "{ a-token: [" })).rejects.toThrow(/^(?!.*a-token)/);
    await expect(connect({ enableServerSideApply: "false" })).rejects.toThrow("enableServerSideApply");
    await expect(connect({ renderYamlToDirectory: "out" })).rejects.toThrow("renderYamlToDirectory");
  });

  test("charts, manifests and lists are refused by name", async () => {
    for (const type of [
      "kubernetes:helm.sh/v3:Release",
      "kubernetes:yaml/v2:ConfigGroup",
      "kubernetes:yaml:ConfigFile",
    ]) {
      await expect(it.check(type, {})).rejects.toThrow(`the sandbox does not serve '${type}'`);
    }
    await expect(it.check("kubernetes:core/v1:PodList", { items: [] })).rejects.toThrow(
      "list resources exist for",
    );
    await expect(it.invoke("kubernetes:helm:template", {})).rejects.toThrow("does not serve function");
    await expect(it.check(types.configMap, { metadata: { generateName: "a-" } })).rejects.toThrow(
      "generateName",
    );
  });
});
