import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { kindOfApiVersion as kind } from "../../sandbox/providers/kubernetes/kinds.ts";
import {
  decodeManifests,
  neededFirst,
  readManifests,
  resourceName,
  ringAmong,
  scopeAmong,
  singleObjects,
  tokenOf,
} from "../../sandbox/providers/kubernetes/manifests.ts";

/*
 * What the provider makes of manifests in YAML, without an API server.
 */

describe("manifests", () => {
  test("are read as Kubernetes reads them", () => {
    const text = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {at: 2026-01-02T03:04:05Z, when: 12:30}}
data: {on: "yes"}
---
# nothing but words
---
apiVersion: v1
kind: Secret
immutable: yes
mode: 0644
data: &data {one: "1"}
stringData: {<<: *data, two: "2"}
`;
    const [first, second] = decodeManifests(text);
    expect(first).toMatchObject({
      metadata: { annotations: { at: "2026-01-02T03:04:05Z", when: "12:30" } },
      // A word of YAML 1.1 that means true, as a name, too.
      data: { true: "yes" },
    });
    expect(second).toMatchObject({
      immutable: true,
      mode: 0o644,
      stringData: { one: "1", two: "2" },
    });
    expect(decodeManifests('{"apiVersion": "v1", "kind": "Pod"}')).toEqual([
      { apiVersion: "v1", kind: "Pod" },
    ]);
    expect(decodeManifests("---\n- a\n---\n# nothing\n")).toEqual([]);
    for (const wrong of ["a: [", "a: *nobody"]) expect(() => decodeManifests(wrong)).toThrow("no YAML");
  });

  const made = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject =>
    ({ apiVersion, kind, metadata: { name, ...more } }) as unknown as KubeObject;
  const definition = {
    ...made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.example.com"),
    spec: { group: "example.com", scope: "Cluster", names: { kind: "Thing" } },
  } as unknown as KubeObject;

  test("are single objects with a kind and a name", () => {
    const pod = made("core/v1", "Pod", "a");
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [pod, { apiVersion: "v1", kind: "PodList", items: [pod] }],
    };
    expect(singleObjects([list as unknown as KubeObject])).toEqual([
      made("v1", "Pod", "a"),
      made("v1", "Pod", "a"),
    ]);
    expect(() => singleObjects([{ kind: "Pod", metadata: { name: "a" } }])).toThrow(
      "require a kind and apiVersion",
    );
    expect(() => singleObjects([{ apiVersion: "v1", kind: "Pod" }])).toThrow("require a .metadata.name");
  });

  test("are resources by their kind, namespace and name", () => {
    expect(tokenOf(kind("v1", "Pod"))).toBe("kubernetes:core/v1:Pod");
    expect(tokenOf(kind("example.com/v1", "Thing"))).toBe("kubernetes:example.com/v1:Thing");
    expect(resourceName(made("v1", "Pod", "a", { namespace: "n" }), "app")).toBe("app:n/a");
    expect(resourceName(made("v1", "Namespace", "n"), "")).toBe("n");
  });

  test("wait for their definition, their namespace, and what they name", () => {
    const namespace = made("v1", "Namespace", "n");
    const thing = made("example.com/v1", "Thing", "t", { namespace: "n" });
    const named = {
      "config.kubernetes.io/depends-on": "example.com/namespaces/n/Thing/t, apps/Deployment/x",
    };
    const last = made("v1", "Pod", "p", { namespace: "n", annotations: named });
    const all = [last, thing, namespace, definition];
    expect(neededFirst(last, all)).toEqual([thing, namespace]);
    expect(neededFirst(thing, all)).toEqual([namespace, definition]);
    expect(neededFirst(definition, all)).toEqual([]);
    expect(ringAmong(all)).toBeUndefined();
    const on = (name: string) => ({ annotations: { "config.kubernetes.io/depends-on": `/Pod/${name}` } });
    const [a, b] = [made("v1", "Pod", "a", on("b")), made("v1", "Pod", "b", on("a"))];
    expect(ringAmong([a, b])).toEqual([a, b, a]);
    expect(scopeAmong(all, kind("example.com/v1", "Thing"))).toBe(false);
    expect(scopeAmong(all, kind("v1", "Pod"))).toBeUndefined();
  });

  test("of no file, or of one elsewhere, are refused with what to do", () => {
    expect(() => readManifests("https://example.com/a.yaml", "/", false)).toThrow("over the network");
    expect(() => readManifests("no-such.yaml", import.meta.dirname, false)).toThrow("name the whole path");
    expect(() => readManifests("/no/such.yaml", "/", true)).toThrow(/there is no file '\/no\/such.yaml'$/);
    expect(readManifests("no-such-*.yaml", import.meta.dirname, true)).toEqual([]);
  });
});
