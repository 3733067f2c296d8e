import { type Cases, within, wrong } from "../case.ts";
import { namespace, object, policy, route } from "./objects.ts";

/** Cases of namespaces, of ways in, and of what nobody sees. */
export const surroundingCases: Readonly<Record<string, Cases>> = {
  "namespace-labels": {
    pass: {
      "namespace-labelled": namespace({}),
      "namespace-of-dev": within("dev", namespace({ env: "dev" })),
      "namespace-patched": object("core/v1:NamespacePatch", "v1", {
        metadata: { name: "kiln-prod-a", labels: { a: "b" } },
      }),
    },
    fail: {
      "namespace-bare": wrong(
        object("core/v1:Namespace", "v1", { metadata: { name: "bare" } }),
        "metadata.labels.owner",
      ),
      "namespace-blank": wrong(namespace({ owner: "" }), "metadata.labels.owner"),
      "namespace-number": wrong(namespace({ costCenter: 42 }), "metadata.labels.costCenter"),
      "namespace-of-another": wrong(namespace({ env: "dev" }), "metadata.labels.env"),
      "namespace-patched-away": wrong(
        object("core/v1:NamespacePatch", "v1", { metadata: { name: "kiln-prod-a", labels: { env: "dev" } } }),
        "metadata.labels.env",
      ),
      "project-bare": wrong(
        object("project.openshift.io/v1:Project", "project.openshift.io/v1", { metadata: { name: "p" } }),
        "metadata.labels.env",
      ),
      "namespace-in-list": wrong(
        object("core/v1:NamespaceList", "v1", { items: [{ metadata: { name: "bare" } }] }),
        "items[0].metadata.labels.env",
      ),
    },
  },
  // What one policy lets through by itself; what several do together is judged in network/.
  "network-reach": {
    pass: {
      "policy-closed": policy({ policyTypes: ["Ingress", "Egress"] }),
      "policy-inside": policy({
        ingress: [{ from: [{ podSelector: {} }] }],
        egress: [{ to: [{ podSelector: {} }] }],
      }),
      "policy-https": policy({
        policyTypes: ["Egress"],
        egress: [
          { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], ports: [{ port: 443 }] },
        ],
      }),
      // Rules of a direction that the policy is not for let nothing through.
      "policy-idle": policy({ policyTypes: ["Egress"], ingress: [{}] }),
    },
    fail: {
      "policy-for-everyone": wrong(policy({ ingress: [{}] }), "spec.ingress (internet)"),
      "policy-for-all-namespaces": wrong(
        policy({ ingress: [{ from: [{ namespaceSelector: {} }] }] }),
        "spec.ingress (other namespaces)",
      ),
      "policy-out-everywhere": wrong(policy({ egress: [{}] }), "spec.egress (metadata service)"),
      "policy-out-443": wrong(
        policy({ egress: [{ ports: [{ port: 443 }] }] }),
        "spec.egress (other namespaces)",
      ),
      "policy-patched": wrong(
        { ...policy({ ingress: [{}] }), type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch" },
        "spec.ingress (internet)",
      ),
    },
  },
  "route-tls": {
    pass: {
      "route-reencrypt": route({ termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" }),
      "route-edge": route({ termination: "edge", insecureEdgeTerminationPolicy: "None" }),
      "route-passthrough": route({ termination: "passthrough" }),
      "service-inside": object("core/v1:Service", "v1", { spec: { ports: [{ port: 443 }] } }),
      "ingress-tls": object("networking.k8s.io/v1:Ingress", "networking.k8s.io/v1", {
        spec: { tls: [{ hosts: ["h"] }] },
      }),
    },
    fail: {
      "route-plain": wrong(route(undefined), "spec.tls"),
      "route-both": wrong(
        route({ termination: "edge", insecureEdgeTerminationPolicy: "Allow" }),
        "spec.tls.insecureEdgeTerminationPolicy",
      ),
      "route-unsaid": wrong(route({ insecureEdgeTerminationPolicy: "None" }), "spec.tls.termination"),
      "route-tls-in-list": wrong(route(["edge"]), "spec.tls"),
      "service-node-port": wrong(
        object("core/v1:Service", "v1", { spec: { type: "NodePort" } }),
        "spec.type",
      ),
      "service-balancer": wrong(
        object("core/v1:ServicePatch", "v1", { spec: { type: "LoadBalancer" } }),
        "spec.type",
      ),
      "service-external": wrong(
        object("core/v1:Service", "v1", { spec: { externalIPs: ["203.0.113.7"] } }),
        "spec.externalIPs",
      ),
      "ingress-plain": wrong(
        object("networking.k8s.io/v1:Ingress", "networking.k8s.io/v1", { spec: {} }),
        "spec.tls",
      ),
    },
  },
  "no-unseen-manifests": {
    pass: { "chart-seen": { type: "kubernetes:core/v1:ServiceAccount", props: { metadata: { name: "a" } } } },
    fail: {
      "release-unseen": wrong({ type: "kubernetes:helm.sh/v3:Release", props: { chart: "redis" } }, "chart"),
    },
  },
};
