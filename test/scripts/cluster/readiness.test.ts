import { describe, expect, it } from "vitest";
import type { ClusterObject } from "../../../scripts/lib/cluster/objects.ts";
import { readinessOf, whyItStays } from "../../../scripts/lib/cluster/readiness.ts";

const condition = (type: string, status: string, reason = "", message = "") => ({
  type,
  status,
  reason,
  message,
});
const object = (kind: string, status?: object, more: object = {}): ClusterObject =>
  ({ kind, metadata: { name: "x" }, ...(status === undefined ? {} : { status }), ...more }) as ClusterObject;

const cases: readonly (readonly [
  what: string,
  object: ClusterObject | undefined,
  state: string,
  why?: RegExp,
])[] = [
  ["what is not there", undefined, "Missing"],
  ["what has no status", object("RoleBinding"), "Ready"],
  ["a namespace", object("Namespace", { phase: "Active" }), "Ready"],
  [
    "a namespace on its way out",
    object(
      "Namespace",
      {
        phase: "Terminating",
        conditions: [
          condition("NamespaceFinalizersRemaining", "True", "", "example.com/hold in 1 resource instances"),
        ],
      },
      { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" }, spec: { finalizers: ["kubernetes"] } },
    ),
    "Terminating",
    /example\.com\/hold in 1 resource instances finalizers: kubernetes/,
  ],
  ["a deployment", object("Deployment", { availableReplicas: 1 }), "Ready"],
  [
    "one that gets there",
    object("Deployment", { availableReplicas: 1 }, { spec: { replicas: 2 } }),
    "Pending",
    /1 of 2/,
  ],
  [
    "one that was changed a moment ago",
    object("Deployment", { availableReplicas: 1, observedGeneration: 1 }, { metadata: { generation: 2 } }),
    "Pending",
  ],
  ["one scaled to nothing", object("Deployment", {}, { spec: { replicas: 0 } }), "Stopped"],
  [
    "one whose pods are refused",
    object("Deployment", {
      conditions: [condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")],
    }),
    "Failed",
    /exceeded quota/,
  ],
  [
    "one that gave up",
    object("Deployment", {
      conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded", "late")],
    }),
    "Failed",
    /late/,
  ],
  ["a stateful set", object("StatefulSet", { readyReplicas: 1 }), "Ready"],
  ["a claim that waits for its pod", object("PersistentVolumeClaim", { phase: "Pending" }), "Ready"],
  ["a claim that lost its volume", object("PersistentVolumeClaim", { phase: "Lost" }), "Failed"],
  ["a job at work", object("Job", { active: 1 }), "Pending"],
  ["a job that is done", object("Job", { conditions: [condition("Complete", "True")] }), "Ready"],
  [
    "a job that failed",
    object("Job", { conditions: [condition("Failed", "True", "BackoffLimitExceeded", "no")] }),
    "Failed",
    /no/,
  ],
  ["a cron job", object("CronJob", {}), "Ready"],
  ["a cron job that is suspended", object("CronJob", {}, { spec: { suspend: true } }), "Stopped"],
  ["a notebook", object("Notebook", { readyReplicas: 1 }), "Ready"],
  ["a notebook that starts", object("Notebook", { readyReplicas: 0 }), "Pending"],
  [
    "a notebook that is stopped",
    object("Notebook", {}, { metadata: { annotations: { "kubeflow-resource-stopped": "x" } } }),
    "Stopped",
  ],
  ["a model", object("InferenceService", { conditions: [condition("Ready", "True")] }), "Ready"],
  [
    "a model that loads",
    object("InferenceService", { conditions: [condition("Ready", "False", "Loading", "soon")] }),
    "Pending",
    /soon/,
  ],
  [
    "a model that cannot be loaded",
    object("InferenceService", {
      conditions: [condition("Ready", "False")],
      modelStatus: { transitionStatus: "BlockedByFailedLoad", lastFailureInfo: { message: "no such file" } },
    }),
    "Failed",
    /no such file/,
  ],
  [
    "a model whose old version serves, and the new one cannot be loaded",
    object("InferenceService", {
      conditions: [condition("Ready", "True")],
      modelStatus: { transitionStatus: "BlockedByFailedLoad", lastFailureInfo: { message: "no such file" } },
    }),
    "Failed",
    /no such file/,
  ],
  [
    "a model that is stopped",
    object("InferenceService", {}, { metadata: { annotations: { "serving.kserve.io/stop": "true" } } }),
    "Stopped",
  ],
  [
    "a secret that the vault does not have",
    object("ExternalSecret", { conditions: [condition("Ready", "False", "SecretSyncedError", "gone")] }),
    "Failed",
    /gone/,
  ],
  ["a route", object("Route", { ingress: [{ conditions: [condition("Admitted", "True")] }] }), "Ready"],
  [
    "a route that another one is before",
    object("Route", {
      ingress: [{ conditions: [condition("Admitted", "False", "HostAlreadyClaimed", "taken")] }],
    }),
    "Pending",
    /taken/,
  ],
  [
    "an autoscaler without metrics",
    object("HorizontalPodAutoscaler", { conditions: [condition("ScalingActive", "False")] }),
    "Ready",
  ],
];

describe("how an object is", () => {
  it.each(cases.map(([what, given, state, why]) => ({ what, given, state, why })))("$what", (each) => {
    const { given, state, why } = each;
    const is = readinessOf(given);
    expect(is.state).toBe(state);
    if (why !== undefined) expect(is.why).toMatch(why);
  });

  it("has no reason to stay where nothing holds it", () => {
    expect(whyItStays(object("Namespace"))).toBe("");
  });
});
