import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dnsLabelProblem,
  imageProblem,
  kubernetesLabels,
  labelValue,
  projectNamespace,
} from "../../../components/shared/kubernetes.ts";
import {
  amountProblem,
  computeProblems,
  cpuQuantity,
  exceedsProblems,
  gibQuantity,
} from "../../../components/shared/quantities.ts";
import { TAGS } from "../recording.ts";
import { IMAGE } from "./support.ts";

describe("names and labels", () => {
  it("say whose an object is", () => {
    expect(kubernetesLabels({ ...TAGS, owner: "Platform team, Bern" })).toEqual({
      env: "dev",
      service: "openai",
      repo: "example-kiln",
      owner: "Platform-team--Bern",
      costCenter: "42",
      "app.kubernetes.io/managed-by": "kiln",
    });
  });

  it("make every text a legal value of a label", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(labelValue(text)).toMatch(/^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/);
      }),
    );
    const legal = fc.stringMatching(/^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/);
    fc.assert(
      fc.property(legal, (value) => {
        expect(labelValue(value)).toBe(value);
      }),
    );
  });

  it("make a project's namespace of its three parts", () => {
    expect(projectNamespace("kiln", "pr-12", "fraud")).toBe("kiln-pr-12-fraud");
  });

  it("refuse what is no DNS label, and say how long one may be", () => {
    expect(dnsLabelProblem("namespace", "kiln-dev-fraud")).toBeUndefined();
    for (const bad of ["", "Kiln", "-a", "a-", "a_b", "1a", "a.b", "a".repeat(64)]) {
      expect(dnsLabelProblem("namespace", bad), bad).toMatchObject({ field: "namespace" });
    }
    expect(dnsLabelProblem("n", "a".repeat(54), 53)?.message).toMatch(/54 characters; 1 to 53/);
  });

  it("take an image by digest only", () => {
    expect(imageProblem("image", IMAGE)).toBeUndefined();
    expect(imageProblem("image", `host:5000/a/b@sha256:${"0".repeat(64)}`)).toBeUndefined();
    const bad = ["vllm", "quay.io/vllm:latest", "quay.io/vllm@sha256:abc", `x@sha256:${"0".repeat(64)}`];
    for (const image of bad) expect(imageProblem("image", image)?.message, image).toMatch(/by digest/);
  });
});

describe("quantities", () => {
  it("are written as the server keeps them", () => {
    expect([0.1, 0.25, 1, 1.5, 16].map(cpuQuantity)).toEqual(["100m", "250m", "1", "1500m", "16"]);
    expect([0, 0.25, 1, 1.5, 64, 1024, 2048, 1536].map(gibQuantity)).toEqual([
      "0",
      "256Mi",
      "1Gi",
      "1536Mi",
      "64Gi",
      "1Ti",
      "2Ti",
      "1536Gi",
    ]);
  });

  it("keep their amount", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (millis) => {
        const text = cpuQuantity(millis / 1000);
        expect(text.endsWith("m") ? Number(text.slice(0, -1)) : Number(text) * 1000).toBe(millis);
      }),
    );
    const units: Record<string, number> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (mebi) => {
        const text = gibQuantity(mebi / 1024);
        expect(Number(text.slice(0, -2)) * (units[text.slice(-2)] ?? Number.NaN)).toBe(mebi);
      }),
    );
  });

  it("are refused outside their bounds and between their steps", () => {
    const rule = { min: 1, max: 10, stepsPerUnit: 4, unit: "GiB" };
    expect(amountProblem("a", 2.25, rule)).toBeUndefined();
    expect(amountProblem("a", 2.3, rule)?.message).toBe("is 2.3; GiB go in steps of 1/4");
    for (const bad of [0, 11, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(amountProblem("a", bad, rule)?.message).toMatch(/GiB from 1 to 10 are allowed/);
    }
    expect(computeProblems("r", { cpuCores: 0.0005, memoryGib: -1 }).map(({ field }) => field)).toEqual([
      "r.cpuCores",
      "r.memoryGib",
    ]);
  });

  it("name both fields where one is above the other", () => {
    const problems = exceedsProblems(
      ["requests", { cpuCores: 3, memoryGib: 1 }],
      ["limits", { cpuCores: 2, memoryGib: 1 }],
    );
    expect(problems).toEqual([
      { field: "requests.cpuCores", message: "is 3 and must not exceed limits.cpuCores, which is 2" },
    ]);
  });
});
