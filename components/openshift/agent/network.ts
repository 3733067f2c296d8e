import { insideOf, parseCidr, strictlyWithin } from "../cidr.ts";
import { DNS_RULE, NAMESPACE_NAME, tcp } from "./rules.ts";
import { AGENT_PORT, type AgentPart, type AgentSettings, POSTGRES_PORT, partLabels } from "./settings.ts";

/** Port of Thanos that answers with what a caller may see. */
const THANOS_TENANCY_PORT = 9092;
/** Port of a pipeline server's proxy. */
const PIPELINES_PORT = 8443;

const BOTH_WAYS = ["Ingress", "Egress"];
const parts = (settings: AgentSettings, ...wanted: AgentPart[]) =>
  wanted.map((part) => ({ podSelector: { matchLabels: partLabels(settings, part) } }));
const namespaces = (labels: Record<string, string>) => ({ namespaceSelector: { matchLabels: labels } });

/**
 * The agent: reached by the router and by monitoring, reaches its database, name lookups, the API server, the model, and by
 * their tenancy ports metrics and the projects' pipeline servers. Pure.
 */
export function agentPolicy(settings: AgentSettings) {
  return {
    podSelector: { matchLabels: partLabels(settings, "agent") },
    policyTypes: BOTH_WAYS,
    ingress: [
      {
        from: [
          namespaces({ "policy-group.network.openshift.io/ingress": "" }),
          // A router on the machines' own network comes from no namespace of its own.
          namespaces({ "policy-group.network.openshift.io/host-network": "" }),
          namespaces({ "network.openshift.io/policy-group": "monitoring" }),
          namespaces({ [NAMESPACE_NAME]: "openshift-user-workload-monitoring" }),
        ],
        ports: [tcp(AGENT_PORT)],
      },
    ],
    egress: [
      { to: parts(settings, "postgres"), ports: [tcp(POSTGRES_PORT)] },
      DNS_RULE,
      {
        to: settings.apiServer.cidrs.map((cidr) => ({ ipBlock: { cidr } })),
        ports: [tcp(settings.apiServer.port)],
      },
      {
        to: settings.model.cidrs.map((cidr) => ({ ipBlock: wayToModel(cidr, settings) })),
        ports: [tcp(settings.model.port)],
      },
      {
        to: [
          {
            ...namespaces({ [NAMESPACE_NAME]: "openshift-monitoring" }),
            podSelector: { matchLabels: { "app.kubernetes.io/name": "thanos-query" } },
          },
        ],
        ports: [tcp(THANOS_TENANCY_PORT)],
      },
      {
        to: [
          {
            ...namespaces({ "opendatahub.io/dashboard": "true" }),
            podSelector: { matchLabels: { component: "data-science-pipelines" } },
          },
        ],
        ports: [tcp(PIPELINES_PORT)],
      },
    ],
  };
}

/**
 * A range less what is the cluster's own. A rule for port 443 of everything reaches the API server, the machines' metadata
 * service and every Service inside, whoever it was meant for. A range that is inside itself is meant. Pure.
 */
export function wayToModel(cidr: string, { apiServer }: Pick<AgentSettings, "apiServer">) {
  const outer = parseCidr(cidr);
  const own = insideOf(cidr);
  const ownRanges = own.map(parseCidr).filter((range) => range !== undefined);
  const servers = apiServer.cidrs.filter((text) => {
    const server = parseCidr(text);
    if (server === undefined || outer === undefined || !strictlyWithin(server, outer)) return false;
    return !ownRanges.some(
      (range) =>
        strictlyWithin(server, range) || (range.first === server.first && range.bits === server.bits),
    );
  });
  const except = [...own, ...servers];
  return { cidr, ...(except.length === 0 ? {} : { except }) };
}

/** The database: reached by agent, migrations and archival, reaches nobody. Pure. */
export function postgresPolicy(settings: AgentSettings) {
  return {
    podSelector: { matchLabels: partLabels(settings, "postgres") },
    policyTypes: BOTH_WAYS,
    ingress: [{ from: parts(settings, "agent", "migrations", "archival"), ports: [tcp(POSTGRES_PORT)] }],
    egress: [],
  };
}

/** Migrations and archival: reached by nobody, reach the database and name lookups. Pure. */
export function jobsPolicy(settings: AgentSettings) {
  const { "app.kubernetes.io/component": _, ...shared } = partLabels(settings, "migrations");
  return {
    podSelector: {
      matchLabels: shared,
      matchExpressions: [
        { key: "app.kubernetes.io/component", operator: "In", values: ["migrations", "archival"] },
      ],
    },
    policyTypes: BOTH_WAYS,
    ingress: [],
    egress: [{ to: parts(settings, "postgres"), ports: [tcp(POSTGRES_PORT)] }, DNS_RULE],
  };
}
