/** Label under which every namespace has its own name. Source: kubernetes.io (well-known labels) */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** A TCP port in a rule. Pure. */
export function tcp(port: number) {
  return { protocol: "TCP", port };
}

/**
 * The way to name lookups on OpenShift: the pods of DNS, and no one else. Rules are held against a pod's own port, not its
 * Service's: the pods listen on 5353.
 */
export const DNS_RULE = {
  to: [
    {
      namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: "openshift-dns" } },
      podSelector: { matchLabels: { "dns.operator.openshift.io/daemonset-dns": "default" } },
    },
  ],
  ports: [
    { protocol: "UDP", port: 5353 },
    { protocol: "TCP", port: 5353 },
  ],
};
