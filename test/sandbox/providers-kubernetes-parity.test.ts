import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseline } from "../../sandbox/providers/kubernetes/baseline.ts";
import { completeInputs } from "../../sandbox/providers/kubernetes/check.ts";
import { diffObjects } from "../../sandbox/providers/kubernetes/diff.ts";
import { withoutIgnored } from "../../sandbox/providers/kubernetes/ignored.ts";
import type { KubeObject } from "../../sandbox/providers/kubernetes/json.ts";
import { kindOfApiVersion, kindOfToken } from "../../sandbox/providers/kubernetes/kinds.ts";
import { ownScope } from "../../sandbox/providers/kubernetes/namespaces.ts";
import {
  appendName,
  containsPath,
  parsePropertyPath,
} from "../../sandbox/providers/kubernetes/property-path.ts";
import { sameQuantity } from "../../sandbox/providers/kubernetes/quantity.ts";
import { strictFailures } from "../../sandbox/providers/kubernetes/settings.ts";
import { Secret, type ValueMap } from "../../sandbox/providers/values.ts";

/*
 * Where the provider follows the real one to the letter, without an API server: what differs and under which path, what stays as it
 * is, and what is said of an object that does not become ready.
 */

const settings = { enableConfigMapMutable: false, enableSecretMutable: false };

describe("paths of properties", () => {
  test("are read as programs write them", () => {
    expect(parsePropertyPath("spec.ports[0].port")).toEqual(["spec", "ports", 0, "port"]);
    expect(parsePropertyPath('metadata.annotations["a.b/c"]')).toEqual(["metadata", "annotations", "a.b/c"]);
    expect(parsePropertyPath("spec.ports[*].port")).toEqual(["spec", "ports", "*", "port"]);
    expect(parsePropertyPath("spec.[")).toBeUndefined();
  });

  test("come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z./"[\]-]{1,8}$/), { minLength: 1 }), (names) => {
        const path = names.reduce(appendName, "");
        expect(parsePropertyPath(path)).toEqual(names);
      }),
    );
    expect(appendName("metadata.annotations", "kiln/expires-on")).toBe(
      "metadata.annotations.kiln/expires-on",
    );
  });

  test("lead to what is below them", () => {
    expect(containsPath(["spec", "*", "port"], ["spec", 0, "port", "x"])).toBe(true);
    expect(containsPath(["spec"], ["metadata"])).toBe(false);
    expect(containsPath(["spec", "a"], ["spec"])).toBe(false);
  });
});

describe("what new inputs are compared with", () => {
  test("a quantity is the same however it is written", () => {
    const same = [
      ["1000m", "1"],
      ["1024Mi", "1Gi"],
      ["0.1", "100m"],
      ["1e3", "1k"],
      ["1100m", "1.1"],
      [1, "1"],
    ] as const;
    for (const [a, b] of same) expect(sameQuantity(a, b), `${a} ${b}`).toBe(true);
    for (const [a, b] of [
      ["1", "2"],
      ["1Gi", "1G"],
      ["a", "a"],
      [true, "1"],
    ] as const) {
      expect(sameQuantity(a, b), `${a} ${b}`).toBe(false);
    }
  });

  test("nothing that the API server added, everything that it changed of what it was given", () => {
    const inputs = { spec: { a: 1, b: "x", list: [{ n: 1 }, { n: 2 }], gone: true } };
    const live = { spec: { a: 2, b: "x", list: [{ n: 1, more: 1 }], added: 1 }, status: {} };
    expect(baseline(inputs, live, false)).toEqual({ spec: { a: 2, b: "x", list: [{ n: 1 }] } });
    expect(baseline(inputs, live, true)).toEqual({ spec: { a: 2, b: "x", list: [{ n: 1 }], gone: true } });
  });

  test("what is live as it was asked for, is no difference, whatever stands beside it", () => {
    const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(json, json, fc.boolean(), (inputs, more, lenient) => {
        const live = { ...(more as ValueMap), ...(inputs as ValueMap) };
        expect(baseline(inputs as ValueMap, live, lenient)).toEqual(inputs);
      }),
    );
  });

  const differ = (token: string, live: ValueMap, spec: ValueMap, ignoreChanges: string[] = []) => {
    const metadata = { name: "a", namespace: "n" };
    const kind = token.split(":").at(-1) ?? "";
    const { changes } = diffObjects(
      kindOfToken(token),
      {
        oldInputs: { metadata, spec },
        oldOutputs: { kind, metadata, spec: live },
        inputs: { metadata, spec },
        ignoreChanges,
      },
      settings,
    );
    return changes.map(({ path, change }) => `${change} ${path}`);
  };

  test("a field that a definition does not know is a difference each time, of Kubernetes' own kinds it is none", () => {
    const [spec, live] = [{ size: 1, typo: 2 }, { size: 1 }];
    expect(differ("kubernetes:example.com/v1:Thing", live, spec)).toEqual(["add spec.typo"]);
    expect(differ("kubernetes:apps/v1:Deployment", live, spec)).toEqual([]);
    expect(differ("kubernetes:apps/v1:Deployment", { cpu: "1" }, { cpu: "1000m" })).toEqual([]);
  });

  test("what another changed while it was written is a difference, unless it is ignored", () => {
    const args = [
      "kubernetes:apps/v1:Deployment",
      { replicas: 3, paused: false },
      { replicas: 1, paused: false },
    ] as const;
    expect(differ(...args)).toEqual(["update spec.replicas"]);
    expect(differ(...args, ["spec.replicas"])).toEqual([]);
    expect(differ(...args, ["spec"])).toEqual([]);
    expect(differ(...args, ["spec.paused"])).toEqual(["update spec.replicas"]);
  });

  test("a key of a ConfigMap may begin as the provider's own do", () => {
    const of = (text: string) => ({ metadata: { name: "a", namespace: "n" }, data: { "__init__.py": text } });
    const { changes } = diffObjects(
      kindOfToken("kubernetes:core/v1:ConfigMap"),
      { oldInputs: of("1"), oldOutputs: {}, inputs: of("2") },
      settings,
    );
    expect(changes).toEqual([{ path: 'data["__init__.py"]', change: "update", replace: true }]);
  });

  test("an object that is made anew since it is not ready goes first where its name stays", () => {
    const metadata = { name: "a", namespace: "n" };
    const request = { oldInputs: { metadata }, oldOutputs: { metadata }, inputs: { metadata } };
    const difference = diffObjects(kindOfToken("kubernetes:batch/v1:Job"), request, settings, true);
    expect(difference).toEqual({
      changes: [
        { path: 'metadata.annotations["pulumi.com/replaceUnready"]', change: "update", replace: true },
      ],
      deleteBeforeReplace: true,
    });
  });
});

test("a list that holds a secret is secret as a whole", () => {
  const kind = kindOfToken("kubernetes:apps/v1:Deployment");
  const env = [{ name: "A", value: new Secret("word") }];
  const inputs = completeInputs(kind, {
    urn: "urn",
    type: "kubernetes:apps/v1:Deployment",
    name: "a",
    olds: {},
    news: {
      metadata: { name: "a" },
      spec: { replicas: 1, template: { spec: { containers: [{ name: "a", env }] } } },
    },
    randomSeed: Buffer.from("seed"),
  });
  const containers = new Secret([{ name: "a", env: [{ name: "A", value: "word" }] }]);
  expect(inputs.spec).toEqual({ replicas: 1, template: { spec: { containers } } });
});

describe("fields whose changes are ignored", () => {
  const deployment = (replicas: number, managedFields: readonly object[] = []): KubeObject =>
    ({ metadata: { name: "a", managedFields }, spec: { replicas, paused: false } }) as unknown as KubeObject;
  const of = (manager: string, names: string) => ({
    manager,
    fieldsV1: { "f:spec": Object.fromEntries(names.split(" ").map((name) => [`f:${name}`, {}])) },
  });
  const sent = (live: KubeObject, ignored = ["spec.replicas"]) =>
    withoutIgnored(deployment(1), live, "mine", ignored).spec;

  test("are left out when only another manages them", () => {
    expect(sent(deployment(5, [of("mine", "paused"), of("autoscaler", "replicas")]))).toEqual({
      paused: false,
    });
  });

  test("are as they are live when they are one's own, too, or nobody's", () => {
    const live = { replicas: 5, paused: false };
    expect(sent(deployment(5, [of("mine", "replicas"), of("autoscaler", "replicas")]))).toEqual(live);
    expect(sent(deployment(5))).toEqual(live);
    expect(sent({ metadata: { name: "a" } })).toEqual({ replicas: 1, paused: false });
  });

  test("may be a whole branch; through a list they stand as the program has them", () => {
    expect(sent(deployment(5, [of("autoscaler", "replicas")]), ["spec"])).toBeUndefined();
    expect(sent(deployment(5, [of("autoscaler", "replicas")]), ['spec["replicas"]', "spec.a[0]"])).toEqual({
      replicas: 1,
      paused: false,
    });
  });
});

const kind = (apiVersion: string, name: string) => kindOfApiVersion(apiVersion, name);

test("strict mode wants a provider that says which cluster it means", () => {
  const urn = (name: string) => `urn:pulumi:dev::probe::pulumi:providers:kubernetes::${name}`;
  const strict = { strictMode: "true" };
  expect(strictFailures(urn("default_4_34_2"), strict).map(({ reason }) => reason)).toEqual([
    "strict mode prohibits default provider",
    'strict mode requires Provider "kubeconfig" argument',
    'strict mode requires Provider "context" argument',
  ]);
  expect(strictFailures(urn("mine"), { ...strict, kubeconfig: "a", context: "b" })).toEqual([]);
  expect(strictFailures(urn("default"), {})).toEqual([]);
});

test("of Kubernetes' own kinds it is known which stand in no namespace", () => {
  expect(ownScope(kind("v1", "Pod"))).toBe(true);
  expect(ownScope(kind("rbac.authorization.k8s.io/v1", "RoleBinding"))).toBe(true);
  for (const [apiVersion, name] of [
    ["v1", "Namespace"],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
    ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ] as const) {
    expect(ownScope(kind(apiVersion, name)), name).toBe(false);
  }
  expect(ownScope(kind("gateway.networking.k8s.io/v1", "GatewayClass"))).toBeUndefined();
});
