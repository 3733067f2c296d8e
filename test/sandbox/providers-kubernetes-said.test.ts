import { describe, expect, test } from "vitest";
import { NotReady } from "../../sandbox/providers/kubernetes/await.ts";
import {
  createdButNotReady,
  foundNotReady,
  updateFailure,
} from "../../sandbox/providers/kubernetes/failures.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { kindOfApiVersion as kind } from "../../sandbox/providers/kubernetes/kinds.ts";
import {
  boundedPatience,
  shortcomings,
  timeoutMessage,
} from "../../sandbox/providers/kubernetes/shortcomings.ts";
import { removedKind } from "../../sandbox/providers/kubernetes/warnings.ts";

/*
 * What the provider says of an object that does not become ready, as the real one says it.
 */

describe("what is said", () => {
  const object = (more: object = {}) =>
    ({ metadata: { name: "a", namespace: "n" }, ...more }) as unknown as KubeObject;

  test("first when the time is up", () => {
    expect(timeoutMessage(kind("apps/v1", "Deployment"), object(), false)).toBe(
      "'a' timed out waiting to be Ready",
    );
    expect(timeoutMessage(kind("v1", "PersistentVolumeClaim"), object(), false)).toBe(
      "Timeout occurred polling for 'a'",
    );
    for (const [of, named] of [
      [kind("apps/v1", "DaemonSet"), false],
      [kind("apps/v1", "Deployment"), true],
      [kind("example.com/v1", "Thing"), true],
    ] as const) {
      expect(timeoutMessage(of, object(), named)).toBe("timed out waiting for the condition");
    }
  });

  test("no later than the real provider says it", () => {
    expect(boundedPatience(kind("v1", "PersistentVolumeClaim"), 600, false)).toBe(300);
    expect(boundedPatience(kind("v1", "PersistentVolumeClaim"), 20, false)).toBe(20);
    expect(boundedPatience(kind("v1", "PersistentVolumeClaim"), 900, true)).toBe(900);
    expect(boundedPatience(kind("apps/v1", "Deployment"), 900, false)).toBe(900);
  });

  test("of what is lacking", () => {
    const revised = { metadata: { name: "a", annotations: { "deployment.kubernetes.io/revision": "2" } } };
    const available = { type: "Available", status: "True" };
    const rolled = { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" };
    const deployment = kind("apps/v1", "Deployment");
    expect(shortcomings(deployment, object())).toEqual(["Minimum number of live Pods was not attained"]);
    expect(shortcomings(deployment, object({ ...revised, status: { conditions: [available] } }))).toEqual([
      "Minimum number of Pods to consider the application live was not attained",
    ]);
    expect(
      shortcomings(deployment, object({ ...revised, status: { conditions: [available, rolled] } })),
    ).toEqual([
      "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live",
    ]);
    const set = {
      spec: { replicas: 3 },
      status: {
        replicas: 3,
        readyReplicas: 2,
        updatedReplicas: 1,
        currentRevision: "a-1",
        updateRevision: "a-2",
      },
    };
    expect(shortcomings(kind("apps/v1", "StatefulSet"), object(set))).toEqual([
      "1 out of 3 replicas succeeded readiness checks",
      'StatefulSet controller failed to advance from revision "a-1" to revision "a-2"',
    ]);
    const balanced = object({ spec: { type: "LoadBalancer" } });
    expect(shortcomings(kind("v1", "Service"), balanced)).toEqual([
      expect.stringMatching(/^Service does not target any Pods/),
      "Service was not allocated an IP address; does your cloud provider support this?",
    ]);
    const slices = [{ endpoints: [{ conditions: { ready: true } }] }] as unknown as KubeObject[];
    expect(shortcomings(kind("v1", "Service"), object({ spec: { type: "ClusterIP" } }), slices)).toEqual([]);
    expect(shortcomings(kind("v1", "Service"), object({ spec: { clusterIP: "None" } }))).toEqual([]);
    expect(shortcomings(kind("networking.k8s.io/v1", "Ingress"), object())[0]).toContain(
      ".status.loadBalancer",
    );
  });

  test("is a line for each reason to the engine", () => {
    const error = new NotReady("'a' timed out waiting to be Ready", object(), [
      "[Why] because",
      "[Pod n/a]: too big",
    ]);
    expect(error.message).toBe(
      "'a' timed out waiting to be Ready\n  - [Why] because\n  - [Pod n/a]: too big",
    );
    expect(createdButNotReady("urn", error).reasons).toEqual([
      expect.stringMatching(
        /^resource "urn" was successfully created, but .*: 'a' timed out waiting to be Ready$/,
      ),
      "[Why] because",
      "[Pod n/a]: too big",
    ]);
    expect(foundNotReady("a", ["[Why] because"]).reasons).toEqual([
      "Resource 'a' was created but failed to initialize",
      "[Why] because",
    ]);
    expect(updateFailure("urn", "n/a", new Error("no"), true)).toBe(
      'the Kubernetes API server reported that "n/a" failed to fully initialize or become live: no',
    );
    expect(updateFailure("urn", "n/a", new Error("no"), false)).toBe('update of resource "urn" failed: no');
  });

  test("of a kind that Kubernetes has no more", () => {
    expect(removedKind(kind("policy/v1beta1", "PodDisruptionBudget"))).toMatch(
      /^apiVersion "policy\/v1beta1\/PodDisruptionBudget" was removed in Kubernetes 1\.25\. Use "policy\/v1\/PodDisruptionBudget" instead\./,
    );
    expect(removedKind(kind("policy/v1", "PodDisruptionBudget"))).toBeUndefined();
  });
});
