import type { ContainerResources } from "../container.ts";
import type { AgentObjectives, ConversationalAgentArgs, KeyRollout } from "./args.ts";

/** Where things are in the agent's containers. */
export const PATHS = {
  configuration: "/etc/agent",
  servingCertificate: "/etc/tls/serving",
  serviceCa: "/etc/tls/service-ca",
  modelKey: "/var/run/secrets/model",
} as const;

/** Port the agent listens on, with TLS. */
export const AGENT_PORT = 8443;
/** Postgres' own. */
export const POSTGRES_PORT = 5432;
/** Connections that one pod of the agent holds at most. */
export const POOL_SIZE = 20;
/** Connections that are left for migrations, archival and a person who looks. */
export const SPARE_CONNECTIONS = 20;
/** Database and its user. */
export const DATABASE = "agent";
/** ConfigMap with the certificate authority of Services; OpenShift puts it into every namespace. */
export const SERVICE_CA_CONFIG_MAP = "openshift-service-ca.crt";
/** Operations that always wait for a person. */
export const ALWAYS_CONFIRMED = ["delete", "scale", "permission-change"] as const;

/** The names of everything that an agent is made of. */
export interface AgentNames {
  readonly agent: string;
  readonly servingCertificate: string;
  readonly configuration: string;
  readonly modelKey: string;
  readonly postgres: string;
  readonly postgresCertificate: string;
  readonly postgresPassword: string;
  readonly postgresData: string;
  /** Service account of migrations and archival. */
  readonly jobs: string;
  readonly archive: string;
  /** Cluster-wide, so with the namespace; a colon is in no namespace's name, so that no two agents share it. */
  readonly tokenReview: string;
}

/** Names of an agent's objects. Pure. */
export function agentNames(agent: string, namespace: string): AgentNames {
  return {
    agent,
    servingCertificate: `${agent}-tls`,
    configuration: `${agent}-config`,
    modelKey: `${agent}-model-key`,
    postgres: `${agent}-postgres`,
    postgresCertificate: `${agent}-postgres-tls`,
    postgresPassword: `${agent}-postgres-password`,
    postgresData: `${agent}-postgres-data`,
    jobs: `${agent}-jobs`,
    archive: `${agent}-archive`,
    tokenReview: `kiln:${namespace}:${agent}:token-review`,
  };
}

/** The arguments with every default filled in. */
export interface AgentSettings {
  readonly namespace: string;
  readonly names: AgentNames;
  readonly image: string;
  readonly schemaRevision: string;
  readonly replicas: { readonly min: number; readonly max: number };
  readonly scaleAtCpuPercent: number;
  readonly size: ContainerResources;
  readonly keyRollout: KeyRollout;
  readonly keyRefreshMinutes: number;
  readonly apiVersion: string;
  readonly host: string | undefined;
  readonly database: {
    readonly image: string;
    readonly sizeGib: number;
    readonly storageClass: string | undefined;
    readonly maxConnections: number;
    readonly size: ContainerResources;
  };
  readonly apiServer: { readonly cidrs: readonly string[]; readonly port: number };
  readonly model: { readonly cidrs: readonly string[]; readonly port: number };
  readonly confirmation: { readonly operations: readonly string[]; readonly validSeconds: number };
  readonly archiveAfterDays: number;
  readonly archiveSchedule: string;
  readonly auditRetentionDays: number;
  readonly objectives: AgentObjectives;
  readonly commands: {
    readonly serve: readonly string[] | undefined;
    readonly migrate: readonly string[];
    readonly archive: readonly string[];
  };
}

const OBJECTIVES: AgentObjectives = {
  querySeconds: 2,
  operationSeconds: 10,
  errorRatio: 0.01,
  concurrentConversations: 100,
};

/** Fills every default in. Pure. */
export function agentSettings(args: ConversationalAgentArgs): AgentSettings {
  const { project, agentName = "agent", model, database, network, confirmation = {} } = args;
  return {
    namespace: project.namespace,
    names: agentNames(agentName, project.namespace),
    image: args.image,
    schemaRevision: args.schemaRevision ?? "head",
    replicas: args.replicas ?? { min: 2, max: 6 },
    scaleAtCpuPercent: args.scaleAtCpuPercent ?? 70,
    size: args.size ?? {
      requests: { cpuCores: 0.5, memoryGib: 1 },
      limits: { cpuCores: 2, memoryGib: 2 },
    },
    keyRollout: model.keyRollout ?? { by: "file" },
    keyRefreshMinutes: model.keyRefreshMinutes ?? 5,
    apiVersion: model.apiVersion ?? "2024-10-21",
    host: args.host,
    database: {
      image: database.image,
      sizeGib: database.sizeGib ?? 20,
      storageClass: database.storageClass,
      maxConnections: database.maxConnections ?? 200,
      size: database.size ?? {
        requests: { cpuCores: 0.25, memoryGib: 0.5 },
        limits: { cpuCores: 1, memoryGib: 1 },
      },
    },
    apiServer: { cidrs: network.apiServer.cidrs, port: network.apiServer.port ?? 6443 },
    model: { cidrs: network.model?.cidrs ?? ["0.0.0.0/0"], port: network.model?.port ?? 443 },
    confirmation: {
      operations: [...new Set([...ALWAYS_CONFIRMED, ...(confirmation.also ?? [])])],
      validSeconds: confirmation.validSeconds ?? 300,
    },
    archiveAfterDays: args.archiveAfterDays ?? 30,
    archiveSchedule: args.archiveSchedule ?? "17 3 * * *",
    auditRetentionDays: args.auditRetentionDays ?? 365,
    objectives: { ...OBJECTIVES, ...args.objectives },
    commands: {
      serve: args.commands?.serve,
      migrate: args.commands?.migrate ?? ["alembic", "upgrade"],
      archive: args.commands?.archive ?? ["python", "-m", "src.services.session_cleanup"],
    },
  };
}

/** The parts that pods belong to; policies and Services find them by it. */
export type AgentPart = "agent" | "postgres" | "migrations" | "archival";

/** Labels of the pods of a part. They never change: a selector cannot. Pure. */
export function partLabels({ names }: Pick<AgentSettings, "names">, part: AgentPart): Record<string, string> {
  return {
    "app.kubernetes.io/name": "conversational-agent",
    "app.kubernetes.io/instance": names.agent,
    "app.kubernetes.io/component": part,
  };
}
