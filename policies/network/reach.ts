import { contains } from "./addresses.ts";
import type { Direction, Grant, Peer, Policy, Ports } from "./policy.ts";
import { type Answer, all, any, type Labels, matches } from "./selector.ts";

/** A pod as policies see it. */
export interface NetworkPod {
  readonly namespace: string;
  /** Undefined while they are not known. */
  readonly namespaceLabels: Labels | undefined;
  readonly labels: Labels | undefined;
  /** Its named ports; undefined where a controller writes them, so that a name may be any. */
  readonly ports?: ReadonlyMap<string, number> | undefined;
}

/** The other end of a connection. */
export type Endpoint =
  | { readonly kind: "pod"; readonly pod: NetworkPod }
  | { readonly kind: "address"; readonly address: string };

/** One port of one protocol. */
export interface Port {
  readonly protocol: string;
  readonly port: number;
}

/** A grant with the policy that gives it. */
export interface Effective extends Grant {
  readonly policy: string;
}

/** What a pod may reach, or be reached by: everything, or the sum of what its policies grant. */
export type Reach = { readonly open: true } | { readonly open: false; readonly grants: readonly Effective[] };

/**
 * What the policies of its namespace leave to a pod in one direction. They add up: the first policy that selects a pod closes it,
 * and from then on each one only lets more through; none takes away what another one gives. A pod that no policy selects is
 * open. A policy of which it is not known whether it selects the pod closes it and grants nothing, until it is known.
 */
export function reachOf(direction: Direction, pod: NetworkPod, policies: readonly Policy[]): Reach {
  const grants: Effective[] = [];
  let isolated = false;
  for (const policy of policies) {
    const given = policy[direction];
    if (given === undefined) continue;
    const selects = matches(policy.selects, pod.labels);
    if (selects === false) continue;
    isolated = true;
    if (selects === true) for (const grant of given) grants.push({ ...grant, policy: policy.name });
  }
  return isolated ? { open: false, grants } : { open: true };
}

/** Whether a connection is let through at one end. `pod` is the end whose reach it is. */
export function admits(
  direction: Direction,
  pod: NetworkPod,
  reach: Reach,
  other: Endpoint,
  port: Port,
): Answer {
  if (reach.open) return true;
  const reached = direction === "ingress" ? pod : other.kind === "pod" ? other.pod : undefined;
  return any(
    reach.grants.map(({ peers, ports }) =>
      all([admitsPeer(peers, pod.namespace, other), admitsPort(ports, port, reached)]),
    ),
  );
}

/** Whether a grant's peers include an endpoint; `namespace` is the policy's own. */
export function admitsPeer(peers: Grant["peers"], namespace: string, other: Endpoint): Answer {
  return peers === undefined || any(peers.map((peer) => includes(peer, namespace, other)));
}

function includes(peer: Peer, namespace: string, other: Endpoint): Answer {
  if (peer.kind === "unknown") return "unknown";
  if (peer.kind === "addresses") return other.kind === "address" && contains(peer.ranges, other.address);
  if (other.kind !== "pod") return false;
  const inNamespace =
    peer.namespaces === undefined
      ? other.pod.namespace === namespace
      : matches(peer.namespaces, other.pod.namespaceLabels);
  return all([inNamespace, matches(peer.pods, other.pod.labels)]);
}

/** Whether a grant's ports include a port of the pod that is reached; an address has no named ports. */
export function admitsPort(ports: Grant["ports"], port: Port, reached: NetworkPod | undefined): Answer {
  return ports === undefined || any(ports.map((each) => includesPort(each, port, reached)));
}

function includesPort(ports: Ports, { protocol, port }: Port, reached: NetworkPod | undefined): Answer {
  if (ports.protocol !== protocol) return false;
  if (!("name" in ports)) return ports.from <= port && port <= ports.to;
  if (reached === undefined) return false;
  return reached.ports === undefined ? "unknown" : reached.ports.get(ports.name) === port;
}
