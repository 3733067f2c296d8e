import { describe, expect, test } from "vitest";
import { Secret, unknown, type ValueMap } from "../../sandbox/providers/values.ts";
import {
  configMap,
  connect,
  it,
  kube,
  kubectl,
  live,
  namespace,
  serve,
  template,
  types,
  useProvider,
  workload,
} from "./providers-kubernetes-support.ts";

/*
 * The provider against a real API server: what becomes of an object, what a preview says, and two who want the same.
 */

useProvider();

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
