import fc from "fast-check";
import type { Manifest, ManifestPeer, ManifestRule, Selector, WorldPeer, WorldPod } from "./oracle.ts";

const key = fc.constantFrom("app", "tier");
const value = fc.constantFrom("x", "y");
const labels = fc.dictionary(key, value, { maxKeys: 2 });
const expression = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(value, { minLength: 1 }),
  }),
  fc.record({ key, operator: fc.constantFrom("Exists", "DoesNotExist") }),
);
const some = { requiredKeys: [] };
const selector: fc.Arbitrary<Selector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) },
  some,
);
const namespaceSelector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom("a", "b").map((name) => ({ matchLabels: { "kubernetes.io/metadata.name": name } })),
  fc
    .constantFrom("Exists", "DoesNotExist")
    .map((operator) => ({ matchExpressions: [{ key: "team", operator }] })),
);
const block = fc
  .tuple(fc.nat(15), fc.integer({ min: 28, max: 32 }))
  .map(([last, length]) => `10.0.0.${Math.floor(last / 2 ** (32 - length)) * 2 ** (32 - length)}/${length}`);
const peer: fc.Arbitrary<ManifestPeer> = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ namespaceSelector, podSelector: selector }),
  fc.record({
    ipBlock: fc.record(
      { cidr: block, except: fc.array(block, { maxLength: 2 }) },
      { requiredKeys: ["cidr"] },
    ),
  }),
);
const port = fc.oneof(
  fc.record(
    { protocol: fc.constantFrom("TCP", "UDP"), port: fc.integer({ min: 1, max: 6 }) },
    { requiredKeys: ["port"] },
  ),
  fc.record({ port: fc.integer({ min: 1, max: 3 }), endPort: fc.integer({ min: 3, max: 6 }) }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP") }, some),
  fc.record({ port: fc.constantFrom("http", "metrics") }),
);
const rule = (side: "from" | "to"): fc.Arbitrary<ManifestRule> =>
  fc.record({ [side]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) }, some);

/** Any policy of the small world: every form of selector, peer and port, with defaults left out or not. */
export const manifest: fc.Arbitrary<Manifest> = fc.record({
  metadata: fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    namespace: fc.constantFrom("a", "b"),
  }),
  spec: fc.record(
    {
      podSelector: selector,
      policyTypes: fc.uniqueArray(fc.constantFrom("Ingress", "Egress"), { minLength: 1 }),
      ingress: fc.array(rule("from"), { maxLength: 2 }),
      egress: fc.array(rule("to"), { maxLength: 2 }),
    },
    { requiredKeys: ["podSelector"] },
  ),
});

export const pod: fc.Arbitrary<WorldPod> = fc.record({
  kind: fc.constant("pod" as const),
  namespace: fc.constantFrom("a", "b"),
  labels,
  ports: fc.dictionary(fc.constantFrom("http", "metrics"), fc.integer({ min: 1, max: 6 })),
});
export const other: fc.Arbitrary<WorldPeer> = fc.oneof(
  pod,
  fc.record({ kind: fc.constant("address" as const), last: fc.nat(15) }),
);
export const wanted = fc.record({
  protocol: fc.constantFrom("TCP", "UDP"),
  port: fc.integer({ min: 1, max: 6 }),
});
export const direction = fc.constantFrom("ingress" as const, "egress" as const);
