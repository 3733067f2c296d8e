import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Props, UNKNOWN } from "../../../policies/model.ts";
import { PolicyIndex } from "../../../policies/network/index.ts";
import { parsePolicy } from "../../../policies/network/policy.ts";
import { admits, type Endpoint, type NetworkPod, reachOf } from "../../../policies/network/reach.ts";
import { labelsOf } from "../../../policies/network/selector.ts";
import { direction, manifest, other, pod, wanted } from "./arbitrary.ts";
import { lets, type Manifest, NAMESPACES, type WorldPeer, type WorldPod } from "./oracle.ts";

const plain = (value: unknown) => value as Props;
const podOf = ({ namespace, labels, ports }: WorldPod): NetworkPod => ({
  namespace,
  namespaceLabels: labelsOf(plain(NAMESPACES[namespace])),
  labels: labelsOf(plain(labels)),
  ports: new Map(Object.entries(ports)),
});
const endpointOf = (peer: WorldPeer): Endpoint =>
  peer.kind === "pod"
    ? { kind: "pod", pod: podOf(peer) }
    : { kind: "address", address: `10.0.0.${peer.last}` };
const policiesOf = (manifests: readonly Manifest[], namespace: string) =>
  manifests
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map((each) => parsePolicy(plain(each), each.metadata.name));

type Way = "ingress" | "egress";
type Wanted = { readonly protocol: string; readonly port: number };
function admitted(manifests: readonly Manifest[], way: Way, at: WorldPod, peer: WorldPeer, port: Wanted) {
  const subject = podOf(at);
  const reach = reachOf(way, subject, policiesOf(manifests, at.namespace));
  return admits(way, subject, reach, endpointOf(peer), port);
}
const isolated = (manifests: readonly Manifest[], way: Way, at: WorldPod) =>
  !reachOf(way, podOf(at), policiesOf(manifests, at.namespace)).open;

const manifests = fc.array(manifest, { maxLength: 4 });
const connection = [direction, pod, other, wanted] as const;
const RUNS = { numRuns: 600 };

describe("what a pod reaches", () => {
  it("is what the manifests say, connection by connection", () => {
    fc.assert(
      fc.property(manifests, ...connection, (all, way, at, peer, port) => {
        expect(admitted(all, way, at, peer, port)).toBe(lets(all, way, at, peer, port));
      }),
      RUNS,
    );
  });

  it("is the union of what each policy that selects it lets through", () => {
    fc.assert(
      fc.property(manifests, ...connection, (all, way, at, peer, port) => {
        fc.pre(isolated(all, way, at));
        const alone = all.filter((each) => isolated([each], way, at));
        expect(admitted(all, way, at, peer, port)).toBe(
          alone.some((each) => admitted([each], way, at, peer, port) === true),
        );
      }),
      RUNS,
    );
  });

  it("never becomes less by one policy more, once the pod is isolated", () => {
    fc.assert(
      fc.property(manifests, manifest, ...connection, (all, more, way, at, peer, port) => {
        fc.pre(isolated(all, way, at) && admitted(all, way, at, peer, port) === true);
        expect(admitted([...all, more], way, at, peer, port)).toBe(true);
      }),
      RUNS,
    );
  });

  it("does not depend on the order of policies, nor on one that is there twice", () => {
    fc.assert(
      fc.property(manifests, ...connection, fc.nat(), (all, way, at, peer, port, turn) => {
        const turned = all.map((_, index) => all[(index + turn) % all.length] as Manifest).reverse();
        expect(admitted([...turned, ...all], way, at, peer, port)).toBe(admitted(all, way, at, peer, port));
      }),
      RUNS,
    );
  });

  it("is everything for a pod that no policy selects", () => {
    fc.assert(
      fc.property(...connection, (way, at, peer, port) => {
        expect(admitted([], way, at, peer, port)).toBe(true);
      }),
    );
  });

  it("is the same by the index of policies as by all of them", () => {
    fc.assert(
      fc.property(manifests, direction, pod, (all, way, at) => {
        const policies = policiesOf(all, at.namespace);
        const subject = podOf(at);
        const candidates = new PolicyIndex(policies).candidates(subject.labels);
        expect(reachOf(way, subject, candidates)).toEqual(reachOf(way, subject, policies));
      }),
      RUNS,
    );
  });

  it("stays open as to what is not known, and closed as to what is", () => {
    fc.assert(
      fc.property(manifests, ...connection, (all, way, at, peer, port) => {
        const unknown: Manifest = {
          metadata: { name: "u", namespace: at.namespace },
          spec: { podSelector: UNKNOWN as never, policyTypes: ["Ingress", "Egress"] },
        };
        // It may select the pod: what the others grant holds, and a pod that was open may be closed.
        if (admitted(all, way, at, peer, port) === true && isolated(all, way, at))
          expect(admitted([...all, unknown], way, at, peer, port)).toBe(true);
        expect(isolated([...all, unknown], way, at)).toBe(true);
      }),
    );
  });
});

describe("reading a policy", () => {
  const read = (spec: unknown) => parsePolicy(plain({ spec }), "p");

  it("fills in the types that are left out", () => {
    expect(read({ podSelector: {} })).toMatchObject({ ingress: [], egress: undefined });
    // An empty list of egress rules closes nothing without its type.
    expect(read({ podSelector: {}, egress: [] })).toMatchObject({ ingress: [], egress: undefined });
    expect(read({ podSelector: {}, egress: [{}] }).egress).toHaveLength(1);
    expect(read({ podSelector: {}, policyTypes: ["Egress"], ingress: [{}] })).toMatchObject({
      ingress: undefined,
      egress: [],
    });
    expect(read({ podSelector: {}, policyTypes: [] })).toMatchObject({ ingress: [], egress: undefined });
  });

  it("takes an empty list of peers or ports for all of them", () => {
    for (const rule of [{}, { from: [], ports: [] }, { from: null, ports: null }, null])
      expect(read({ ingress: [rule] }).ingress).toEqual([
        { peers: undefined, ports: undefined, path: "spec.ingress[0]" },
      ]);
  });

  it("survives any shape", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
        for (const spec of [
          one,
          { ingress: one, egress: two },
          { podSelector: one, ingress: [{ from: two, ports: one }] },
        ])
          expect(parsePolicy(plain({ spec }), "p").name).toBe("p");
        expect(
          parsePolicy(plain({ spec: { egress: [{ to: [one, { ipBlock: two }], ports: [two] }] } }), "p"),
        ).toBeDefined();
      }),
    );
  });
});
