import { describe, expect, test } from "vitest";
import { plainServing, type RecordedResource } from "../../bench/lib/plain-serving.ts";
import { servingValues } from "../../bench/lib/serving.ts";
import { parseConfig, requireEnvironment } from "../../stacks/config.ts";

test("the configuration that is measured is a valid one, with models spread evenly", () => {
  const values = {
    "kiln:workload": "kiln",
    "kiln:service": "serving",
    "kiln:repo": "kiln",
    "kiln:owner": "team",
    "kiln:costCenter": "none",
    "kiln:location": "eastus",
    ...servingValues(3, 6),
  };
  const bare = Object.fromEntries(Object.entries(values).map(([key, value]) => [key.slice(5), value]));
  const raw = { values: bare, fileOf: () => "Pulumi.dev.yaml", problems: [] };
  const { serving, foundry } = parseConfig(requireEnvironment("dev"), raw, {});
  expect(foundry.enabled).toBe(false);
  expect(serving.projects.map(({ models }) => models.length)).toEqual([2, 2, 2]);
  expect(() => servingValues(3, 7)).toThrow(RangeError);
});

describe("the ordinary program", () => {
  const urn = (type: string, name: string) => `urn:pulumi:dev::kiln::kiln:openshift:X$${type}::${name}`;
  const resource = (type: string, name: string, more: Partial<RecordedResource> = {}): RecordedResource => ({
    urn: urn(type, name),
    type,
    custom: true,
    inputs: { metadata: { namespace: "kiln-dev-a" } },
    ...more,
  });
  const namespace = resource("kubernetes:core/v1:Namespace", "a");
  const program = plainServing(
    [
      resource("kiln:openshift:X", "component", { custom: false }),
      resource("pulumi:providers:kubernetes", "cluster"),
      namespace,
      resource("kubernetes:rbac.authorization.k8s.io/v1:Role", "r", {
        dependencies: [namespace.urn, "urn:else"],
      }),
      resource("kubernetes:serving.kserve.io/v1beta1:InferenceService", "m", {
        customTimeouts: { create: 600 },
      }),
    ],
    { from: "kiln-dev-", to: "plain-dev-" },
  );

  test("makes each Kubernetes resource by its class, in the same order, in namespaces of its own", () => {
    const lines = program.trim().split("\n");
    expect(lines[0]).toBe('import * as k8s from "@pulumi/kubernetes";');
    expect(lines.slice(1).map((line) => /= new ([\w.]+)\("(\w+)"/.exec(line)?.slice(1))).toEqual([
      ["k8s.core.v1.Namespace", "a"],
      ["k8s.rbac.v1.Role", "r"],
      ["k8s.apiextensions.CustomResource", "m"],
    ]);
    expect(lines[2]).toContain("dependsOn: [r0]");
    expect(lines[3]).toContain('"customTimeouts":{"create":"600s"}');
    expect(program).not.toContain("kiln-dev-");
  });
});
