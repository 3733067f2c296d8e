import { gibQuantity } from "../../shared/quantities.ts";
import { containerResources } from "../container.ts";
import { POSTGRES_PATHS } from "./configuration.ts";
import { baseContainer, basePod } from "./pods.ts";
import { type AgentSettings, DATABASE, POSTGRES_PORT, partLabels } from "./settings.ts";

/** The database's volume. Pure. */
export function postgresClaim({ database }: AgentSettings) {
  return {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: gibQuantity(database.sizeGib) } },
    ...(database.storageClass === undefined ? {} : { storageClassName: database.storageClass }),
  };
}

/**
 * The database: one pod, since two on one volume would destroy it; a StatefulSet never has a second while the first may still
 * run. It mounts a claim of its own instead of a template's, so that the volume can grow. Pure.
 */
export function postgresStatefulSet(settings: AgentSettings, configurationDigest: string) {
  const { names, database } = settings;
  const labels = partLabels(settings, "postgres");
  return {
    serviceName: names.postgres,
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels, annotations: { "kiln.io/configuration": configurationDigest } },
      spec: {
        ...basePod(names.postgres, false),
        // Postgres writes out what it has before it goes.
        terminationGracePeriodSeconds: 120,
        containers: [
          {
            ...baseContainer("postgres", database.image),
            env: [
              { name: "POSTGRESQL_USER", value: DATABASE },
              { name: "POSTGRESQL_DATABASE", value: DATABASE },
              {
                name: "POSTGRESQL_PASSWORD",
                valueFrom: { secretKeyRef: { name: names.postgresPassword, key: "password" } },
              },
            ],
            ports: [{ name: "postgres", containerPort: POSTGRES_PORT, protocol: "TCP" }],
            resources: containerResources(database.size),
            startupProbe: { ...check(), periodSeconds: 5, failureThreshold: 60 },
            readinessProbe: { ...check(), periodSeconds: 10, failureThreshold: 3 },
            livenessProbe: { ...check("--live"), periodSeconds: 20, failureThreshold: 3 },
            volumeMounts: [
              { name: "data", mountPath: POSTGRES_PATHS.home },
              { name: "configuration", mountPath: POSTGRES_PATHS.configuration, readOnly: true },
              { name: "access", mountPath: POSTGRES_PATHS.access, readOnly: true },
              { name: "serving-certificate", mountPath: POSTGRES_PATHS.certificate, readOnly: true },
              { name: "run", mountPath: "/var/run/postgresql" },
              { name: "tmp", mountPath: "/tmp" },
            ],
          },
        ],
        volumes: [
          { name: "data", persistentVolumeClaim: { claimName: names.postgresData } },
          configurationFile("configuration", names.postgres, "kiln.conf"),
          configurationFile("access", names.postgres, "pg_hba.conf"),
          // Postgres refuses a key that others than its owner and group can read.
          {
            name: "serving-certificate",
            secret: { secretName: names.postgresCertificate, defaultMode: 0o640 },
          },
          { name: "run", emptyDir: { sizeLimit: "16Mi" } },
          { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
        ],
      },
    },
  };
}

/** The image's own check. Source: sclorg/postgresql-container (root/usr/libexec/check-container) */
function check(...flags: readonly string[]) {
  return {
    exec: { command: ["/usr/libexec/check-container", ...flags] },
    timeoutSeconds: 10,
    successThreshold: 1,
  };
}

function configurationFile(name: string, configMap: string, file: string) {
  return { name, configMap: { name: configMap, items: [{ key: file, path: file }] } };
}
