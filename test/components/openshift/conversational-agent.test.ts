import { describe, expect, it } from "vitest";
import type { ConversationalAgentArgs } from "../../../components/openshift/agent/args.ts";
import { migrationName } from "../../../components/openshift/agent/jobs.ts";
import { agentProblems } from "../../../components/openshift/agent/problems.ts";
import { ConversationalAgent } from "../../../components/openshift/conversational-agent.ts";
import { only, recorded, TAGS } from "../recording.ts";
import { AGENT, settingsOf } from "./agent-support.ts";
import { fieldsOf } from "./support.ts";

const record = (more: Partial<ConversationalAgentArgs> = {}) =>
  recorded(() => {
    new ConversationalAgent("agent", { ...AGENT, ...more });
  });

describe("ConversationalAgent", () => {
  it("registers its runtime, and no Secret with data", async () => {
    const { resources } = await record();
    const made = resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort();
    expect(made).toEqual([
      "ClusterRole agent-token-review",
      "ClusterRoleBinding agent-token-review",
      "ConfigMap agent-config",
      "ConfigMap agent-postgres",
      "ConversationalAgent agent",
      "CronJob agent-archive",
      "Deployment agent",
      "ExternalSecret agent-model-key",
      "ExternalSecret agent-postgres-password",
      "HorizontalPodAutoscaler agent",
      "Job agent-migrate",
      "NetworkPolicy agent",
      "NetworkPolicy agent-jobs",
      "NetworkPolicy agent-postgres",
      "PersistentVolumeClaim agent-postgres-data",
      "PodDisruptionBudget agent",
      "PrometheusRule agent-alerts",
      "Route agent-route",
      "Service agent",
      "Service agent-postgres",
      "ServiceAccount agent",
      "ServiceAccount agent-jobs",
      "ServiceAccount agent-postgres",
      "ServiceMonitor agent-monitor",
      "StatefulSet agent-postgres",
    ]);
    const inside = resources.filter(
      ({ type }) => type.startsWith("kubernetes:") && !type.includes(":Cluster"),
    );
    for (const { inputs } of inside)
      expect(inputs.metadata).toMatchObject({
        namespace: "kiln-dev-agent",
        labels: { env: "dev", owner: "platform" },
      });
  });

  it("is walled in and has its secrets before its database, that before migrations, those before the agent", async () => {
    const recording = await record();
    const madeAfter = (type: string, name?: string) =>
      only(recording, `kubernetes:${type}`, name).dependsOn.map((urn) =>
        urn.split("$").at(-1)?.split(":").slice(2).join(":"),
      );
    const database = madeAfter("apps/v1:StatefulSet");
    expect(database).toEqual(
      expect.arrayContaining([
        "NetworkPolicy::agent-postgres",
        "ExternalSecret::agent-postgres-password",
        "PersistentVolumeClaim::agent-postgres-data",
        "Service::agent-postgres",
      ]),
    );
    expect(madeAfter("batch/v1:Job")).toEqual(
      expect.arrayContaining(["StatefulSet::agent-postgres", "ConfigMap::agent-config"]),
    );
    expect(madeAfter("apps/v1:Deployment")).toEqual(
      expect.arrayContaining([
        "Job::agent-migrate",
        "Service::agent",
        "ClusterRoleBinding::agent-token-review",
      ]),
    );
    expect(madeAfter("batch/v1:CronJob")).toContain("Job::agent-migrate");
  });

  it("says where it is, within the cluster and for people", async () => {
    let agent: ConversationalAgent | undefined;
    const recording = await recorded(() => {
      agent = new ConversationalAgent("agent", AGENT);
    });
    expect(agent?.serviceUrl).toBe("https://agent.kiln-dev-agent.svc:8443");
    const url = await new Promise((known) => agent?.url.apply(known));
    expect(url).toBe("https://both.apps.example.com");
    expect(only(recording, "kubernetes:route.openshift.io/v1:Route").inputs).not.toHaveProperty("status");
  });

  it("takes the model from the foundry, its key by name", async () => {
    const recording = await record();
    const { data } = only(recording, "kubernetes:core/v1:ConfigMap", "agent-config").inputs as {
      data: Record<string, string>;
    };
    expect(data["lightspeed-stack.yaml"]).toContain("endpoint: https://oai-kiln-dev.openai.azure.com/");
    const secret = only(recording, "kubernetes:external-secrets.io/v1:ExternalSecret", "agent-model-key");
    expect(secret.inputs.spec).toMatchObject({
      refreshPolicy: "Periodic",
      refreshInterval: "5m0s",
      secretStoreRef: { kind: "SecretStore", name: "vault" },
      data: [{ secretKey: "api-key", remoteRef: { key: "AZURE-OPENAI-API-KEY--dev" } }],
    });
  });

  it("has rights of its own name in each namespace, to review tokens and nothing else", async () => {
    const recording = await record();
    const role = only(recording, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole");
    expect(role.inputs).toMatchObject({
      metadata: { name: "kiln:kiln-dev-agent:agent:token-review" },
      rules: [
        { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
        { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
      ],
    });
    expect(
      only(recording, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs,
    ).toMatchObject({
      subjects: [{ kind: "ServiceAccount", name: "agent", namespace: "kiln-dev-agent" }],
      roleRef: { kind: "ClusterRole", name: "kiln:kiln-dev-agent:agent:token-review" },
    });
    const bound = recording.resources.filter(({ type }) => /:(Role|ClusterRole)(Binding)?$/.test(type));
    expect(bound).toHaveLength(2);
  });

  it("rolls when its configuration changes, and not otherwise", async () => {
    const annotationsOf = async (more: Partial<ConversationalAgentArgs>) => {
      const { inputs } = only(await record(more), "kubernetes:apps/v1:Deployment");
      return (inputs.spec as { template: { metadata: { annotations: unknown } } }).template.metadata
        .annotations;
    };
    const first = await annotationsOf({});
    expect(await annotationsOf({ tags: { ...TAGS, owner: "others" } })).toEqual(first);
    const model = { ...AGENT.model, deployment: "gpt-6" };
    expect(await annotationsOf({ model })).not.toEqual(first);
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong: Partial<ConversationalAgentArgs> = {
      image: "agent:latest",
      replicas: { min: 3, max: 2 },
      database: { ...AGENT.database, image: "postgres:16" },
    };
    const { resources } = await recorded(() =>
      expect(() => new ConversationalAgent("agent", { ...AGENT, ...wrong })).toThrow(
        /ConversationalAgent: image .*; replicas\.min is 3, more than replicas\.max, 2; .*database\.image /,
      ),
    );
    expect(resources).toEqual([]);
  });
});

describe("the Job of a migration", () => {
  const name = (more: Partial<ConversationalAgentArgs> = {}) => migrationName(settingsOf(more));

  it("is another one for another image or revision, and the same for the same", () => {
    expect(name()).toMatch(/^agent-migrate-[0-9a-f]{8}$/);
    expect(
      name({ tags: { ...TAGS, costCenter: "7" }, replicas: { min: 1, max: 9 }, archiveAfterDays: 60 }),
    ).toBe(name());
    const names = [
      name(),
      name({ image: AGENT.image.replaceAll("b2", "d4") }),
      name({ schemaRevision: "4f1c2a" }),
      name({ agentName: "helper" }),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("agentProblems", () => {
  const { model, database, network } = AGENT;
  it.each<[string, Partial<ConversationalAgentArgs>]>([
    ["agentName", { agentName: "x".repeat(31) }],
    ["image", { image: "agent:latest" }],
    ["schemaRevision", { schemaRevision: "head; rm" }],
    ["replicas.min", { replicas: { min: 0, max: 2 } }],
    ["replicas.max", { replicas: { min: 1, max: 51 }, database: { ...database, maxConnections: 2000 } }],
    ["scaleAtCpuPercent", { scaleAtCpuPercent: 100 }],
    ["model.endpoint", { model: { ...model, endpoint: "http://plain" } }],
    ["model.deployment", { model: { ...model, deployment: "" } }],
    ["model.apiVersion", { model: { ...model, apiVersion: "latest" } }],
    ["model.keySecret", { model: { ...model, keySecret: "UNDER_SCORE" } }],
    ["model.keyRefreshMinutes", { model: { ...model, keyRefreshMinutes: 0 } }],
    ["model.keyRollout.version", { model: { ...model, keyRollout: { by: "version", version: "" } } }],
    ["project", { project: { namespace: "kiln-dev-agent" } }],
    ["database.image", { database: { ...database, image: "postgres" } }],
    ["database.passwordSecret", { database: { ...database, passwordSecret: "" } }],
    ["database.sizeGib", { database: { ...database, sizeGib: 0 } }],
    ["database.maxConnections", { database: { ...database, maxConnections: 100 } }],
    ["network.apiServer.cidrs", { network: { apiServer: { cidrs: [] } } }],
    ["network.apiServer.cidrs[0]", { network: { apiServer: { cidrs: ["api.example.com"] } } }],
    ["network.apiServer.cidrs[0]", { network: { apiServer: { cidrs: ["0.0.0.0/0"] } } }],
    ["network.apiServer.port", { network: { apiServer: { cidrs: ["10.0.0.4/32"], port: 0 } } }],
    ["network.model.cidrs[1]", { network: { ...network, model: { cidrs: ["10.1.0.0/16", "::/0"] } } }],
    ["network.model.port", { network: { ...network, model: { port: 70_000 } } }],
    ["host", { host: "https://agent" }],
    ["archiveAfterDays", { archiveAfterDays: 0 }],
    ["archiveSchedule", { archiveSchedule: "nightly" }],
    ["auditRetentionDays", { auditRetentionDays: 60, archiveAfterDays: 90 }],
    ["confirmation.also[0]", { confirmation: { also: ["Restart!"] } }],
    ["confirmation.validSeconds", { confirmation: { validSeconds: 5 } }],
    ["objectives.querySeconds", { objectives: { querySeconds: 0 } }],
    ["objectives.operationSeconds", { objectives: { operationSeconds: 1 } }],
    ["objectives.errorRatio", { objectives: { errorRatio: 0.5 } }],
    ["objectives.concurrentConversations", { objectives: { concurrentConversations: 1.5 } }],
    ["commands.serve", { commands: { serve: [] } }],
    ["tags.repo", { tags: { ...TAGS, repo: "" } }],
  ])("says what is wrong with %s", (field, more) => {
    expect(fieldsOf(agentProblems({ ...AGENT, ...more }))).toEqual([field]);
  });

  it("names both fields where two do not go together", () => {
    const [problem] = agentProblems({ ...AGENT, replicas: { min: 2, max: 20 } });
    expect(`${problem?.field} ${problem?.message}`).toBe(
      "database.maxConnections is 200; replicas.max, 20, needs 420: 20 for each pod and 20 more",
    );
  });

  it("refuses what the project's quota cannot hold while a new version comes", () => {
    const quota = {
      requests: { cpuCores: 3, memoryGib: 32 },
      limits: { cpuCores: 32, memoryGib: 32 },
      pods: 20,
      volumes: 1,
      storageGib: 20,
    };
    const project = { ...AGENT.project, quota };
    expect(agentProblems({ ...AGENT, project })).toEqual([
      {
        field: "size.requests.cpuCores",
        message:
          "is 0.5, for replicas.max + 1 7 in all 3.5, and exceeds the project's quota.requests.cpuCores, 3",
      },
    ]);
    expect(agentProblems({ ...AGENT, project, replicas: { min: 2, max: 5 } })).toEqual([]);
  });
});
