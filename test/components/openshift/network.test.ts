import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { insideOf, parseCidr, strictlyWithin } from "../../../components/openshift/cidr.ts";
import {
  askingPolicies,
  modelPolicy,
  networkProblems,
  type ProjectNetwork,
  projectPolicy,
} from "../../../components/openshift/network.ts";
import { fieldsOf } from "./support.ts";

const within = (inner: string, outer: string) => {
  const [one, other] = [parseCidr(inner), parseCidr(outer)];
  return one !== undefined && other !== undefined && strictlyWithin(one, other);
};

describe("ranges of addresses", () => {
  it("are read by their first address", () => {
    expect(parseCidr("10.0.0.0/8")).toEqual({ first: 10 * 2 ** 24, bits: 8 });
    expect(parseCidr("0.0.0.0/0")).toEqual({ first: 0, bits: 0 });
    for (const bad of ["10.0.0.1/8", "10.0.0.0", "256.0.0.0/8", "1.2.3.4/33", "::/0", "x"]) {
      expect(parseCidr(bad), bad).toBeUndefined();
    }
  });

  it("hold exactly what begins in them and is smaller", () => {
    expect(within("10.1.0.0/16", "10.0.0.0/8")).toBe(true);
    expect(within("10.0.0.0/8", "10.0.0.0/8")).toBe(false);
    expect(within("0.0.0.0/0", "10.0.0.0/8")).toBe(false);
    expect(within("11.0.0.0/16", "10.0.0.0/8")).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32 }), fc.nat(2 ** 32 - 1), (bits, address) => {
        const size = 2 ** (32 - bits);
        const inner = { first: Math.floor(address / size) * size, bits };
        expect(strictlyWithin(inner, { first: 0, bits: 0 })).toBe(true);
      }),
    );
  });

  it("leave the inside out of the outside", () => {
    expect(insideOf("0.0.0.0/0")).toHaveLength(5);
    expect(insideOf("172.0.0.0/8")).toEqual(["172.16.0.0/12"]);
    expect(insideOf("203.0.113.0/24")).toEqual([]);
    expect(insideOf("10.0.0.0/8")).toEqual([]);
  });
});

describe("network of a project", () => {
  it("is closed both ways, but for the project itself and name lookups", () => {
    const policy = projectPolicy();
    expect(policy.podSelector).toEqual({});
    expect(policy.policyTypes).toEqual(["Ingress", "Egress"]);
    expect(policy.ingress).toEqual([{ from: [{ podSelector: {} }] }]);
    const apart = projectPolicy({ amongThemselves: false });
    expect(apart.ingress).toEqual([]);
    expect(JSON.stringify(apart.egress)).not.toContain('"podSelector":{}');
    expect(policy.egress).toHaveLength(2);
    expect(JSON.stringify(policy.egress)).not.toContain("ipBlock");
  });

  it("lets models be reached by router, monitoring and platform, at their ports only", () => {
    const policy = modelPolicy();
    expect(policy.podSelector.matchExpressions).toEqual([
      { key: "serving.kserve.io/inferenceservice", operator: "Exists" },
    ]);
    expect(policy.ingress).toHaveLength(1);
    expect(policy.ingress[0]?.ports).toEqual([
      { protocol: "TCP", port: 8080 },
      { protocol: "TCP", port: 8443 },
    ]);
    expect(policy.ingress[0]?.from).toContainEqual({
      namespaceSelector: { matchLabels: { "network.openshift.io/policy-group": "ingress" } },
    });
  });

  it("lets whoever checks tokens ask the API server at its own port, or not at all; others never", () => {
    const policies = askingPolicies();
    expect(Object.fromEntries(policies.map(({ name, spec }) => [name, spec.podSelector]))).toEqual({
      asking: { matchLabels: { "kiln/token-auth": "true" } },
      workbenches: { matchExpressions: [{ key: "notebook-name", operator: "Exists" }] },
      pipelines: { matchLabels: { component: "data-science-pipelines" } },
      "pipeline-runs": { matchLabels: { "pipelines.kubeflow.org/v2_component": "true" } },
    });
    for (const { spec } of policies) {
      expect(spec).toMatchObject({
        policyTypes: ["Egress"],
        egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [{ protocol: "TCP", port: 6443 }] }],
      });
    }
    expect(askingPolicies({ apiServer: "closed" })).toEqual([]);
    expect(modelPolicy().egress).toEqual([]);
  });

  it("opens what was chosen, for whom it was chosen, without what lies inside", () => {
    const network: ProjectNetwork = {
      apiServer: "closed",
      egress: [
        { cidr: "0.0.0.0/0", ports: [443] },
        { cidr: "10.20.0.0/16", ports: [9000], pods: "models" },
        { cidr: "0.0.0.0/0", except: [], ports: [8443], pods: "models" },
      ],
    };
    expect(projectPolicy(network).egress.slice(2)).toEqual([
      {
        to: [{ ipBlock: { cidr: "0.0.0.0/0", except: insideOf("0.0.0.0/0") } }],
        ports: [{ protocol: "TCP", port: 443 }],
      },
    ]);
    expect(modelPolicy(network).egress).toEqual([
      { to: [{ ipBlock: { cidr: "10.20.0.0/16" } }], ports: [{ protocol: "TCP", port: 9000 }] },
      { to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [{ protocol: "TCP", port: 8443 }] },
    ]);
  });

  it("refuses what would open everything by saying nothing", () => {
    const network: ProjectNetwork = {
      servingPorts: [],
      apiServer: { cidrs: [], port: 6443 },
      egress: [
        { cidr: "10.0.0.1/8", ports: [443] },
        { cidr: "10.0.0.0/8", ports: [] },
        { cidr: "10.0.0.0/8", ports: [70_000], except: ["11.0.0.0/16", "nothing"] },
      ],
    };
    const problems = networkProblems(network);
    expect(fieldsOf(problems)).toEqual([
      "network.egress[0].cidr",
      "network.egress[1].ports",
      "network.egress[2].ports[0]",
      "network.egress[2].except[0]",
      "network.egress[2].except[1]",
      "network.servingPorts",
      "network.apiServer.cidrs",
    ]);
    expect(problems[3]?.message).toBe(
      "11.0.0.0/16 does not lie within network.egress[2].cidr, which is 10.0.0.0/8",
    );
  });
});
