import { type AgentSettings, partLabels, SERVICE_CA_CONFIG_MAP } from "./settings.ts";

/**
 * What the agent tells of itself. The first two are lightspeed-stack's own, with labels `path` and `status_code`; the third is
 * a gauge of the agent's, conversations that wait for an answer.
 * Source: lightspeed-core/lightspeed-stack (src/metrics)
 */
export const AGENT_METRICS = {
  duration: "ls_response_duration_seconds",
  calls: "ls_rest_api_calls_total",
  conversations: "agent_active_conversations",
} as const;

/** Requests that count as queries, and those that carry an operation out. */
export const AGENT_ROUTES = { queries: "/v1/(query|streaming[-_]query)", operations: "/v1/confirm" } as const;

/** Where monitoring finds the agent's metrics. They tell of paths and times, never of what was said. Pure. */
export function serviceMonitor(settings: AgentSettings) {
  const { names, namespace } = settings;
  return {
    selector: { matchLabels: partLabels(settings, "agent") },
    namespaceSelector: { matchNames: [namespace] },
    endpoints: [
      {
        port: "https",
        scheme: "https",
        path: "/metrics",
        interval: "30s",
        scrapeTimeout: "10s",
        tlsConfig: {
          serverName: `${names.agent}.${namespace}.svc`,
          ca: { configMap: { name: SERVICE_CA_CONFIG_MAP, key: "service-ca.crt" } },
        },
      },
    ],
  };
}

/** The alerts on what the agent promises. Pure. */
export function agentAlerts(settings: AgentSettings) {
  const { objectives } = settings;
  const { querySeconds, operationSeconds } = objectives;
  return {
    groups: [
      {
        name: `${settings.names.agent}.latency`,
        rules: [
          slow(settings, "ConversationalAgentQueriesSlow", AGENT_ROUTES.queries, querySeconds, "queries"),
          slow(
            settings,
            "ConversationalAgentOperationsSlow",
            AGENT_ROUTES.operations,
            operationSeconds,
            "operations",
          ),
        ],
      },
      { name: `${settings.names.agent}.errors`, rules: [burn(settings, FAST), burn(settings, SLOW)] },
      { name: `${settings.names.agent}.capacity`, rules: [crowded(settings), absent(settings)] },
      { name: `${settings.names.agent}.archival`, rules: [unarchived(settings)] },
    ],
  };
}

function of({ names, namespace }: AgentSettings, ...more: readonly string[]): string {
  return `{${[`namespace="${namespace}"`, `service="${names.agent}"`, ...more].join(",")}}`;
}

/**
 * By the 95th percentile and not by buckets: the client library's default buckets have a bound at 2.5 seconds and none at 2,
 * and a percentile interpolates.
 */
function slow(settings: AgentSettings, alert: string, path: string, seconds: number, what: string) {
  const selector = of(settings, `path=~"${path}"`);
  return {
    alert,
    expr: `histogram_quantile(0.95, sum by (le) (rate(${AGENT_METRICS.duration}_bucket${selector}[5m]))) > ${seconds}`,
    for: "10m",
    labels: { severity: "warning" },
    annotations: {
      summary: `95 of 100 ${what} are to be answered within ${seconds} s, and are not`,
      description: `The 95th percentile of ${what} of ${settings.names.agent} in ${settings.namespace} is {{ $value | humanizeDuration }}.`,
    },
  };
}

interface Burn {
  readonly alert: string;
  readonly windows: readonly [string, string];
  /** How many times faster than promised the error budget of 30 days goes. */
  readonly rate: number;
  readonly severity: string;
  readonly wait: string;
}

/** Two percent of a month's budget in an hour, and five in six hours. Source: sre.google/workbook/alerting-on-slos */
const FAST: Burn = {
  alert: "ConversationalAgentFailing",
  windows: ["1h", "5m"],
  rate: 14.4,
  severity: "critical",
  wait: "2m",
};
const SLOW: Burn = {
  alert: "ConversationalAgentFailingSlowly",
  windows: ["6h", "30m"],
  rate: 6,
  severity: "warning",
  wait: "15m",
};

/** Over a long and a short window at once: the first that it matters, the second that it still goes on. */
function burn(settings: AgentSettings, { alert, windows, rate, severity, wait }: Burn) {
  const { errorRatio } = settings.objectives;
  const threshold = Number((rate * errorRatio).toPrecision(6));
  const ratio = (window: string) => {
    const failed = `sum(rate(${AGENT_METRICS.calls}${of(settings, 'status_code=~"5.."')}[${window}]))`;
    return `${failed} / sum(rate(${AGENT_METRICS.calls}${of(settings)}[${window}])) > ${threshold}`;
  };
  return {
    alert,
    expr: windows.map((window) => `(${ratio(window)})`).join(" and "),
    for: wait,
    labels: { severity },
    annotations: {
      summary: `More requests fail than the ${errorRatio * 100} % that may`,
      description: `{{ $value | humanizePercentage }} of the requests to ${settings.names.agent} in ${settings.namespace} fail.`,
    },
  };
}

function crowded(settings: AgentSettings) {
  const { concurrentConversations } = settings.objectives;
  const threshold = Math.ceil(concurrentConversations * 0.9);
  return {
    alert: "ConversationalAgentCrowded",
    expr: `sum(${AGENT_METRICS.conversations}${of(settings)}) >= ${threshold}`,
    for: "5m",
    labels: { severity: "warning" },
    annotations: {
      summary: `Nine tenths of the ${concurrentConversations} conversations that are promised are under way`,
      description: `{{ $value }} conversations are under way; ${settings.replicas.max} pods are the most there will be.`,
    },
  };
}

function absent(settings: AgentSettings) {
  return {
    alert: "ConversationalAgentGone",
    expr: `absent(up${of(settings)} == 1)`,
    for: "5m",
    labels: { severity: "critical" },
    annotations: {
      summary: "No pod of the agent answers",
      description: `No pod of ${settings.names.agent} in ${settings.namespace} has been there for monitoring for five minutes.`,
    },
  };
}

function unarchived({ names, namespace }: AgentSettings) {
  const selector = `{namespace="${namespace}",cronjob="${names.archive}"}`;
  return {
    alert: "ConversationalAgentArchivalOverdue",
    expr: `time() - max(kube_cronjob_status_last_successful_time${selector}) > 172800`,
    for: "1h",
    labels: { severity: "warning" },
    annotations: {
      summary: "Old conversations have not been archived for two days",
      description: `The CronJob ${names.archive} in ${namespace} last succeeded {{ $value | humanizeDuration }} ago.`,
    },
  };
}
