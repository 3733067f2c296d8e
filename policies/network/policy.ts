import { entries, texts } from "../kubernetes/objects.ts";
import { at, isObject, isPresent, type Props, UNKNOWN, type Value } from "../model.ts";
import { parseBlock, type Range, without } from "./addresses.ts";
import { parseSelector, type Selector } from "./selector.ts";

export type Direction = "ingress" | "egress";

/** Ports that a rule lets through. */
export type Ports =
  | { readonly protocol: string; readonly from: number; readonly to: number }
  /** A port of the pod that is reached, by the name that the pod itself gives it. */
  | { readonly protocol: string; readonly name: string };

/** Whom a rule lets through. */
export type Peer =
  /** Pods: of the policy's own namespace where no namespaces are selected. */
  | { readonly kind: "pods"; readonly namespaces: Selector | undefined; readonly pods: Selector }
  | { readonly kind: "addresses"; readonly ranges: readonly Range[] }
  | { readonly kind: "unknown" };

/** One entry of a policy's list: these peers on these ports. */
export interface Grant {
  /** Undefined for everyone, everywhere: what an absent or empty list of peers means. */
  readonly peers: readonly Peer[] | undefined;
  /** Undefined for every port of every protocol: what an absent or empty list of ports means. */
  readonly ports: readonly Ports[] | undefined;
  /** Where it stands in the policy. */
  readonly path: string;
}

/** A NetworkPolicy with its defaults filled in. */
export interface Policy {
  readonly name: string;
  readonly selects: Selector;
  /** Undefined where the policy says nothing about a direction; an empty list lets nothing through. */
  readonly ingress: readonly Grant[] | undefined;
  readonly egress: readonly Grant[] | undefined;
}

/**
 * Reads a NetworkPolicy (https://kubernetes.io/docs/concepts/services-networking/network-policies/). Types that are left out are
 * Ingress, and Egress where there is a rule for it: an empty list of egress rules alone closes nothing.
 */
export function parsePolicy(object: Props, name: string): Policy {
  const spec = isObject(object.spec) ? object.spec : {};
  const types = spec.policyTypes;
  const written = texts(types);
  const unknown = types === UNKNOWN || (Array.isArray(types) && types.includes(UNKNOWN));
  const byDefault = written.length === 0 && !unknown;
  const affects = (type: string) => unknown || written.includes(type);
  const egressRules = spec.egress === UNKNOWN || entries(spec.egress, "").length > 0;
  return {
    name,
    selects: object.spec === UNKNOWN ? parseSelector(UNKNOWN) : parseSelector(spec.podSelector),
    ingress: byDefault || affects("Ingress") ? grants(spec.ingress, "spec.ingress", "from") : undefined,
    egress:
      (byDefault && egressRules) || affects("Egress") ? grants(spec.egress, "spec.egress", "to") : undefined,
  };
}

function grants(value: Value | undefined, path: string, side: "from" | "to"): Grant[] {
  return entries(value, path).flatMap(({ value: each, path: where }): Grant[] => {
    if (each === UNKNOWN) return [];
    const rule = isObject(each) ? each : {};
    return [{ peers: peersOf(rule[side]), ports: portsOf(rule.ports), path: where }];
  });
}

function peersOf(value: Value | undefined): Peer[] | undefined {
  if (value === UNKNOWN) return [{ kind: "unknown" }];
  const list = entries(value, "");
  return list.length === 0 ? undefined : list.flatMap(({ value: each }) => peerOf(each));
}

function peerOf(value: Value): Peer[] {
  if (!isObject(value)) return [{ kind: "unknown" }];
  const { ipBlock, namespaceSelector, podSelector } = value;
  const peers: Peer[] = [];
  if (isPresent(ipBlock)) peers.push(addressesOf(ipBlock));
  const namespaces = isPresent(namespaceSelector) ? parseSelector(namespaceSelector) : undefined;
  if (namespaces !== undefined || isPresent(podSelector))
    peers.push({ kind: "pods", namespaces, pods: parseSelector(podSelector) });
  // A peer that names nothing is refused by the API server; until then nothing follows from it.
  return peers.length === 0 ? [{ kind: "unknown" }] : peers;
}

function addressesOf(value: Value | undefined): Peer {
  const cidr = isObject(value) ? value.cidr : undefined;
  const range = typeof cidr === "string" ? parseBlock(cidr) : undefined;
  if (range === undefined || !isObject(value)) return { kind: "unknown" };
  if (value.except === UNKNOWN || (Array.isArray(value.except) && value.except.includes(UNKNOWN)))
    return { kind: "unknown" };
  const except = texts(value.except).flatMap((each) => parseBlock(each) ?? []);
  return { kind: "addresses", ranges: without([range], except) };
}

function portsOf(value: Value | undefined): Ports[] | undefined {
  if (value === UNKNOWN) return [];
  const list = entries(value, "");
  return list.length === 0 ? undefined : list.flatMap(({ value: each }) => portOf(each));
}

function portOf(value: Value): Ports[] {
  if (value === UNKNOWN) return [];
  const entry = isObject(value) ? value : {};
  if (entry.protocol === UNKNOWN || entry.port === UNKNOWN) return [];
  const protocol = typeof entry.protocol === "string" ? entry.protocol.toUpperCase() : "TCP";
  const { port } = entry;
  if (!isPresent(port)) return [{ protocol, from: 1, to: 65_535 }];
  if (typeof port === "string" && !/^\d+$/.test(port)) return [{ protocol, name: port }];
  const from = Number(port);
  const end = at(entry, "endPort");
  return [{ protocol, from, to: typeof end === "number" && end > from ? end : from }];
}
