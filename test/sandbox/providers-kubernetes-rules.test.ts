import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { driftInputs, importedInputs, toObject, toOutputs } from "../../sandbox/providers/kubernetes/body.ts";
import { completeInputs } from "../../sandbox/providers/kubernetes/check.ts";
import { diffObjects } from "../../sandbox/providers/kubernetes/diff.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { isList, isPatch, kindKey, kindOfToken, liveKind } from "../../sandbox/providers/kubernetes/kinds.ts";
import { takeOver } from "../../sandbox/providers/kubernetes/managed-fields.ts";
import { parseId } from "../../sandbox/providers/kubernetes/remove.ts";
import type { CheckRequest } from "../../sandbox/providers/provider.ts";
import { Secret, unknown, type ValueMap } from "../../sandbox/providers/values.ts";

/*
 * What the provider decides without an API server.
 */

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);

describe("kinds", () => {
  test("a token names the kind, the core group has none", () => {
    expect(kindKey(kindOfToken("kubernetes:core/v1:Pod"))).toBe("v1/Pod");
    expect(kindKey(kindOfToken("kubernetes:apps/v1:Deployment"))).toBe("apps/v1/Deployment");
    const service = kindOfToken("kubernetes:serving.kserve.io/v1beta1:InferenceService");
    expect(service).toEqual({ group: "serving.kserve.io", version: "v1beta1", kind: "InferenceService" });
  });

  test("patches and lists are the SDK's, not those of a definition that is called so", () => {
    expect(isPatch(kindOfToken("kubernetes:apps/v1:DeploymentPatch"))).toBe(true);
    expect(isPatch(kindOfToken("kubernetes:networking.k8s.io/v1:IngressPatch"))).toBe(true);
    expect(isPatch(kindOfToken("kubernetes:config.example/v1:DogPatch"), "DogPatch")).toBe(false);
    expect(isPatch(kindOfToken("kubernetes:config.example/v1:DogPatch"), "Dog")).toBe(true);
    expect(isList(kindOfToken("kubernetes:core/v1:PodList"))).toBe(true);
    expect(isList(kindOfToken("kubernetes:example.com/v1:BlockList"))).toBe(false);
    expect(liveKind(kindOfToken("kubernetes:apps/v1:DeploymentPatch")).kind).toBe("Deployment");
  });

  test("what is no object is refused", () => {
    for (const token of [
      "kubernetes:yaml:ConfigFile",
      "kubernetes:helm.sh/v4:Chart",
      "kubernetes:kustomize/v2:Directory",
    ]) {
      expect(() => kindOfToken(token)).toThrow(`does not serve '${token}'`);
    }
    expect(() => kindOfToken("kubernetes:core:Pod")).toThrow("both a group and a version");
  });

  test("an id is a name, with its namespace or without", () => {
    fc.assert(
      fc.property(name, fc.option(name, { nil: undefined }), (own, namespace) => {
        const id = namespace === undefined ? own : `${namespace}/${own}`;
        expect(parseId(id)).toEqual({ namespace, name: own });
      }),
    );
    for (const wrong of ["", "/", "a/", "/a", "a/b/c"]) expect(() => parseId(wrong)).toThrow("is no id");
  });
});

describe("inputs", () => {
  const kind = kindOfToken("kubernetes:core/v1:ConfigMap");
  const request = (news: ValueMap, more: Partial<CheckRequest> = {}): CheckRequest => ({
    urn: "urn:pulumi:dev::probe::kubernetes:core/v1:ConfigMap::settings",
    type: "kubernetes:core/v1:ConfigMap",
    name: "settings",
    olds: {},
    news,
    randomSeed: Buffer.from("seed"),
    ...more,
  });

  test("get a name that is theirs for good", () => {
    const first = completeInputs(kind, request({ data: { a: "1" } }));
    expect(first.metadata).toEqual({
      name: expect.stringMatching(/^settings-[0-9a-f]{8}$/),
      annotations: { "pulumi.com/autonamed": "true" },
    });
    const later = completeInputs(
      kind,
      request({ data: { a: "2" } }, { olds: first, randomSeed: Buffer.from("other") }),
    );
    expect(later.metadata).toEqual(first.metadata);
    const proposed = completeInputs(
      kind,
      request({}, { autonaming: { mode: "propose", proposed: "settings-x" } }),
    );
    expect(proposed.metadata).toMatchObject({ name: "settings-x" });
    const disabled = request({}, { autonaming: { mode: "disable", proposed: "" } });
    expect(() => completeInputs(kind, disabled)).toThrow("autonaming is disabled");
  });

  test("a name that was given stays, and one that is not known yet, too", () => {
    for (const given of ["mine", unknown]) {
      const inputs = completeInputs(kind, request({ metadata: { name: given } }));
      expect(inputs.metadata).toEqual({ name: given });
    }
    expect(completeInputs(kind, request({ metadata: unknown })).metadata).toBe(unknown);
  });

  test("what only the API server writes is left out", () => {
    const inputs = completeInputs(
      kind,
      request({
        metadata: { name: "a", uid: "1", resourceVersion: "2", managedFields: [], generation: 3 },
        status: {},
      }),
    );
    expect(inputs).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  });

  test("a Secret's data are secret, and sent as data", () => {
    const secrets = kindOfToken("kubernetes:core/v1:Secret");
    const inputs = completeInputs(
      secrets,
      request({ metadata: { name: "a" }, data: { k: "YQ==" }, stringData: { s: "b" } }),
    );
    expect(inputs.data).toEqual(new Secret({ k: "YQ==" }));
    expect(toObject(inputs)).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a" },
      data: { k: "YQ==", s: "Yg==" },
    });
    const applied = { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"k":"YQ=="}}' };
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a", annotations: applied },
      data: { k: "YQ==" },
    };
    const outputs = toOutputs(object, {}, "pulumi-kubernetes-1");
    expect((outputs.metadata as ValueMap).annotations).toEqual({
      "kubectl.kubernetes.io/last-applied-configuration": new Secret(Object.values(applied)[0] ?? ""),
    });
    expect(importedInputs(outputs).metadata).toEqual({ name: "a" });
  });

  test("of a definition, schema words have the SDK's names in state and their own on the wire", () => {
    const state = {
      schema: {
        x_kubernetes_int_or_string: true,
        x_kubernetes_mine: 1,
        nested: [{ x_kubernetes_list_type: "set" }],
      },
    };
    const wire = {
      schema: {
        "x-kubernetes-int-or-string": true,
        x_kubernetes_mine: 1,
        nested: [{ "x-kubernetes-list-type": "set" }],
      },
    };
    expect(toObject(state)).toEqual(wire);
    expect(toOutputs(wire, {}, "m")).toMatchObject(state);
  });
});

describe("differences", () => {
  const settings = { enableConfigMapMutable: false, enableSecretMutable: false };
  const differ = (
    token: string,
    olds: ValueMap,
    news: ValueMap,
    options = settings,
    live: ValueMap = { name: "a", namespace: "n" },
  ) =>
    diffObjects(
      kindOfToken(token),
      {
        oldInputs: { metadata: { name: "a", namespace: "n" }, ...olds },
        oldOutputs: { metadata: live },
        inputs: { metadata: { name: "a", namespace: "n" }, ...news },
      },
      options,
    );
  const replaces = (...args: Parameters<typeof differ>) =>
    differ(...args)
      .changes.filter(({ replace }) => replace)
      .map(({ path }) => path);

  test("nothing is nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (spec) => {
        expect(
          differ("kubernetes:apps/v1:Deployment", { spec } as ValueMap, { spec } as ValueMap).changes,
        ).toEqual([]);
      }),
    );
  });

  test.each([
    [
      "kubernetes:apps/v1:Deployment",
      { spec: { selector: { matchLabels: { a: "1" } } } },
      { spec: { selector: { matchLabels: { a: "2" } } } },
      "spec.selector.matchLabels.a",
    ],
    [
      "kubernetes:batch/v1:Job",
      { spec: { template: { spec: { x: 1 } } } },
      { spec: { template: { spec: { x: 2 } } } },
      "spec.template.spec.x",
    ],
    [
      "kubernetes:apps/v1:StatefulSet",
      { spec: { serviceName: "a" } },
      { spec: { serviceName: "b" } },
      "spec.serviceName",
    ],
    [
      "kubernetes:core/v1:Service",
      { spec: { clusterIP: "1.1.1.1" } },
      { spec: { clusterIP: "None" } },
      "spec.clusterIP",
    ],
    [
      "kubernetes:core/v1:PersistentVolumeClaim",
      { spec: { storageClassName: "a" } },
      { spec: { storageClassName: "b" } },
      "spec.storageClassName",
    ],
    [
      "kubernetes:core/v1:Pod",
      { spec: { containers: [{ image: "a" }] } },
      { spec: { containers: [{ image: "b" }] } },
      "spec.containers[0].image",
    ],
    [
      "kubernetes:core/v1:Pod",
      { spec: { containers: [{ image: "a" }] } },
      { spec: { containers: [{ image: "a" }, { image: "b" }] } },
      "spec.containers[1]",
    ],
    [
      "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
      { roleRef: { name: "a" } },
      { roleRef: { name: "b" } },
      "roleRef.name",
    ],
    ["kubernetes:core/v1:ConfigMap", { data: { a: "1" } }, { data: { a: "2" } }, "data.a"],
    ["kubernetes:core/v1:Secret", { stringData: { a: "1" } }, { stringData: { a: "2" } }, "stringData.a"],
    [
      "kubernetes:core/v1:Namespace",
      { metadata: { name: "a" } },
      { metadata: { name: "b" } },
      "metadata.name",
    ],
    [
      "kubernetes:example.com/v1:Thing",
      { metadata: { name: "a", namespace: "n" } },
      { metadata: { name: "a", namespace: "m" } },
      "metadata.namespace",
    ],
  ])("%s: a new one", (token, olds, news, path) => {
    expect(replaces(token, olds, news)).toEqual([path]);
  });

  test.each([
    ["kubernetes:apps/v1:Deployment", { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }],
    ["kubernetes:core/v1:Service", { spec: { type: "ClusterIP" } }, { spec: { type: "NodePort" } }],
    [
      "kubernetes:core/v1:PersistentVolumeClaim",
      { spec: { resources: { requests: { storage: "1Gi" } } } },
      { spec: { resources: { requests: { storage: "2Gi" } } } },
    ],
    [
      "kubernetes:policy/v1:PodDisruptionBudget",
      { spec: { minAvailable: 1 } },
      { spec: { minAvailable: 2 } },
    ],
    [
      "kubernetes:serving.kserve.io/v1beta1:InferenceService",
      { spec: { predictor: {} } },
      { spec: { predictor: { minReplicas: 2 } } },
    ],
    ["kubernetes:core/v1:ConfigMapPatch", { data: { a: "1" } }, { data: { a: "2" } }],
  ])("%s: in place", (token, olds, news) => {
    expect(differ(token, olds, news).changes).toHaveLength(1);
    expect(replaces(token, olds, news)).toEqual([]);
  });

  test("a ConfigMap or a Secret changes in place where that is switched on, unless it is immutable itself", () => {
    const mutable = { enableConfigMapMutable: true, enableSecretMutable: true };
    const [olds, news] = [{ data: { a: "1" } }, { data: { a: "2" } }];
    for (const token of ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"]) {
      expect(replaces(token, olds, news, mutable)).toEqual([]);
      expect(replaces(token, { ...olds, immutable: true }, { ...news, immutable: true }, mutable)).toEqual([
        "data.a",
      ]);
    }
  });

  test("the old one goes first where the new one has its name, and nobody but people gave it", () => {
    const [olds, news] = [{ data: { a: "1" } }, { data: { a: "2" } }];
    expect(differ("kubernetes:core/v1:ConfigMap", olds, news).deleteBeforeReplace).toBe(true);
    const metadata = { name: "a", namespace: "n", annotations: { "pulumi.com/autonamed": "true" } };
    const autonamed = differ("kubernetes:core/v1:ConfigMap", { ...olds, metadata }, { ...news, metadata });
    expect(autonamed.deleteBeforeReplace).toBe(false);
    const elsewhere = { ...news, metadata: { name: "a", namespace: "m" } };
    expect(differ("kubernetes:core/v1:ConfigMap", olds, elsewhere).deleteBeforeReplace).toBe(false);
  });

  test("to leave the namespace out is to name the default one, and says nothing of what stands in none", () => {
    const named = { metadata: { name: "a", namespace: "default" } };
    const bare = { metadata: { name: "a" } };
    const live = { name: "a", namespace: "default" };
    expect(differ("kubernetes:core/v1:ConfigMap", bare, named, settings, live).changes).toEqual([]);
    expect(differ("kubernetes:core/v1:Namespace", bare, named, settings, { name: "a" }).changes).toEqual([]);
  });
});

describe("drift", () => {
  const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 5,
  });

  test("what is as it was, has not drifted, whatever the API server made of it", () => {
    fc.assert(
      fc.property(json, json, (inputs, live) => {
        const clean = JSON.parse(JSON.stringify(inputs, (_, value) => value ?? undefined)) as ValueMap;
        const same = { ...(live as ValueMap), ...clean };
        expect(driftInputs(clean, same, same)).toEqual(clean);
      }),
    );
    const inputs = { spec: { cpu: "1000m", ports: [{ port: 80 }] } };
    const live = { spec: { cpu: "1", ports: [{ port: 80, protocol: "TCP" }], replicas: 1 } };
    expect(driftInputs(inputs, live, live)).toEqual(inputs);
  });

  test("what changed is taken over, what went is left out, what others added is theirs", () => {
    const inputs = {
      spec: { replicas: 1, paused: true, list: ["a"], containers: [{ name: "main", image: "a" }] },
    };
    const before = {
      spec: {
        replicas: 1,
        paused: true,
        list: ["a"],
        containers: [{ name: "main", image: "a", tty: false }],
      },
    };
    const after = {
      metadata: { labels: { by: "hand" } },
      spec: {
        replicas: 2,
        list: ["a", "b"],
        containers: [
          { name: "sidecar", image: "x" },
          { name: "main", image: "b", tty: true },
        ],
      },
    };
    expect(driftInputs(inputs, before, after)).toEqual({
      spec: { replicas: 2, list: ["a", "b"], containers: [{ name: "main", image: "b" }] },
    });
  });

  test("secrets stay secret, and what a create's end left unknown is looked up", () => {
    const inputs = { data: new Secret({ a: "1", b: "2" }) };
    expect(driftInputs(inputs, {}, { data: { a: "3", b: "2", c: "4" } })).toEqual({
      data: new Secret({ a: "3", b: "2" }),
    });
  });
});

describe("managers of fields", () => {
  const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}) => ({
    manager,
    operation,
    fieldsV1,
    ...more,
  });
  const object = (...managedFields: object[]) => ({ metadata: { managedFields } }) as unknown as KubeObject;

  test("what kubectl wrote goes to who updates, what others wrote and a subresource does not", () => {
    const others = [
      entry("rival", "Apply", { "f:data": { "f:x": {} } }),
      entry("kubectl", "Update", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
    ];
    const own = entry("me", "Apply", { "f:data": { "f:a": {} } });
    const edit = entry("kubectl-edit", "Update", { "f:data": { "f:b": {} }, "f:metadata": {} });
    expect(takeOver(object(own, edit, ...others), "me")).toEqual([
      ...others,
      { ...own, fieldsV1: { "f:data": { "f:a": {}, "f:b": {} }, "f:metadata": {} } },
    ]);
    expect(takeOver(object(edit), "me")).toEqual([{ ...edit, manager: "me", operation: "Apply" }]);
    expect(takeOver(object(own, ...others), "me")).toBeUndefined();
  });

  test("no field is lost", () => {
    const fields = fc.dictionary(name, fc.dictionary(name, fc.constant({}), { maxKeys: 3 }), { maxKeys: 3 });
    fc.assert(
      fc.property(fields, fields, (mine, theirs) => {
        const [taken] =
          takeOver(object(entry("me", "Apply", mine), entry("kubectl-x", "Update", theirs)), "me") ?? [];
        expect(taken?.fieldsV1).toMatchObject(mine);
        expect(taken?.fieldsV1).toMatchObject(theirs);
      }),
    );
  });
});
