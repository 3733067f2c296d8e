import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNKNOWN, type Value } from "../../../policies/model.ts";
import { forbiddenEgress, forbiddenIngress } from "../../../policies/network/forbidden.ts";
import { parsePolicy } from "../../../policies/network/policy.ts";
import { admits, type Endpoint, type NetworkPod, reachOf } from "../../../policies/network/reach.ts";

const NAME = "kubernetes.io/metadata.name";
const namespaceLabels = new Map([
  [NAME, "kiln-dev-a"],
  ["opendatahub.io/dashboard", "true"],
]);
const pod: NetworkPod = {
  namespace: "kiln-dev-a",
  namespaceLabels,
  labels: new Map([["app", "a"]]),
  ports: new Map(),
};

const policies = (specs: readonly object[]) =>
  specs.map((spec, index) => parsePolicy({ spec: { podSelector: {}, ...spec } as Value }, `p${index}`));
const ingress = (...rules: readonly object[]) =>
  forbiddenIngress(pod, reachOf("ingress", pod, policies([{ ingress: rules }]))).map(({ what }) => what);
const egressOf = (specs: readonly object[], token = true) =>
  forbiddenEgress(pod, reachOf("egress", pod, policies(specs)), token);
const egress = (...rules: readonly object[]) =>
  egressOf([{ policyTypes: ["Egress"], egress: rules }]).map(({ what }) => what);
const egressWithoutToken = (...rules: readonly object[]) =>
  egressOf([{ policyTypes: ["Egress"], egress: rules }], false).map(({ what }) => what);

const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
const tcp = (port: number) => ({ protocol: "TCP", port });
const named = (name: string) => ({ namespaceSelector: { matchLabels: { [NAME]: name } } });
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];
const EVERYTHING = ["internet", "other namespaces", "metadata service"];

describe("ingress", () => {
  it("is open for a pod that no policy selects", () => {
    const found = forbiddenIngress(pod, reachOf("ingress", pod, []));
    expect(found).toEqual([
      { direction: "ingress", what: "internet", by: [] },
      { direction: "ingress", what: "other namespaces", by: [] },
    ]);
  });

  it("may come from the same namespace, from namespaces by name, from router and monitoring", () => {
    expect(
      ingress(
        { from: [{ podSelector: {} }] },
        { from: [named("redhat-ods-applications")] },
        {
          from: [
            { namespaceSelector: { matchExpressions: [{ key: NAME, operator: "In", values: ["x", "y"] }] } },
          ],
        },
        {
          from: [{ namespaceSelector: { matchLabels: { "network.openshift.io/policy-group": "ingress" } } }],
        },
        {
          from: [{ namespaceSelector: { matchLabels: { "policy-group.network.openshift.io/ingress": "" } } }],
        },
        { from: [block("203.0.113.0/24"), block("10.0.0.0/24")] },
      ),
    ).toEqual([]);
  });

  it("may not come from everyone: no list, an empty one, a port alone", () => {
    for (const rule of [{}, { from: [] }, { ports: [tcp(443)] }])
      expect(ingress(rule)).toEqual(["internet", "other namespaces"]);
  });

  it.each([
    ["no selector", {}],
    ["labels that every project wears", { matchLabels: { "opendatahub.io/dashboard": "true" } }],
    [
      "another name than one",
      { matchExpressions: [{ key: NAME, operator: "NotIn", values: ["kube-system"] }] },
    ],
    ["a name, whichever", { matchExpressions: [{ key: NAME, operator: "Exists" }] }],
    ["the lack of a label", { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] }],
  ])("may not come from namespaces by %s, whatever their pods are called", (_, namespaceSelector) => {
    expect(ingress({ from: [{ namespaceSelector }] })).toEqual(["other namespaces"]);
    // Whoever wants to get in labels their pods so.
    const podSelector = { matchLabels: { app: "prometheus" } };
    expect(ingress({ from: [{ namespaceSelector, podSelector }], ports: [tcp(8080)] })).toEqual([
      "other namespaces",
    ]);
  });

  it("may not come from the internet in one piece or in parts", () => {
    expect(ingress({ from: [block("0.0.0.0/0", ...PRIVATE)] })).toEqual(["internet"]);
    expect(ingress({ from: [block("::/0")] })).toEqual(["internet"]);
    const halves = policies([
      { ingress: [{ from: [block("0.0.0.0/1", "10.0.0.0/8")] }] },
      { ingress: [{ from: [block("128.0.0.0/2", "172.16.0.0/12", "169.254.0.0/16")] }] },
    ]);
    const [found] = forbiddenIngress(pod, reachOf("ingress", pod, halves));
    expect(found).toMatchObject({ what: "internet", by: ["p0 (spec.ingress[0])", "p1 (spec.ingress[0])"] });
  });

  it("may not come from the pods' network by address", () => {
    expect(ingress({ from: [block("10.0.0.0/8")] })).toEqual(["other namespaces"]);
  });

  it("lets nothing in by a list without ports in it that anyone knows yet", () => {
    expect(ingress({ from: [], ports: UNKNOWN })).toEqual([]);
    expect(ingress({ from: UNKNOWN })).toEqual([]);
    expect(ingress({ from: [UNKNOWN, { podSelector: {} }] })).toEqual([]);
    // What is known beside it is judged.
    expect(ingress({ from: [UNKNOWN, { namespaceSelector: {} }] })).toEqual(["other namespaces"]);
  });
});

describe("egress", () => {
  it("is open for a pod that no policy selects, or that only ingress is closed for", () => {
    for (const specs of [[], [{ ingress: [] }], [{ egress: [] }]])
      expect(egressOf(specs).map(({ what, by }) => [what, by])).toEqual(EVERYTHING.map((what) => [what, []]));
    expect(egressOf([{ policyTypes: ["Egress"] }])).toEqual([]);
  });

  it("may go to names, to the namespace itself, to 443 outside and to what is named", () => {
    expect(
      egressWithoutToken(
        { to: [named("openshift-dns")], ports: [tcp(53), { protocol: "UDP", port: 5353 }] },
        { to: [{ namespaceSelector: {} }], ports: [tcp(53), { protocol: "UDP", port: "dns" }] },
        { to: [{ podSelector: {} }] },
        { to: [block("0.0.0.0/0", ...PRIVATE)], ports: [tcp(443)] },
        { to: [block("10.20.30.40/32")], ports: [tcp(5432)] },
        // Whoever wears the label wants to be reached.
        {
          to: [{ namespaceSelector: {}, podSelector: { matchLabels: { component: "pipelines" } } }],
          ports: [tcp(8443)],
        },
      ),
    ).toEqual([]);
  });

  it("may not go everywhere on any port, nor everywhere on one", () => {
    expect(egress({})).toEqual(EVERYTHING);
    expect(egress({ to: [block("0.0.0.0/0")] })).toEqual(EVERYTHING);
    expect(egressWithoutToken({})).toEqual([...EVERYTHING, "API server"]);
    // The trap: 443 is where the API server is, too.
    expect(egressWithoutToken({ ports: [tcp(443)] })).toEqual(["other namespaces", "API server"]);
    expect(egressWithoutToken({ to: [block("0.0.0.0/0")], ports: [tcp(443)] })).toEqual([
      "other namespaces",
      "API server",
    ]);
  });

  it("may not go outside on another port, by a range or among others", () => {
    const to = [block("0.0.0.0/0", ...PRIVATE)];
    for (const ports of [
      [tcp(22)],
      [tcp(443), tcp(80)],
      [{ port: 1, endPort: 65_535 }],
      [{ port: 443, endPort: 444 }],
      [{ protocol: "UDP" }],
    ])
      expect(egress({ to, ports })).toEqual(["internet"]);
    expect(egress({ to, ports: [tcp(6443)] })).toEqual([]);
    expect(egressWithoutToken({ to, ports: [tcp(6443)] })).toEqual(["internet"]);
  });

  it("may not go to the metadata service", () => {
    expect(egress({ to: [block("169.254.169.254/32")], ports: [tcp(80)] })).toEqual(["metadata service"]);
    expect(egress({ to: [block("169.254.0.0/16")] })).toEqual(["metadata service"]);
    expect(egress({ to: [block("169.254.0.0/16", "169.254.169.254/32")] })).toEqual([]);
  });

  it.each([
    ["the Service's address", { to: [block("172.30.0.0/16")], ports: [tcp(443)] }],
    ["the machines' network", { to: [block("10.0.0.0/24")], ports: [tcp(6443)] }],
    ["its namespace", { to: [named("default")], ports: [tcp(443)] }],
    ["a range of ports", { to: [named("openshift-kube-apiserver")], ports: [{ port: 6000, endPort: 7000 }] }],
  ])("may go to the API server by %s with a token only", (_, rule) => {
    expect(egress(rule)).toEqual([]);
    expect(egressWithoutToken(rule)).toEqual(["API server"]);
  });
});

describe("taken together", () => {
  const cidr = fc
    .tuple(
      fc.constantFrom("0.0.0.0", "10.0.0.0", "128.0.0.0", "169.254.169.254", "172.30.0.1", "203.0.113.0"),
      fc.nat(32),
    )
    .map(([address, length]) => `${address}/${length}`);
  const peer = fc.oneof(
    fc.record({ ipBlock: fc.record({ cidr, except: fc.array(cidr, { maxLength: 2 }) }) }),
    fc.constantFrom({ namespaceSelector: {} }, { podSelector: {} }, named("default"), named("openshift-dns")),
  );
  const port = fc.constantFrom(tcp(443), tcp(53), tcp(80), tcp(6443), {}, { port: 1, endPort: 1000 });
  const rule = fc.record(
    { to: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) },
    { requiredKeys: [] },
  );
  const spec = fc
    .record({ selected: fc.boolean(), egress: fc.array(rule, { maxLength: 2 }) })
    .map(({ selected, egress: rules }) => ({
      podSelector: selected ? {} : { matchLabels: { app: "another" } },
      policyTypes: ["Egress"],
      egress: rules,
    }));
  const specs = fc.array(spec, { maxLength: 4 });
  const found = (list: readonly object[], token: boolean) => egressOf(list, token).map(({ what }) => what);

  it("a stricter policy more removes nothing", () => {
    fc.assert(
      fc.property(specs, spec, fc.boolean(), (list, more, token) => {
        fc.pre(!reachOf("egress", pod, policies(list)).open);
        expect(found([...list, more], token)).toEqual(expect.arrayContaining(found(list, token)));
      }),
    );
  });

  it("their order changes nothing", () => {
    fc.assert(
      fc.property(specs, fc.boolean(), (list, token) => {
        expect(found([...list].reverse(), token)).toEqual(found(list, token));
      }),
    );
  });

  it("what is found is what a connection there would be let through to, and nothing else", () => {
    const address = (text: string): Endpoint => ({ kind: "address", address: text });
    fc.assert(
      fc.property(specs, (list) => {
        const reach = reachOf("egress", pod, policies(list));
        const lets = (to: Endpoint, wanted: number) =>
          admits("egress", pod, reach, to, { protocol: "TCP", port: wanted }) === true;
        const all = found(list, false);
        expect(all.includes("metadata service")).toBe(
          lets(address("169.254.169.254"), 80) || lets(address("fd00:ec2::254"), 80),
        );
        const apiServer =
          lets(address("172.30.0.1"), 443) ||
          lets(address("10.96.0.1"), 443) ||
          ["10.0.0.1", "10.0.255.254"].some((each) => lets(address(each), 6443));
        if (apiServer) expect(all).toContain("API server");
        const stranger: Endpoint = {
          kind: "pod",
          pod: { namespace: "other", namespaceLabels: new Map([[NAME, "other"]]), labels: new Map() },
        };
        if (lets(stranger, 8080)) expect(all).toContain("other namespaces");
        if (["1.1.1.1", "8.8.8.8", "200.1.1.1"].every((each) => lets(address(each), 80)))
          expect(all).toContain("internet");
      }),
    );
  });
});
