import { expect, test } from "vitest";
import { expectNotOnDisk } from "../harness/engine-program.ts";
import { configFile, home, kube, pulumi, useKubernetesEngine } from "./kubernetes-engine.ts";

/*
 * Manifests under the real engine with the real SDK, before a real API server: those that the program reads, and those of which the
 * provider builds a component.
 */

const word = "a-word-nobody-may-see";
const words = [word, Buffer.from(word).toString("base64")];

useKubernetesEngine({ program: "kubernetes-manifests-program", secrets: words });

const up = () => pulumi("up", "--yes", "--skip-preview", ...configFile());

/** What a preview would do, each resource by its name. */
async function preview(...args: string[]): Promise<Record<string, string>> {
  const { exitCode, stdout, all } = await pulumi("preview", "--json", ...configFile(), ...args);
  expect(exitCode, all).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: { op: string; urn: string }[] };
  const shown = steps.filter((step) => step.op !== "same" && !step.urn.includes("pulumi:pulumi:Stack"));
  return Object.fromEntries(shown.map(({ op, urn }) => [urn.split("::").slice(3).join("::"), op]));
}

async function names(kind: string, ...at: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await kube.kubectl(["get", kind, ...at, "-o", "name"]);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim().split("\n");
}

test("a preview shows every object, named by its namespace, and makes none", async () => {
  expect(Object.keys(await preview()).sort()).toEqual([
    "group",
    "in:default/object",
    "in:default/text",
    "second",
    "second:gears.probe.kiln",
    "second:machines",
    "second:machines/gear",
    "second:machines/key",
    "second:machines/settings",
    "v1-first",
    "v1-machines/first",
  ]);
  expect(await names("namespaces")).not.toContain("namespace/machines");
});

test("an up makes them in the order in which they need each other", async () => {
  const { exitCode, all } = await up();
  expect(exitCode, all).toBe(0);
  expect(await names("gears.probe.kiln", "-n", "machines")).toEqual(["gear.probe.kiln/gear"]);
  expect(await names("configmap", "-n", "machines")).toEqual(
    expect.arrayContaining(["configmap/first", "configmap/settings"]),
  );
  expect(await names("configmap")).toEqual(expect.arrayContaining(["configmap/object", "configmap/text"]));
  const { stdout } = await pulumi("stack", "output", "--json");
  expect(JSON.parse(stdout)).toEqual({ names: 2 });
  await expectNotOnDisk(home, words);
});

test("a second preview has nothing to do, a change of a manifest shows where it is", async () => {
  expect(await preview()).toEqual({});
  const changed = await preview("--config", "step=2");
  expect(Object.entries(changed).filter(([, op]) => op.includes("replace"))).not.toEqual([]);
  expect(new Set(Object.keys(changed))).toEqual(new Set(["group", "in:default/text"]));
});

test("a chart is refused with what to do", async () => {
  const { exitCode, all } = await pulumi("preview", ...configFile(), "--config", "chart=nginx");
  expect(exitCode).not.toBe(0);
  expect(all).toContain("the sandbox does not serve 'kubernetes:helm.sh/v4:Chart': there is no Helm in it");
  const { all: said } = await pulumi("config", "rm", "chart", ...configFile());
  expect(said).not.toContain("error");
});

test("a destroy leaves none", async () => {
  const { exitCode, all } = await pulumi("destroy", "--yes", "--skip-preview", ...configFile());
  expect(exitCode, all).toBe(0);
  expect(await names("namespaces")).not.toContain("namespace/machines");
  expect(await names("customresourcedefinitions")).not.toContain(
    "customresourcedefinition.apiextensions.k8s.io/gears.probe.kiln",
  );
});
