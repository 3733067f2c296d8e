/**
 * What NetworkPolicies let through, computed as plainly as it can be said: by walking the manifests for one connection at a time
 * over a world small enough to be enumerated. It shares no code with the rules that it is held against.
 */

export interface Labels {
  readonly [key: string]: string;
}
export interface WorldPod {
  readonly kind: "pod";
  readonly namespace: string;
  readonly labels: Labels;
  readonly ports: Readonly<Record<string, number>>;
}
export interface WorldAddress {
  readonly kind: "address";
  /** The last byte of 10.0.0.x: sixteen addresses are a world. */
  readonly last: number;
}
export type WorldPeer = WorldPod | WorldAddress;
export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}
export interface Manifest {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly ManifestRule[];
    readonly egress?: readonly ManifestRule[];
  };
}
export interface ManifestRule {
  readonly from?: readonly ManifestPeer[];
  readonly to?: readonly ManifestPeer[];
  readonly ports?: readonly { protocol?: string; port?: number | string; endPort?: number }[];
}
export interface ManifestPeer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export const NAMESPACES: Readonly<Record<string, Labels>> = {
  a: { "kubernetes.io/metadata.name": "a", team: "x" },
  b: { "kubernetes.io/metadata.name": "b" },
};

function selects(selector: Selector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (labels[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    if (operator === "Exists" && value === undefined) return false;
    if (operator === "DoesNotExist" && value !== undefined) return false;
    if (operator === "In" && (value === undefined || !values.includes(value))) return false;
    if (operator === "NotIn" && value !== undefined && values.includes(value)) return false;
  }
  return true;
}

function inBlock(cidr: string, last: number): boolean {
  const [address = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(Number(address.split(".")[3]) / size) * size;
  return last >= first && last < first + size;
}

function isPeer(peer: ManifestPeer, namespace: string, other: WorldPeer): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    return (
      other.kind === "address" &&
      inBlock(cidr, other.last) &&
      !except.some((each) => inBlock(each, other.last))
    );
  }
  if (other.kind !== "pod") return false;
  const inNamespace =
    peer.namespaceSelector === undefined
      ? other.namespace === namespace
      : selects(peer.namespaceSelector, NAMESPACES[other.namespace] ?? {});
  return inNamespace && selects(peer.podSelector ?? {}, other.labels);
}

/** Whether one connection is let through at the end of `pod`. */
export function lets(
  manifests: readonly Manifest[],
  direction: "ingress" | "egress",
  pod: WorldPod,
  other: WorldPeer,
  wanted: { readonly protocol: string; readonly port: number },
): boolean {
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const selecting = manifests.filter(({ metadata, spec }) => {
    const types = spec.policyTypes ?? ["Ingress", ...((spec.egress ?? []).length > 0 ? ["Egress"] : [])];
    return (
      metadata.namespace === pod.namespace && types.includes(type) && selects(spec.podSelector, pod.labels)
    );
  });
  if (selecting.length === 0) return true;
  const reached = direction === "ingress" ? pod : other;
  return selecting.some(({ metadata, spec }) =>
    (spec[direction] ?? []).some((rule) => {
      const peers = (direction === "ingress" ? rule.from : rule.to) ?? [];
      if (peers.length > 0 && !peers.some((peer) => isPeer(peer, metadata.namespace, other))) return false;
      const ports = rule.ports ?? [];
      return (
        ports.length === 0 ||
        ports.some(({ protocol = "TCP", port, endPort }) => {
          if (protocol !== wanted.protocol) return false;
          if (port === undefined) return true;
          if (typeof port === "string") return reached.kind === "pod" && reached.ports[port] === wanted.port;
          return wanted.port >= port && wanted.port <= (endPort ?? port);
        })
      );
    }),
  );
}
