import { describe, expect, it } from "vitest";
import { agentService } from "../../../components/openshift/agent/exposure.ts";
import { agentAlerts, serviceMonitor } from "../../../components/openshift/agent/monitoring.ts";
import { partLabels } from "../../../components/openshift/agent/settings.ts";
import { settingsOf } from "./agent-support.ts";

const alerts = (more = {}) => agentAlerts(settingsOf(more)).groups.flatMap(({ rules }) => rules);
const expressionOf = (alert: string, more = {}) => alerts(more).find((each) => each.alert === alert)?.expr;

describe("the agent's alerts", () => {
  it("are one for each thing that is promised", () => {
    expect(alerts().map(({ alert }) => alert)).toEqual([
      "ConversationalAgentQueriesSlow",
      "ConversationalAgentOperationsSlow",
      "ConversationalAgentFailing",
      "ConversationalAgentFailingSlowly",
      "ConversationalAgentCrowded",
      "ConversationalAgentGone",
      "ConversationalAgentArchivalOverdue",
    ]);
    for (const { annotations, labels, for: wait } of alerts()) {
      expect(annotations.summary).toBeTruthy();
      expect(["warning", "critical"]).toContain(labels.severity);
      expect(wait).toMatch(/^\d+[mh]$/);
    }
  });

  it("hold 95 of 100 queries against two seconds, operations against ten", () => {
    expect(expressionOf("ConversationalAgentQueriesSlow")).toBe(
      'histogram_quantile(0.95, sum by (le) (rate(ls_response_duration_seconds_bucket{namespace="kiln-dev-agent",service="agent",path=~"/v1/(query|streaming[-_]query)"}[5m]))) > 2',
    );
    expect(expressionOf("ConversationalAgentOperationsSlow")).toMatch(/path=~"\/v1\/confirm".* > 10$/);
    const objectives = { querySeconds: 1.5, operationSeconds: 20 };
    expect(expressionOf("ConversationalAgentQueriesSlow", { objectives })).toMatch(/ > 1\.5$/);
    expect(expressionOf("ConversationalAgentOperationsSlow", { objectives })).toMatch(/ > 20$/);
  });

  it("look at errors over a long and a short window", () => {
    const fast = expressionOf("ConversationalAgentFailing");
    expect(fast?.match(/\[\w+\]/g)).toEqual(["[1h]", "[1h]", "[5m]", "[5m]"]);
    expect(fast?.match(/> [\d.]+/g)).toEqual(["> 0.144", "> 0.144"]);
    expect(expressionOf("ConversationalAgentFailingSlowly")?.match(/> [\d.]+/g)).toEqual([
      "> 0.06",
      "> 0.06",
    ]);
    // At the most that may be promised a full outage still exceeds the threshold.
    const threshold = expressionOf("ConversationalAgentFailing", { objectives: { errorRatio: 0.05 } });
    expect(Number(threshold?.match(/> ([\d.]+)/)?.[1])).toBeLessThan(1);
  });

  it("speak of this agent alone", () => {
    for (const { expr } of alerts()) expect(expr).toContain('namespace="kiln-dev-agent"');
  });
});

it("the monitor looks where the Service is, with a name that its certificate has", () => {
  const settings = settingsOf();
  const { endpoints, selector } = serviceMonitor(settings);
  expect(selector.matchLabels).toEqual(partLabels(settings, "agent"));
  expect(endpoints).toMatchObject([
    {
      port: agentService(settings).ports[0]?.name,
      scheme: "https",
      path: "/metrics",
      tlsConfig: { serverName: "agent.kiln-dev-agent.svc" },
    },
  ]);
});
