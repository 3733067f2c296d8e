import { AGENT_PORT, type AgentSettings, POSTGRES_PORT, partLabels } from "./settings.ts";

/** Lets OpenShift's service CA make a certificate for a Service, into the Secret of this name. Pure. */
export function servingCertificate(secretName: string): Record<string, string> {
  return { "service.beta.openshift.io/serving-cert-secret-name": secretName };
}

/** The agent's Service. Pure. */
export function agentService(settings: AgentSettings) {
  return {
    type: "ClusterIP",
    selector: partLabels(settings, "agent"),
    ports: [{ name: "https", port: AGENT_PORT, targetPort: "https", protocol: "TCP" }],
  };
}

/** The database's Service. Pure. */
export function postgresService(settings: AgentSettings) {
  return {
    type: "ClusterIP",
    selector: partLabels(settings, "postgres"),
    ports: [{ name: "postgres", port: POSTGRES_PORT, targetPort: "postgres", protocol: "TCP" }],
  };
}

/**
 * The agent's Route: TLS up to the router and, with the service CA's certificate, from there to the pod. It leads to the API alone:
 * metrics, which ask for no token, lie beside it. Pure.
 */
export function agentRoute({ names, host }: AgentSettings) {
  return {
    ...(host === undefined ? {} : { host }),
    path: "/v1",
    to: { kind: "Service", name: names.agent, weight: 100 },
    port: { targetPort: "https" },
    tls: { termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" },
    wildcardPolicy: "None",
  };
}

/** Annotations of the Route. Pure. */
export function routeAnnotations({ objectives }: AgentSettings): Record<string, string> {
  return {
    // Until the router has let it in; it does not where another Route holds the host.
    "pulumi.com/waitFor": 'jsonpath={.status.ingress[0].conditions[?(@.type=="Admitted")].status}=True',
    // An answer that streams takes longer than the router's 30 seconds; twice what an operation may take, at least a minute.
    "haproxy.router.openshift.io/timeout": `${Math.max(60, Math.ceil(objectives.operationSeconds * 2))}s`,
    "haproxy.router.openshift.io/hsts_header": "max-age=31536000;includeSubDomains;preload",
    "haproxy.router.openshift.io/balance": "leastconn",
  };
}
