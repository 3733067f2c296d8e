import type { ConversationalAgentArgs } from "../../../components/openshift/agent/args.ts";
import { agentSettings } from "../../../components/openshift/agent/settings.ts";
import { TAGS } from "../recording.ts";

export const AGENT_IMAGE = `registry.example.com/agent/server@sha256:${"b2".repeat(32)}`;
export const POSTGRES_IMAGE = `quay.io/sclorg/postgresql-16-c9s@sha256:${"c3".repeat(32)}`;

export const AGENT: ConversationalAgentArgs = {
  project: { namespace: "kiln-dev-agent", secretStore: { name: "vault" } },
  tags: TAGS,
  image: AGENT_IMAGE,
  model: {
    endpoint: "https://oai-kiln-dev.openai.azure.com/",
    deployment: "gpt-5-1",
    keySecret: "AZURE-OPENAI-API-KEY--dev",
  },
  database: { image: POSTGRES_IMAGE, passwordSecret: "agent-database" },
  network: { apiServer: { cidrs: ["10.0.0.4/32", "203.0.113.7/32"] } },
};

export const settingsOf = (more: Partial<ConversationalAgentArgs> = {}) =>
  agentSettings({ ...AGENT, ...more });
