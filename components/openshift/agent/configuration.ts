import { stringify } from "yaml";
import { AGENT_PORT, type AgentSettings, DATABASE, PATHS, POOL_SIZE, POSTGRES_PORT } from "./settings.ts";

/** Variables that hold what is secret; the configuration names them and never what they hold. */
export const VARIABLES = {
  /** libpq's own. */
  password: "PGPASSWORD",
  /** Only where the key is not a file. */
  modelKey: "AZURE_OPENAI_API_KEY",
} as const;

/** Where the agent's Postgres is, by the name that its certificate is for. Pure. */
export function postgresHost({ names, namespace }: Pick<AgentSettings, "names" | "namespace">): string {
  return `${names.postgres}.${namespace}.svc`;
}

/**
 * The agent's configuration, in the form of lightspeed-stack with sections of the agent's own (`model`, `metrics`,
 * `operations`, `audit`, `sessions`). It holds no secret: those are named by file or variable. Pure.
 */
export function agentConfiguration(
  settings: AgentSettings,
  model: { readonly endpoint: string; readonly deployment: string },
): string {
  const { confirmation, objectives } = settings;
  const configuration = {
    name: settings.names.agent,
    service: {
      host: "0.0.0.0",
      port: AGENT_PORT,
      workers: 1,
      auth_enabled: true,
      access_log: true,
      color_log: false,
      tls_config: {
        tls_certificate_path: `${PATHS.servingCertificate}/tls.crt`,
        tls_key_path: `${PATHS.servingCertificate}/tls.key`,
      },
    },
    // The API server says whose token it is and what they may; every request to the cluster is made with that token. Probes have
    // none, nor has monitoring, to which the walls let only the platform's, and the Route nobody, come.
    // Source: lightspeed-core/lightspeed-stack src/authentication/k8s.py
    authentication: {
      module: "k8s",
      skip_tls_verification: false,
      skip_for_health_probes: true,
      skip_for_metrics: true,
    },
    database: {
      postgres: {
        host: postgresHost(settings),
        port: POSTGRES_PORT,
        db: DATABASE,
        user: DATABASE,
        password: `\${env.${VARIABLES.password}}`,
        ssl_mode: "verify-full",
        ca_cert_path: `${PATHS.serviceCa}/service-ca.crt`,
        pool_size: POOL_SIZE,
      },
    },
    inference: { default_provider: "azure", default_model: model.deployment },
    model: {
      endpoint: model.endpoint,
      deployment: model.deployment,
      api_version: settings.apiVersion,
      ...(settings.keyRollout.by === "file"
        ? { api_key_path: `${PATHS.modelKey}/api-key`, api_key_reread: "each-request" }
        : { api_key: `\${env.${VARIABLES.modelKey}}` }),
    },
    metrics: {
      // The port that asks for a namespace and answers with what the caller may see; 9091 wants a right on the whole cluster.
      prometheus_url: "https://thanos-querier.openshift-monitoring.svc:9092",
      ca_cert_path: `${PATHS.serviceCa}/service-ca.crt`,
      credentials: "caller-token",
    },
    operations: {
      credentials: "caller-token",
      confirmation: {
        required_for: [...confirmation.operations],
        // A request of its own, with the caller's token, for one question: nothing that the model says is one.
        accepted_from: "caller-request",
        endpoint: "/v1/confirm",
        offered_to_model: false,
        bound_to: ["user", "session", "operation", "arguments"],
        single_use: true,
        valid_seconds: confirmation.validSeconds,
      },
    },
    audit: {
      enabled: true,
      // Written before an operation begins and after it ended; never changed.
      mode: "append-only",
      record: ["user", "operation", "resource", "arguments", "confirmation", "result"],
      retention_days: settings.auditRetentionDays,
    },
    sessions: { archive_after_days: settings.archiveAfterDays, context_turns: 20 },
    limits: { concurrent_conversations: objectives.concurrentConversations },
  };
  return stringify(configuration, { lineWidth: 0 });
}

/** Configuration of Postgres besides the image's own: TLS, and nobody from outside without it. Pure. */
export function postgresConfiguration({ database }: AgentSettings): Record<string, string> {
  const { maxConnections, size } = database;
  // A quarter of the memory, as Postgres' documentation advises; in MB, since there are no fractions.
  const sharedBuffers = Math.max(32, Math.floor((size.requests.memoryGib * 1024) / 4));
  return {
    "kiln.conf": [
      "ssl = on",
      `ssl_cert_file = '${POSTGRES_PATHS.certificate}/tls.crt'`,
      `ssl_key_file = '${POSTGRES_PATHS.certificate}/tls.key'`,
      "ssl_min_protocol_version = 'TLSv1.2'",
      "password_encryption = 'scram-sha-256'",
      `hba_file = '${POSTGRES_PATHS.access}/pg_hba.conf'`,
      `max_connections = ${maxConnections}`,
      `shared_buffers = '${sharedBuffers}MB'`,
      "",
    ].join("\n"),
    "pg_hba.conf": [
      // The socket is in the container alone; the image sets itself up through it.
      "local all all trust",
      `hostssl ${DATABASE} ${DATABASE} all scram-sha-256`,
      "",
    ].join("\n"),
  };
}

/** Where things are in the container of Postgres. Source: sclorg/postgresql-container (README) */
export const POSTGRES_PATHS = {
  /** The home of its user; the database is below it. */
  home: "/var/lib/pgsql",
  /** Files here that end in .conf become part of the configuration. */
  configuration: "/opt/app-root/src/postgresql-cfg",
  access: "/etc/postgresql-access",
  certificate: "/etc/tls/serving",
} as const;
