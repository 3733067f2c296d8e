import { type ContainerResources, containerResources } from "../container.ts";
import { baseContainer, basePod, databaseEnvironment, imageVolumes } from "./pods.ts";
import { type AgentPart, type AgentSettings, PATHS, partLabels } from "./settings.ts";
import { digest } from "./workload.ts";

/** What migrations and archival ask for: they look at rows, not at models. */
const JOB_SIZE: ContainerResources = {
  requests: { cpuCores: 0.1, memoryGib: 0.25 },
  limits: { cpuCores: 1, memoryGib: 0.5 },
};

/**
 * The Job that brings the database's schema up to what the image needs. Tried again a few times, since Alembic works in
 * transactions and begins where it left off. It has no time to live: a Job that deletes itself is missing in the next
 * `refresh`, and would be made and run again. The next version's Job takes its place instead. Pure.
 */
export function migrationJob(settings: AgentSettings) {
  return {
    backoffLimit: 4,
    activeDeadlineSeconds: 1800,
    template: jobTemplate(settings, "migrations", [...settings.commands.migrate, settings.schemaRevision]),
  };
}

/**
 * Name of that Job: with eight digits of what it runs. A Job cannot be changed; another image or revision, or another place
 * of the database, is another Job, and the same is the same. Pure.
 */
export function migrationName(settings: AgentSettings): string {
  return `${settings.names.agent}-migrate-${digest(JSON.stringify(migrationJob(settings)))}`;
}

/**
 * The CronJob that archives conversations which nobody touched for as long as configured, and forgets audit records whose
 * time is over. Never two at once; a night that was missed is caught up within twelve hours. Pure.
 */
export function archivalCronJob(settings: AgentSettings) {
  const { commands, archiveAfterDays, auditRetentionDays } = settings;
  const flags = [`--older-than-days=${archiveAfterDays}`, `--audit-retention-days=${auditRetentionDays}`];
  return {
    schedule: settings.archiveSchedule,
    timeZone: "Etc/UTC",
    concurrencyPolicy: "Forbid",
    startingDeadlineSeconds: 43_200,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    suspend: false,
    jobTemplate: {
      spec: {
        backoffLimit: 2,
        activeDeadlineSeconds: 7200,
        template: jobTemplate(settings, "archival", [...commands.archive, ...flags]),
      },
    },
  };
}

function jobTemplate(settings: AgentSettings, part: AgentPart, command: readonly string[]) {
  return {
    metadata: { labels: partLabels(settings, part) },
    spec: {
      ...basePod(settings.names.jobs, false),
      // A pod that failed stays, with its log.
      restartPolicy: "Never",
      containers: [
        {
          ...baseContainer(part, settings.image),
          command: [...command],
          env: [
            ...databaseEnvironment(settings),
            { name: "AGENT_CONFIGURATION", value: `${PATHS.configuration}/lightspeed-stack.yaml` },
          ],
          resources: containerResources(JOB_SIZE),
          volumeMounts: imageVolumes(settings).volumeMounts,
        },
      ],
      volumes: imageVolumes(settings).volumes,
    },
  };
}
