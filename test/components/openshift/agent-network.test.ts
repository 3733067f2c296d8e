import { describe, expect, it } from "vitest";
import {
  agentPolicy,
  jobsPolicy,
  postgresPolicy,
  wayToModel,
} from "../../../components/openshift/agent/network.ts";
import { type AgentPart, partLabels } from "../../../components/openshift/agent/settings.ts";
import { AGENT, settingsOf } from "./agent-support.ts";

const settings = settingsOf();
const POLICIES = [agentPolicy(settings), postgresPolicy(settings), jobsPolicy(settings)];
const PARTS: readonly AgentPart[] = ["agent", "postgres", "migrations", "archival"];

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Record<string, string>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""))
  );
}

/** Parts that may connect to the port of a part, by the union of the policies on both ends. */
function reach(from: AgentPart, to: AgentPart, port: number): boolean {
  const side = (part: AgentPart, other: AgentPart, direction: "ingress" | "egress") =>
    POLICIES.filter(({ podSelector }) => selects(podSelector, partLabels(settings, part))).some((policy) => {
      const rules: readonly object[] = policy[direction];
      return rules.some((rule) => {
        const {
          from: sources,
          to: targets,
          ports = [],
        } = rule as {
          from?: readonly Peer[];
          to?: readonly Peer[];
          ports?: readonly { port: number }[];
        };
        const peers = sources ?? targets ?? [];
        return (
          ports.some((each) => each.port === port) &&
          peers.some(
            (peer) =>
              peer.podSelector !== undefined &&
              peer.namespaceSelector === undefined &&
              selects(peer.podSelector, partLabels(settings, other)),
          )
        );
      });
    });
  return side(from, to, "egress") && side(to, from, "ingress");
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

describe("the walls of the agent", () => {
  it("hold each part in both directions", () => {
    for (const part of PARTS) {
      const own = POLICIES.filter(({ podSelector }) => selects(podSelector, partLabels(settings, part)));
      expect(own.map(({ policyTypes }) => policyTypes)).toEqual([["Ingress", "Egress"]]);
    }
  });

  it("let agent, migrations and archival to the database, and nobody else to anybody", () => {
    const open = PARTS.flatMap((from) =>
      PARTS.flatMap((to) =>
        [5432, 8443].filter((port) => reach(from, to, port)).map((port) => `${from} → ${to}:${port}`),
      ),
    );
    expect(open).toEqual(["agent → postgres:5432", "migrations → postgres:5432", "archival → postgres:5432"]);
  });

  it("say an address and a port in every rule: one without is open to all", () => {
    for (const policy of POLICIES) {
      for (const rule of [...policy.ingress, ...policy.egress] as { from?: []; to?: []; ports: [] }[]) {
        expect((rule.from ?? rule.to ?? []).length).toBeGreaterThan(0);
        expect(rule.ports.length).toBeGreaterThan(0);
      }
    }
  });

  it("let the router and monitoring in, by the port with TLS", () => {
    const { ingress } = agentPolicy(settings);
    expect(ingress).toHaveLength(1);
    expect(ingress[0]?.ports).toEqual([{ protocol: "TCP", port: 8443 }]);
    expect(ingress[0]?.from.every((peer) => "namespaceSelector" in peer)).toBe(true);
  });

  it("let the agent to metrics where callers are asked who they are, and not beside", () => {
    const ports = agentPolicy(settings).egress.flatMap((rule) => rule.ports.map(({ port }) => port));
    expect(ports).toContain(9092);
    expect(ports).not.toContain(9091);
  });

  it("let only the agent to the API server", () => {
    const blocks = (policy: { readonly egress: readonly object[] }) =>
      JSON.stringify(policy.egress).match(/"cidr":"[^"]+"/g) ?? [];
    expect(blocks(agentPolicy(settings))).toEqual([
      '"cidr":"10.0.0.4/32"',
      '"cidr":"203.0.113.7/32"',
      '"cidr":"0.0.0.0/0"',
    ]);
    expect([...blocks(postgresPolicy(settings)), ...blocks(jobsPolicy(settings))]).toEqual([]);
  });
});

describe("the way to the model", () => {
  it("leads out of the cluster, and not to the API server by its public address", () => {
    expect(wayToModel("0.0.0.0/0", settings)).toEqual({
      cidr: "0.0.0.0/0",
      except: [
        "10.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "203.0.113.7/32",
      ],
    });
  });

  it("is a private endpoint's own address, where there is one", () => {
    const network = { ...AGENT.network, model: { cidrs: ["10.9.8.7/32"], port: 8443 } };
    expect(agentPolicy(settingsOf({ network })).egress).toContainEqual({
      to: [{ ipBlock: { cidr: "10.9.8.7/32" } }],
      ports: [{ protocol: "TCP", port: 8443 }],
    });
  });
});
