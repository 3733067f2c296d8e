import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { warningsOf } from "../../sandbox/providers/kubernetes/answer.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { parseJsonPath, select } from "../../sandbox/providers/kubernetes/json-path.ts";
import { readinessRule, type Surroundings } from "../../sandbox/providers/kubernetes/readiness.ts";
import { complaints, concerns, podComplaints } from "../../sandbox/providers/kubernetes/reasons.ts";
import { propagationPolicy } from "../../sandbox/providers/kubernetes/remove.ts";
import { parseWaitFor, waitForOf, waitVerdict } from "../../sandbox/providers/kubernetes/wait-for.ts";

/*
 * What the provider waits for, and how it explains that it waits.
 */

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
