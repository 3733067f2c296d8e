import { type FieldProblem, rangeProblem } from "../shared/validation.ts";
import { insideOf, parseCidr, strictlyWithin } from "./cidr.ts";

/** Somewhere that pods of a project may connect to. */
export interface Egress {
  /** IPv4 range, for example `0.0.0.0/0` or `203.0.113.0/24`. */
  readonly cidr: string;
  /**
   * Ranges within it that stay closed. @default the private, shared and link-local ones within it, since a rule for port 443
   * that holds them reaches the API server and the machines' metadata service too
   */
  readonly except?: readonly string[];
  /** TCP ports, 1 to 65535, at least one. */
  readonly ports: readonly number[];
  /** Which pods: all of the project, or those that serve a model. @default "all" */
  readonly pods?: "all" | "models";
}

/** Who may connect to a project's pods and where they may connect to. Whatever is not said stays closed. */
export interface ProjectNetwork {
  /**
   * Whether the project's pods reach one another, all of them by all ports. Where they do, no narrower policy keeps any two apart.
   * @default true
   */
  readonly amongThemselves?: boolean;
  /** What pods may reach outside the project, object storage and https by choice. @default nothing */
  readonly egress?: readonly Egress[];
  /**
   * The API server: whoever lets callers in by their token asks it who they are, that is models with token authentication,
   * workbenches and pipeline servers; pipelines are run through it. All others never reach it. "closed" where the project has none
   * of these. @default every address at port 6443, the API server's own port on OpenShift, and no other
   */
  readonly apiServer?: { readonly cidrs: readonly string[]; readonly port: number } | "closed";
  /** TCP ports of models that the router, monitoring and the platform reach. @default 8080 and 8443 */
  readonly servingPorts?: readonly number[];
  /** Namespaces of the controllers of OpenShift AI. @default ["redhat-ods-applications"] */
  readonly platformNamespaces?: readonly string[];
  /** Namespaces, besides OpenShift's own, that collect metrics. @default ["openshift-user-workload-monitoring"] */
  readonly monitoringNamespaces?: readonly string[];
}

/** Where models answer unless their runtime says otherwise: the server, and the proxy that checks tokens. */
export const SERVING_PORTS: readonly number[] = [8080, 8443];

/** Pods that KServe made for a model carry this label. Source: kserve pkg/constants (InferenceServicePodLabelKey) */
export const MODEL_POD_LABEL = "serving.kserve.io/inferenceservice";

/** Pods of models that ask who a caller is carry this label, by their InferenceService's: KServe hands its labels on. */
export const TOKEN_AUTH_LABEL = "kiln/token-auth";

const NAMESPACE_NAME = "kubernetes.io/metadata.name";
/** Namespaces of one purpose, labelled by OpenShift itself. Source: docs.openshift.com (network policy, allow from ingress) */
const policyGroup = (group: string) => ({
  namespaceSelector: { matchLabels: { "network.openshift.io/policy-group": group } },
});
const namespacesNamed = (names: readonly string[]) => ({
  namespaceSelector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: "In", values: [...names] }] },
});
const tcp = (ports: readonly number[]) => ports.map((port) => ({ protocol: "TCP", port }));

/**
 * What holds for every pod of a project: closed in both directions, but for the project itself, name lookups and what was
 * opened for all. One policy, since policies add up. Pure.
 */
export function projectPolicy(network: ProjectNetwork = {}) {
  const samePods = (network.amongThemselves ?? true) ? [{ podSelector: {} }] : [];
  return {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress: samePods.map((peer) => ({ from: [peer] })),
    egress: [
      ...samePods.map((peer) => ({ to: [peer] })),
      {
        to: [{ namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: "openshift-dns" } } }],
        // The service listens on 53; its pods, which the rule is held against, on 5353.
        ports: [53, 5353].flatMap((port) => [
          { protocol: "UDP", port },
          { protocol: "TCP", port },
        ]),
      },
      ...egressRules(network, "all"),
    ],
  };
}

/** What pods that serve a model may besides: be reached by router, monitoring and platform. Pure. */
export function modelPolicy(network: ProjectNetwork = {}) {
  const { platformNamespaces = ["redhat-ods-applications"], servingPorts = SERVING_PORTS } = network;
  const { monitoringNamespaces = ["openshift-user-workload-monitoring"] } = network;
  return {
    podSelector: { matchExpressions: [{ key: MODEL_POD_LABEL, operator: "Exists" }] },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [
          policyGroup("ingress"),
          // A router on the machines' own network comes from no namespace that carries the group.
          { namespaceSelector: { matchLabels: { "policy-group.network.openshift.io/host-network": "" } } },
          policyGroup("monitoring"),
          namespacesNamed([...monitoringNamespaces, ...platformNamespaces]),
        ],
        ports: tcp(servingPorts),
      },
    ],
    egress: egressRules(network, "models"),
  };
}

/** Pods that need the API server, by what tells them from all others. A policy selects by all of its labels, so each has its own. */
const ASKING = {
  /** Models with token authentication: their proxy. */
  asking: { matchLabels: { [TOKEN_AUTH_LABEL]: "true" } },
  /** Workbenches: their proxy. Source: opendatahub-io/kubeflow notebook-controller (generateStatefulSet) */
  workbenches: { matchExpressions: [{ key: "notebook-name", operator: "Exists" }] },
  /** Parts of a pipeline server. Source: data-science-pipelines-operator config/internal */
  pipelines: { matchLabels: { component: "data-science-pipelines" } },
  /** Steps of a pipeline that runs. Source: kubeflow/pipelines backend/src/v2/compiler/argocompiler (argo.go) */
  "pipeline-runs": { matchLabels: { "pipelines.kubeflow.org/v2_component": "true" } },
};

/**
 * What some pods may besides: ask the API server, by name of the policy. Policies of their own, since policies add up: what all pods
 * were allowed, those without a token for the API server could reach, too. None where closed. Pure.
 */
export function askingPolicies({ apiServer = { cidrs: ["0.0.0.0/0"], port: 6443 } }: ProjectNetwork = {}) {
  if (apiServer === "closed") return [];
  const egress = [
    { to: apiServer.cidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp([apiServer.port]) },
  ];
  return Object.entries(ASKING).map(([name, podSelector]) => ({
    name,
    spec: { podSelector, policyTypes: ["Egress"], egress },
  }));
}

function egressRules({ egress = [] }: ProjectNetwork, pods: "all" | "models") {
  return egress
    .filter((rule) => (rule.pods ?? "all") === pods)
    .map(({ cidr, except = insideOf(cidr), ports }) => ({
      to: [{ ipBlock: { cidr, ...(except.length === 0 ? {} : { except: [...except] }) } }],
      ports: tcp(ports),
    }));
}

/** Everything that is wrong with what is opened. Pure. */
export function networkProblems(network: ProjectNetwork = {}): FieldProblem[] {
  const { egress = [], apiServer = "closed", servingPorts = [] } = network;
  const asking = apiServer === "closed" ? [] : apiServer.cidrs;
  return [
    ...egress.flatMap((rule, index) => egressProblems(`network.egress[${index}]`, rule)),
    ...asking.map((cidr, index) => cidrProblem(`network.apiServer.cidrs[${index}]`, cidr)),
    ...(apiServer === "closed" ? [] : [portProblem("network.apiServer.port", apiServer.port)]),
    ...servingPorts.map((port, index) => portProblem(`network.servingPorts[${index}]`, port)),
    network.servingPorts?.length === 0
      ? { field: "network.servingPorts", message: "are none; a rule without ports opens them all" }
      : undefined,
    apiServer !== "closed" && asking.length === 0
      ? { field: "network.apiServer.cidrs", message: 'are none; a rule without them opens all; say "closed"' }
      : undefined,
  ].filter((problem) => problem !== undefined);
}

function egressProblems(field: string, { cidr, except = [], ports }: Egress): (FieldProblem | undefined)[] {
  const outer = parseCidr(cidr);
  return [
    cidrProblem(`${field}.cidr`, cidr),
    ports.length === 0
      ? { field: `${field}.ports`, message: "are none; a rule without ports opens them all" }
      : undefined,
    ...ports.map((port, index) => portProblem(`${field}.ports[${index}]`, port)),
    ...except.map((text, index) => {
      const inner = parseCidr(text);
      const path = `${field}.except[${index}]`;
      if (inner === undefined) return cidrProblem(path, text);
      if (outer === undefined || strictlyWithin(inner, outer)) return undefined;
      return { field: path, message: `${text} does not lie within ${field}.cidr, which is ${cidr}` };
    }),
  ];
}

function cidrProblem(field: string, text: string): FieldProblem | undefined {
  if (parseCidr(text) !== undefined) return undefined;
  return { field, message: `"${text}" is no range of IPv4 addresses such as 203.0.113.0/24` };
}

function portProblem(field: string, port: number): FieldProblem | undefined {
  return rangeProblem(field, port, 1, 65_535, "ports");
}
