import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { plainServing, type RecordedResource } from "../../bench/lib/plain-serving.ts";
import { servingFiles } from "../../bench/lib/serving.ts";
import { loadConfig } from "../../stacks/config.ts";

test("the configuration that is measured is a valid one, with models spread evenly", () => {
  const folder = mkdtempSync(join(tmpdir(), "kiln-bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const shared = { repo: "kiln", owner: "team", costCenter: "none", location: "eastus" };
  const files = { "Pulumi.yaml": { name: "kiln", config: shared }, ...servingFiles(3, 6) };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), stringify(content));
  const { serving, foundry } = loadConfig(folder, "dev", {});
  expect(foundry.enabled).toBe(false);
  expect(serving.projects.map(({ models }) => models.length)).toEqual([2, 2, 2]);
  expect(() => servingFiles(3, 7)).toThrow(RangeError);
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
