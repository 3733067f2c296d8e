import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveProviders } from "../../sandbox/providers/server.ts";
import { Secret, unknown, type ValueMap } from "../../sandbox/providers/values.ts";
import { type TestKubernetes, testKubernetes } from "../harness/kubernetes.ts";
import { initFailure, ProviderClient, subscriptionId, tenantId } from "./providers-client.ts";
import { FakeArm, fakeToken } from "./providers-fake-arm.ts";

/*
 * The provider against a real API server with its controllers: every verb, and what goes wrong.
 */

const types = {
  namespace: "kubernetes:core/v1:Namespace",
  configMap: "kubernetes:core/v1:ConfigMap",
  secret: "kubernetes:core/v1:Secret",
  quota: "kubernetes:core/v1:ResourceQuota",
  service: "kubernetes:core/v1:Service",
  deployment: "kubernetes:apps/v1:Deployment",
  statefulSet: "kubernetes:apps/v1:StatefulSet",
  daemonSet: "kubernetes:apps/v1:DaemonSet",
  pod: "kubernetes:core/v1:Pod",
  job: "kubernetes:batch/v1:Job",
  definition: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  widget: "kubernetes:probe.kiln/v1:Widget",
} as const;

let kube: TestKubernetes;
let served: Awaited<ReturnType<typeof serveProviders>>;
const clients: ProviderClient[] = [];
let it: ProviderClient;

async function serve(kubeconfig: () => string | undefined): Promise<typeof served> {
  return serveProviders({
    subscriptionId,
    tenantId,
    armTransport: new FakeArm().transport,
    getToken: fakeToken,
    gitHubOwner: "kiln",
    kubeconfig,
    commandEnv: () => ({}),
    projectDir: process.cwd(),
  });
}

async function connect(config: Record<string, string> = {}, to = served): Promise<ProviderClient> {
  const client = new ProviderClient(to.ports.kubernetes, "kubernetes");
  clients.push(client);
  await client.configure(config);
  return client;
}

beforeAll(async () => {
  kube = await testKubernetes();
  served = await serve(() => kube.kubeconfig());
  it = await connect();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await served.close();
  await kube.dispose();
});

let count = 0;
/** A namespace of a test's own. */
async function namespace(): Promise<string> {
  const name = `probe-${++count}`;
  const made = await it.create(types.namespace, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  return made.id;
}

const configMap = (name: string, at: string, data: ValueMap, annotations: ValueMap = {}): ValueMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: at, annotations },
  data,
});

const template = (app: string, image = "registry.kiln/app:1"): ValueMap => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image }] },
});
const workload = (
  kind: string,
  name: string,
  at: string,
  spec: ValueMap,
  annotations: ValueMap = {},
): ValueMap => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name, namespace: at, annotations },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
});

const widget = (name: string, at: string, annotations: ValueMap, spec: ValueMap = { size: 1 }): ValueMap => ({
  apiVersion: "probe.kiln/v1",
  kind: "Widget",
  metadata: { name, namespace: at, annotations },
  spec,
});

const definition: ValueMap = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.probe.kiln" },
  spec: {
    group: "probe.kiln",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  size: { type: "integer", maximum: 9 },
                  any: { x_kubernetes_int_or_string: true },
                },
              },
              status: { type: "object", x_kubernetes_preserve_unknown_fields: true },
            },
          },
        },
      },
    ],
  },
};

async function live(path: string): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await kube.kubectl([
    "get",
    ...path.split(" "),
    "-o",
    "json",
    "--show-managed-fields",
  ]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await kube.kubectl(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** A slow machine must not turn a condition into a failure. */
const soon = { timeout: 60_000 };

/** Waits until a widget was made, ready or not. */
const there = (at: string, name: string) =>
  expect.poll(async () => (await kube.kubectl(["-n", at, "get", "widget", name])).exitCode, soon).toBe(0);

/** Kills the API server; the sandbox starts it again. */
async function killServer(): Promise<void> {
  await expect.poll(async () => (await kube.pids())["kube-apiserver"], soon).toBeGreaterThan(0);
  const { "kube-apiserver": pid = Number.NaN } = await kube.pids();
  process.kill(pid, "SIGKILL");
  await expect.poll(async () => (await kube.pids())["kube-apiserver"], soon).not.toBe(pid);
}

describe("the life of an object", () => {
  test("a name is given, and the object made, read back, imported, and gone", async () => {
    const { inputs, failures } = await it.check(types.namespace, { metadata: { labels: { team: "a" } } });
    expect(failures).toEqual([]);
    expect(inputs).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        labels: { team: "a" },
        name: expect.stringMatching(/^it-[0-9a-f]{8}$/),
        annotations: { "pulumi.com/autonamed": "true" },
      },
    });
    const made = await it.create(types.namespace, inputs);
    expect(made.outputs).toMatchObject({
      status: { phase: "Active" },
      __fieldManager: expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}$/),
    });
    expect(made.outputs.metadata).not.toHaveProperty("managedFields");
    const read = await it.read(types.namespace, made.id, { inputs, outputs: made.outputs });
    expect(read).toEqual({ id: made.id, inputs, outputs: made.outputs });
    const imported = await it.read(types.namespace, made.id);
    expect(imported.inputs).toMatchObject({ kind: "Namespace", metadata: { name: made.id } });
    expect(imported.inputs).not.toHaveProperty("status");
    await it.delete(types.namespace, made.id, { inputs, outputs: made.outputs });
    expect((await it.read(types.namespace, made.id, { inputs, outputs: made.outputs })).id).toBe("");
    await it.delete(types.namespace, made.id, { inputs, outputs: made.outputs });
  });

  test("a change keeps the object, and leaves what others added", async () => {
    const at = await namespace();
    const inputs = configMap("settings", at, { a: "1", b: "2" });
    const made = await it.create(types.configMap, inputs);
    expect(made.id).toBe(`${at}/settings`);
    await kubectl("-n", at, "label", "--field-manager=someone", "configmap", "settings", "by=hand");
    const next = configMap("settings", at, { a: "3" });
    const outputs = await it.update(types.configMap, made.id, { inputs, outputs: made.outputs }, next);
    expect(outputs).toMatchObject({
      data: { a: "3" },
      metadata: { uid: (made.outputs.metadata as ValueMap).uid, labels: { by: "hand" } },
    });
    expect(outputs.data).not.toHaveProperty("b");
    expect(outputs.__fieldManager).toBe(made.outputs.__fieldManager);
  });

  test("what was changed by hand shows after a refresh, defaults and what others added do not", async () => {
    const at = await namespace();
    const inputs = workload("Deployment", "web", at, { replicas: 1 });
    const made = await it.create(types.deployment, inputs);
    const known = { inputs, outputs: made.outputs };
    expect((await it.read(types.deployment, made.id, known)).inputs).toEqual(inputs);
    await kubectl("-n", at, "label", "deployment", "web", "by=hand");
    await kubectl("-n", at, "scale", "deployment", "web", "--replicas=2");
    await kubectl("-n", at, "rollout", "status", "deployment", "web");
    const drifted = await it.read(types.deployment, made.id, known);
    expect(drifted.inputs).toEqual(workload("Deployment", "web", at, { replicas: 2 }));
    expect((await it.diff(types.deployment, drifted.inputs, inputs, drifted.outputs)).details).toEqual({
      "spec.replicas": "UPDATE",
    });
  });

  test("a create takes over what an earlier run made, unless it is told not to", async () => {
    const at = await namespace();
    const first = await it.create(types.configMap, configMap("twice", at, { a: "1" }));
    const again = await it.create(types.configMap, configMap("twice", at, { a: "1", b: "2" }));
    expect((again.outputs.metadata as ValueMap).uid).toBe((first.outputs.metadata as ValueMap).uid);
    const strict = await connect({ upsertExistingObjects: "false" });
    await expect(strict.create(types.configMap, configMap("twice", at, {}))).rejects.toThrow(
      /configmaps "twice" already exists[\s\S]*upsertExistingObjects/,
    );
    const once = await strict.create(types.configMap, configMap("once", at, { a: "1" }));
    const before = { inputs: configMap("once", at, { a: "1" }), outputs: once.outputs };
    const outputs = await strict.update(types.configMap, once.id, before, configMap("once", at, { b: "1" }));
    expect(outputs.data).toEqual({ b: "1" });
  });

  test("a Secret's data is secret in inputs and outputs, and in no message", async () => {
    const at = await namespace();
    const word = "a-word-nobody-may-see";
    const news = { metadata: { name: "key", namespace: at }, stringData: { word } };
    const { inputs } = await it.check(types.secret, news);
    expect(inputs.stringData).toEqual(new Secret({ word }));
    const made = await it.create(types.secret, inputs);
    expect(made.outputs.data).toEqual(new Secret({ word: Buffer.from(word).toString("base64") }));
    const read = await it.read(types.secret, made.id, { inputs, outputs: made.outputs });
    expect(read.inputs).toEqual(inputs);
    await kubectl("-n", at, "patch", "secret", "key", "-p", '{"stringData":{"word":"another word"}}');
    const drifted = await it.read(types.secret, made.id, { inputs, outputs: made.outputs });
    expect(drifted.inputs.stringData).toEqual(new Secret({ word: "another word" }));
    const bad = {
      ...inputs,
      metadata: { name: "bad", namespace: at },
      stringData: new Secret({ [`${word}!`]: word }),
    };
    const refused = await it.create(types.secret, bad).then(String, (error: Error) => error.message);
    expect(refused).toContain("is invalid");
    expect(refused).not.toContain(Buffer.from(word).toString("base64"));
  });
});

describe("a preview", () => {
  test("is the API server's own answer, and changes nothing", async () => {
    const at = await namespace();
    const inputs = workload("Deployment", "planned", at, { replicas: 1 });
    const planned = await it.create(types.deployment, inputs, { preview: true });
    expect(planned.id).toBe("");
    expect(planned.outputs).toMatchObject({ spec: { progressDeadlineSeconds: 600 } });
    expect(planned.outputs).not.toHaveProperty("status");
    expect((await kube.kubectl(["-n", at, "get", "deployment", "planned"])).exitCode).toBe(1);
  });

  test("knows as much as the program where a namespace, a definition or a value is not there yet", async () => {
    const nowhere = configMap("a", "not-there-yet", { a: "1" });
    expect((await it.create(types.configMap, nowhere, { preview: true })).outputs).toEqual(nowhere);
    const strange = { apiVersion: "nobody.kiln/v1", kind: "Thing", metadata: { name: "a" } };
    expect((await it.create("kubernetes:nobody.kiln/v1:Thing", strange, { preview: true })).outputs).toEqual(
      strange,
    );
    const open = configMap("a", "default", { a: unknown });
    expect((await it.create(types.configMap, open, { preview: true })).outputs).toEqual(open);
  });

  test("says what is invalid", async () => {
    const at = await namespace();
    const wrong = workload("Deployment", "wrong", at, { template: template("another") });
    for (const preview of [true, false]) {
      await expect(it.create(types.deployment, wrong, { preview })).rejects.toThrow(
        /was not successfully created by the Kubernetes API server: .*`selector` does not match template `labels`/,
      );
    }
  });

  test("of an immutable field that no list knows is refused by the API server", async () => {
    const at = await namespace();
    const inputs = workload("StatefulSet", "db", at, { replicas: 1, serviceName: "db" });
    const made = await it.create(types.statefulSet, inputs);
    const changed = workload("StatefulSet", "db", at, { serviceName: "other" });
    const before = { inputs, outputs: made.outputs };
    // A replacement's preview meets the one that is to go.
    const replaced = await it.create(types.statefulSet, changed, { preview: true });
    expect(replaced.outputs).toMatchObject({ metadata: { name: "db" }, spec: { serviceName: "other" } });
    await expect(it.update(types.statefulSet, made.id, before, changed, true)).rejects.toThrow(
      /Forbidden: updates/,
    );
  });
});

describe("two on one object", () => {
  test("a field that another manages is a conflict, named with the other, until it is forced", async () => {
    const at = await namespace();
    const inputs = configMap("shared", at, { a: "1" });
    const made = await it.create(types.configMap, inputs);
    const other = await connect();
    const theirs = { a: "2", b: "2" };
    await expect(other.create(types.configMap, configMap("shared", at, theirs))).rejects.toThrow(
      new RegExp(
        `field conflict detected[\\s\\S]*conflict with "${String(made.outputs.__fieldManager)}": \\.data\\.a[\\s\\S]*pulumi.com/patchForce`,
      ),
    );
    const forced = configMap("shared", at, theirs, { "pulumi.com/patchForce": "true" });
    const taken = await other.create(types.configMap, forced);
    expect(taken.outputs.data).toEqual(theirs);
    const mine = configMap("shared", at, { a: "3" });
    const before = { inputs, outputs: made.outputs };
    for (const preview of [true, false]) {
      await expect(it.update(types.configMap, made.id, before, mine, preview)).rejects.toThrow(
        new RegExp(`conflict with "${String(taken.outputs.__fieldManager)}": \\.data\\.a`),
      );
    }
  });

  test("what a person changed with kubectl, an update takes over", async () => {
    const at = await namespace();
    const inputs = configMap("edited", at, { a: "1" });
    const made = await it.create(types.configMap, inputs);
    await kubectl("-n", at, "patch", "configmap", "edited", "-p", '{"data":{"a":"by hand","c":"theirs"}}');
    const outputs = await it.update(
      types.configMap,
      made.id,
      { inputs, outputs: made.outputs },
      configMap("edited", at, { a: "2" }),
    );
    // All of what kubectl wrote is the program's now, and what it does not ask for goes.
    expect(outputs.data).toEqual({ a: "2" });
  });

  test("a patch resource adds fields to what another owns, and gives them up at its end", async () => {
    const at = await namespace();
    await it.create(types.configMap, configMap("base", at, { a: "1" }));
    const type = "kubernetes:core/v1:ConfigMapPatch";
    const { inputs } = await it.check(type, {
      metadata: { name: "base", namespace: at },
      data: { extra: "1" },
    });
    expect(inputs.kind).toBe("ConfigMap");
    const made = await it.create(type, inputs);
    expect(made.outputs.data).toEqual({ a: "1", extra: "1" });
    await it.delete(type, made.id, { inputs, outputs: made.outputs });
    expect(await live(`-n ${at} configmap base`)).toMatchObject({ data: { a: "1" } });
    expect((await live(`-n ${at} configmap base`)).data).not.toHaveProperty("extra");
    await expect(it.check(type, { metadata: { namespace: at } })).rejects.toThrow("`.metadata.name`");
  });

  test("who may only look is refused, and a preview says so", async () => {
    const viewers = await serve(() => kube.kubeconfig("viewer"));
    try {
      const viewer = await connect({}, viewers);
      const inputs = configMap("mine", await namespace(), {});
      await expect(viewer.create(types.configMap, inputs)).rejects.toThrow(
        /configmaps "mine" is forbidden: User "viewer" cannot/,
      );
      expect((await viewer.create(types.configMap, inputs, { preview: true })).outputs).toEqual(inputs);
    } finally {
      await viewers.close();
    }
  });
});

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
      /was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: timed out waiting for the condition[\s\S]*exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1/,
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
    expect(initFailure(error).reasons[0]).toContain("[DeadlineExceeded]");
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
    expect(failure.reasons[0]).toMatch(
      /timed out waiting for the condition[\s\S]*\[NoRuntime\] no runtime fits/,
    );
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
      /finalizers might be preventing deletion .*probe.kiln\/hold/,
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
