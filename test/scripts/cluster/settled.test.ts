import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Cluster } from "../../../scripts/lib/cluster/client.ts";
import type { ClusterObject } from "../../../scripts/lib/cluster/objects.ts";
import { settledInCluster } from "../../../scripts/lib/cluster/settled.ts";
import { testContext } from "../support.ts";

// What passes between two looks is up to the test; the pauses themselves are real and short.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const ref = { apiVersion: "v1", kind: "Namespace", name: "kiln-dev-fraud", namespace: undefined };
const there: ClusterObject = { kind: "Namespace", metadata: { name: "kiln-dev-fraud" } };
const going: ClusterObject = {
  kind: "Namespace",
  metadata: { name: "kiln-dev-fraud", deletionTimestamp: "2026-03-02T10:00:00Z" },
  status: {
    conditions: [
      {
        type: "NamespaceFinalizersRemaining",
        status: "True",
        message: "Some content has finalizers remaining: example.com/hold.",
      },
    ],
  },
};

/** A cluster that answers these, one after the other, the last for good; seconds pass before each answer. */
function cluster(answers: readonly (ClusterObject | undefined)[], seconds = 0) {
  let asked = 0;
  const read = async () => {
    vi.setSystemTime(Date.now() + seconds * 1000);
    return answers[Math.min(asked++, answers.length - 1)];
  };
  return { read } as unknown as Cluster;
}

it("tells at once whether something is there that nobody deletes", async () => {
  const context = testContext();
  expect(await settledInCluster(context, cluster([there]), ref)).toBe(true);
  expect(await settledInCluster(context, cluster([undefined]), ref)).toBe(false);
  expect(context.out.warned).toEqual([]);
});

it("waits for the end of a deletion, without a word where that is soon", async () => {
  const context = testContext();
  expect(await settledInCluster(context, cluster([going, going, undefined], 1), ref)).toBe(false);
  expect(context.out.warned).toEqual([]);
});

it("says once what it waits for, and why that stays, and takes for there what stays for good", async () => {
  const context = testContext();
  expect(await settledInCluster(context, cluster([going], 50), ref)).toBe(true);
  expect(context.out.warned).toEqual([
    "Namespace kiln-dev-fraud is being deleted; waiting until it is gone, for three minutes at most. Some content has finalizers remaining: example.com/hold.",
  ]);
});

it("ends when it is interrupted", async () => {
  const interrupted = new AbortController();
  const context = { ...testContext(), signal: interrupted.signal };
  const waiting = settledInCluster(context, cluster([going]), ref);
  interrupted.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
});
