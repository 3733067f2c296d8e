import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { driftInputs, importedInputs, toObject, toOutputs } from "../../sandbox/providers/kubernetes/body.ts";
import { completeInputs } from "../../sandbox/providers/kubernetes/check.ts";
import { warningsOf } from "../../sandbox/providers/kubernetes/client.ts";
import { diffObjects } from "../../sandbox/providers/kubernetes/diff.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { parseJsonPath, select } from "../../sandbox/providers/kubernetes/json-path.ts";
import { isList, isPatch, kindKey, kindOfToken, liveKind } from "../../sandbox/providers/kubernetes/kinds.ts";
import { takeOver } from "../../sandbox/providers/kubernetes/managed-fields.ts";
import { readinessRule, type Surroundings } from "../../sandbox/providers/kubernetes/readiness.ts";
import { complaints, concerns, podComplaints } from "../../sandbox/providers/kubernetes/reasons.ts";
import { parseId, propagationPolicy } from "../../sandbox/providers/kubernetes/remove.ts";
import { parseWaitFor, waitForOf, waitVerdict } from "../../sandbox/providers/kubernetes/wait-for.ts";
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
    expect(isPatch(kindOfToken("kubernetes:config.example/v1:DogPatch"))).toBe(false);
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

describe("pulumi.com/waitFor", () => {
  const object = {
    metadata: { generation: 2 },
    status: {
      observedGeneration: 2,
      phase: "Running",
      replicas: 3,
      ok: true,
      conditions: [
        { type: "Ready", status: "True" },
        { type: "PredictorReady", status: "False", reason: "Nope", message: "no runtime" },
      ],
      "odd.key": { list: [1, 2] },
    },
  } satisfies KubeObject;
  const verdict = (expression: string, on: KubeObject = object) =>
    waitVerdict([parseWaitFor(expression)], on);

  test.each([
    "condition=Ready",
    "condition=ready=true",
    "condition=PredictorReady=False",
    "jsonpath={.status.phase}=Running",
    "jsonpath={.status.phase}",
    "jsonpath={ .status.replicas }=3",
    "jsonpath={.status.ok}=true",
    "jsonpath={$.status['odd.key'].list[-1]}=2",
    'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
    'jsonpath={.status.conditions[?@.type=="PredictorReady" && @.status!="True"].reason}=Nope',
    "jsonpath={.status.conditions[*].type}=Ready",
    "jsonpath={..list}",
  ])("%s is so", (expression) => {
    expect(verdict(expression)).toEqual({ state: "ready" });
  });

  test.each([
    ["condition=PredictorReady", "it is False: no runtime"],
    ["condition=Stopped", "Waiting for condition Stopped=True"],
    ["jsonpath={.status.phase}=Failed", 'found "Running"'],
    ["jsonpath={.status.nothing}", "selected nothing"],
    ["jsonpath={.status.conditions}=x", "is no single value"],
  ])("%s is waited for: %s", (expression, message) => {
    expect(verdict(expression)).toEqual({ state: "waiting", message: expect.stringContaining(message) });
  });

  test("a status of before the change does not count", () => {
    const stale = { ...object, metadata: { generation: 3 } };
    expect(verdict("condition=Ready", stale).state).toBe("waiting");
    expect(verdict("jsonpath={.status.phase}=Running", stale).state).toBe("waiting");
  });

  test.each([
    ["Ready", 'expected a "jsonpath=" or "condition=" prefix'],
    ["jsonpath=.status.phase", "should be wrapped in brackets"],
    ["jsonpath='{.status.phase}'", "should omit shell quotes"],
    ["jsonpath={.status.phase}=", "requires a value"],
    ["jsonpath={.status.phase}Running", "format should be"],
    ["jsonpath={.status[}", "is no JSONPath"],
    ["jsonpath={.status[?(x==1)]}", "is no JSONPath"],
  ])("%s is refused", (expression, message) => {
    expect(() => parseWaitFor(expression)).toThrow(message);
  });

  test("an annotation holds one, or a list of them", () => {
    const annotated = (text: string) =>
      waitForOf({ metadata: { annotations: { "pulumi.com/waitFor": text } } });
    expect(annotated("condition=Ready")).toHaveLength(1);
    expect(annotated('["condition=Ready","jsonpath={.a}"]')).toHaveLength(2);
    expect(() => annotated("[]")).toThrow("at least one");
    expect(waitForOf({ metadata: {} })).toBeUndefined();
  });

  test("a path finds what stands at it", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }), (names) => {
        const nested = names.reduceRight<unknown>((inner, key) => ({ [key]: inner }), "found") as KubeObject;
        const path = names.map((key) => `['${key.replace(/[\\']/g, "\\$&")}']`).join("");
        expect(select(parseJsonPath(`$${path}`), nested)).toEqual(["found"]);
      }),
    );
  });
});

describe("readiness", () => {
  const verdict = (kind: string, object: object, around: Surroundings = {}) =>
    readinessRule(kind)?.(
      { metadata: { name: "it", namespace: "n", generation: 1 }, ...object } as KubeObject,
      around,
    ).state;
  const condition = (type: string, status: string, reason = "", message = "") => ({
    type,
    status,
    reason,
    message,
  });

  test("a Deployment is there when the new Pods are, and its controller has seen it", () => {
    const status = (replicas: number, observedGeneration = 1) => ({
      spec: { replicas: 2 },
      status: {
        observedGeneration,
        updatedReplicas: replicas,
        availableReplicas: replicas,
        conditions: [
          condition("Available", "True"),
          condition("Progressing", "True", "NewReplicaSetAvailable"),
        ],
      },
    });
    expect(verdict("apps/v1/Deployment", status(2))).toBe("ready");
    expect(verdict("apps/v1/Deployment", status(1))).toBe("waiting");
    expect(verdict("apps/v1/Deployment", status(2, 0))).toBe("waiting");
    expect(verdict("apps/v1/Deployment", {})).toBe("waiting");
  });

  test("more Pods never make a workload less ready", () => {
    const kinds = fc.constantFrom("apps/v1/Deployment", "apps/v1/DaemonSet", "apps/v1/ReplicaSet");
    fc.assert(
      fc.property(kinds, fc.nat(5), fc.nat(5), (kind, wanted, live) => {
        const all = [
          "updatedReplicas",
          "availableReplicas",
          "readyReplicas",
          "currentNumberScheduled",
          "updatedNumberScheduled",
          "numberAvailable",
          "numberReady",
        ];
        const counts = (count: number) => Object.fromEntries(all.map((each) => [each, count]));
        const object = (count: number) => ({
          spec: { replicas: wanted },
          status: {
            observedGeneration: 1,
            replicas: wanted,
            desiredNumberScheduled: wanted,
            conditions: [condition("Available", "True")],
            ...counts(count),
          },
        });
        expect(verdict(kind, object(live))).toBe(live >= wanted ? "ready" : "waiting");
      }),
    );
  });

  test("a StatefulSet needs its revision, unless it waits for people to delete its Pods", () => {
    const object = (from: string, updateStrategy: object = {}, generation = 1) => ({
      metadata: { generation },
      spec: { replicas: 1, updateStrategy },
      status: {
        observedGeneration: generation,
        replicas: 1,
        readyReplicas: 1,
        currentReplicas: 1,
        currentRevision: from,
        updateRevision: "b",
      },
    });
    expect(verdict("apps/v1/StatefulSet", object("b"))).toBe("ready");
    expect(verdict("apps/v1/StatefulSet", object("a"))).toBe("waiting");
    expect(verdict("apps/v1/StatefulSet", object("a", { type: "OnDelete" }, 2))).toBe("ready");
  });

  test("a Job ends well or badly", () => {
    const object = (...conditions: object[]) => ({ status: { startTime: "now", conditions } });
    expect(verdict("batch/v1/Job", object(condition("Complete", "True")))).toBe("ready");
    expect(verdict("batch/v1/Job", object(condition("Failed", "True", "BackoffLimitExceeded", "no")))).toBe(
      "failed",
    );
    expect(verdict("batch/v1/Job", object())).toBe("waiting");
    expect(verdict("batch/v1/Job", { spec: { suspend: true } })).toBe("waiting");
  });

  test("a Pod is ready, or done", () => {
    const on = (...types: string[]) => types.map((type) => condition(type, "True"));
    expect(verdict("v1/Pod", { status: { conditions: on("PodScheduled", "Initialized", "Ready") } })).toBe(
      "ready",
    );
    expect(
      verdict("v1/Pod", { status: { conditions: on("PodScheduled", "Initialized"), phase: "Succeeded" } }),
    ).toBe("ready");
    for (const types of [[], ["PodScheduled"], ["PodScheduled", "Initialized"]]) {
      expect(verdict("v1/Pod", { status: { conditions: on(...types) } })).toBe("waiting");
    }
  });

  test("a Service waits for its Pods, where it finds them by itself", () => {
    const service = (spec: object, status = {}) => ({ spec: { selector: { app: "a" }, ...spec }, status });
    const slice = (ready: boolean, terminating = false) => ({
      endpoints: [{ conditions: { ready, terminating } }],
    });
    const slices = (...list: object[]) => ({ slices: list as unknown as KubeObject[] });
    expect(verdict("v1/Service", service({}))).toBe("waiting");
    expect(verdict("v1/Service", service({}), slices({}))).toBe("ready");
    expect(verdict("v1/Service", service({}), slices(slice(true)))).toBe("ready");
    expect(verdict("v1/Service", service({}), slices(slice(true), slice(false)))).toBe("waiting");
    expect(verdict("v1/Service", service({}), slices(slice(false, true)))).toBe("ready");
    expect(verdict("v1/Service", service({ clusterIP: "None" }))).toBe("ready");
    expect(verdict("v1/Service", service({ type: "ExternalName" }))).toBe("ready");
    expect(verdict("v1/Service", service({ selector: {} }))).toBe("ready");
    expect(verdict("v1/Service", service({ type: "LoadBalancer" }), slices({}))).toBe("waiting");
    const placed = { loadBalancer: { ingress: [{ ip: "1.1.1.1" }] } };
    expect(verdict("v1/Service", service({ type: "LoadBalancer" }, placed), slices({}))).toBe("ready");
  });

  test("volumes, claims, quotas, tokens, ingresses and definitions", () => {
    expect(verdict("v1/PersistentVolume", { status: { phase: "Available" } })).toBe("ready");
    expect(verdict("v1/PersistentVolume", { status: { phase: "Failed" } })).toBe("waiting");
    expect(verdict("v1/PersistentVolumeClaim", { status: { phase: "Bound" } })).toBe("ready");
    expect(verdict("v1/PersistentVolumeClaim", { status: { phase: "Pending" } })).toBe("waiting");
    const first = { bindingMode: "WaitForFirstConsumer" };
    expect(verdict("v1/PersistentVolumeClaim", { status: { phase: "Pending" } }, first)).toBe("ready");
    expect(verdict("v1/ResourceQuota", { spec: { hard: { pods: "1" } }, status: {} })).toBe("waiting");
    expect(
      verdict("v1/ResourceQuota", { spec: { hard: { pods: "1" } }, status: { hard: { pods: "1" } } }),
    ).toBe("ready");
    expect(verdict("v1/Secret", {})).toBe("ready");
    const token = { type: "kubernetes.io/service-account-token" };
    expect(verdict("v1/Secret", token)).toBe("waiting");
    expect(verdict("v1/Secret", { ...token, data: { token: "" } })).toBe("ready");
    expect(verdict("networking.k8s.io/v1/Ingress", {})).toBe("waiting");
    const definition = (...conditions: object[]) => ({ status: { conditions } });
    const kind = "apiextensions.k8s.io/v1/CustomResourceDefinition";
    expect(verdict(kind, definition(condition("Established", "True")))).toBe("ready");
    expect(verdict(kind, definition(condition("NamesAccepted", "False", "Taken", "")))).toBe("failed");
    expect(verdict(kind, definition())).toBe("waiting");
    expect(verdict("v1/ConfigMap", {})).toBeUndefined();
  });
});

describe("reasons", () => {
  test("conditions that are not as they should be complain", () => {
    const conditions = [
      { type: "Ready", status: "False", reason: "NoRuntime", message: "none fits" },
      { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" },
      { type: "Progressing", status: "True", reason: "Fine", message: "" },
      { type: "Degraded", status: "False", reason: "Fine", message: "" },
    ];
    expect(complaints({ status: { conditions } })).toEqual(["[NoRuntime] none fits", "[FailedCreate] quota"]);
  });

  test("a Pod's containers say what hinders them", () => {
    const containerStatuses = [
      {
        name: "a",
        ready: false,
        state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } },
      },
      { name: "b", ready: false, state: { terminated: { reason: "Error", exitCode: 3 } } },
      { name: "c", ready: true },
      { name: "d", ready: false, state: { waiting: { reason: "ContainerCreating" } } },
    ];
    expect(podComplaints({ metadata: { name: "p" }, status: { containerStatuses } })).toEqual([
      "[Pod p]: [ImagePullBackOff] no such image",
      '[Pod p]: container "b" completed with exit code 3',
    ]);
    const unscheduled = { type: "PodScheduled", status: "False", message: "0/3 nodes are available" };
    expect(podComplaints({ metadata: { name: "p" }, status: { conditions: [unscheduled] } })).toEqual([
      "[Pod p]: 0/3 nodes are available",
    ]);
  });

  test("an event concerns the object and what was made for it", () => {
    const object = { metadata: { name: "web", uid: "1" } };
    const event = (involvedObject: object) => ({ involvedObject }) as unknown as KubeObject;
    expect(concerns(event({ uid: "1" }), object)).toBe(true);
    expect(concerns(event({ uid: "2", kind: "Pod", name: "web-abc-1" }), object)).toBe(true);
    expect(concerns(event({ uid: "2", kind: "Service", name: "web-abc" }), object)).toBe(false);
    expect(concerns(event({ uid: "2", kind: "Pod", name: "other-1" }), object)).toBe(false);
  });
});

test("what is made for an object goes before it, unless the program says otherwise", () => {
  expect([undefined, "background", "Orphan", "odd"].map(propagationPolicy)).toEqual([
    "Foreground",
    "Background",
    "Orphan",
    "Foreground",
  ]);
});

test("warnings are read out of their header", () => {
  const header = '299 - "v1 Endpoints is deprecated in v1.33+", 299 - "unknown field \\"spec.a, b\\""';
  expect(warningsOf(header)).toEqual(["v1 Endpoints is deprecated in v1.33+", 'unknown field "spec.a, b"']);
  expect(warningsOf(undefined)).toEqual([]);
});
