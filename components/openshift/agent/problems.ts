import { cronProblem } from "../../shared/cron.ts";
import { dnsLabelProblem, imageProblem } from "../../shared/kubernetes.ts";
import { tagProblems } from "../../shared/tags.ts";
import { type FieldProblem, rangeProblem } from "../../shared/validation.ts";
import { parseCidr } from "../cidr.ts";
import { quotaOverrun, resourceProblems } from "../container.ts";
import { vaultSecretProblems } from "../vault-secret.ts";
import type { ConversationalAgentArgs } from "./args.ts";
import { type AgentSettings, agentSettings, POOL_SIZE, SPARE_CONNECTIONS } from "./settings.ts";

/** Everything that is wrong with the agent's arguments. Pure. */
export function agentProblems(args: ConversationalAgentArgs): FieldProblem[] {
  const settings = agentSettings(args);
  return [
    dnsLabelProblem("agentName", settings.names.agent, 30),
    imageProblem("image", args.image),
    /^[\w.@+-]+$/.test(settings.schemaRevision)
      ? undefined
      : {
          field: "schemaRevision",
          message: `is "${settings.schemaRevision}"; a revision like head or 4f1c2a is needed`,
        },
    ...scaleProblems(args, settings),
    ...modelProblems(args, settings),
    ...databaseProblems(args, settings),
    ...networkProblems(settings),
    ...promiseProblems(settings),
    ...confirmationProblems(args, settings),
    ...commandProblems(args),
    settings.host !== undefined &&
    !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/.test(settings.host)
      ? { field: "host", message: `is "${settings.host}"; a host name like agent.apps.example.com is needed` }
      : undefined,
    rangeProblem("archiveAfterDays", settings.archiveAfterDays, 1, 3650, "days"),
    cronProblem("archiveSchedule", settings.archiveSchedule),
    rangeProblem("auditRetentionDays", settings.auditRetentionDays, 30, 3650, "days"),
    settings.auditRetentionDays < settings.archiveAfterDays
      ? {
          field: "auditRetentionDays",
          message: `is ${settings.auditRetentionDays}, less than archiveAfterDays, ${settings.archiveAfterDays}: a conversation would outlive the record of what it did`,
        }
      : undefined,
    ...tagProblems(args.tags),
  ].filter((problem) => problem !== undefined);
}

type Problems = (FieldProblem | undefined)[];

function scaleProblems(
  { project }: ConversationalAgentArgs,
  { replicas, size, scaleAtCpuPercent }: AgentSettings,
): Problems {
  return [
    rangeProblem("replicas.min", replicas.min, 1, 50, "pods"),
    rangeProblem("replicas.max", replicas.max, 1, 50, "pods"),
    replicas.min > replicas.max
      ? { field: "replicas.min", message: `is ${replicas.min}, more than replicas.max, ${replicas.max}` }
      : undefined,
    rangeProblem("scaleAtCpuPercent", scaleAtCpuPercent, 10, 95, "percent"),
    ...resourceProblems("size", size, project),
    // One more than there are at most: a new version's pod comes before an old one goes.
    ...quotaOverrun("size", size, ["replicas.max + 1", replicas.max + 1], project.quota),
  ];
}

function modelProblems({ project, model }: ConversationalAgentArgs, settings: AgentSettings): Problems {
  return [
    typeof model.endpoint === "string" && !/^https:\/\/[^\s/]+\/?$/.test(model.endpoint)
      ? {
          field: "model.endpoint",
          message: `is "${model.endpoint}"; an address like https://name.openai.azure.com/ is needed`,
        }
      : undefined,
    model.deployment === ""
      ? { field: "model.deployment", message: "is empty; a name is needed" }
      : undefined,
    /^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(settings.apiVersion)
      ? undefined
      : {
          field: "model.apiVersion",
          message: `is "${settings.apiVersion}"; a version like 2024-10-21 is needed`,
        },
    ...vaultSecretProblems("model.keySecret", project, model.keySecret),
    rangeProblem("model.keyRefreshMinutes", settings.keyRefreshMinutes, 1, 1440, "minutes"),
    settings.keyRollout.by === "version" && settings.keyRollout.version === ""
      ? { field: "model.keyRollout.version", message: "is empty; the secret's version is needed" }
      : undefined,
  ];
}

function databaseProblems({ project, database }: ConversationalAgentArgs, settings: AgentSettings): Problems {
  const { sizeGib, maxConnections, size } = settings.database;
  const needed = settings.replicas.max * POOL_SIZE + SPARE_CONNECTIONS;
  return [
    imageProblem("database.image", database.image),
    ...vaultSecretProblems("database.passwordSecret", project, database.passwordSecret).filter(
      // Said once, for the model's key.
      ({ field }) => field !== "project",
    ),
    rangeProblem("database.sizeGib", sizeGib, 1, 10_000, "GiB"),
    rangeProblem("database.maxConnections", maxConnections, 20, 2000, "connections"),
    maxConnections < needed
      ? {
          field: "database.maxConnections",
          message: `is ${maxConnections}; replicas.max, ${settings.replicas.max}, needs ${needed}: ${POOL_SIZE} for each pod and ${SPARE_CONNECTIONS} more`,
        }
      : undefined,
    ...resourceProblems("database.size", size, project),
  ];
}

function networkProblems({ apiServer, model }: AgentSettings): Problems {
  return [
    ...cidrProblems("network.apiServer.cidrs", apiServer.cidrs),
    ...apiServer.cidrs.map((cidr, index) =>
      (parseCidr(cidr)?.bits ?? 32) < 8
        ? {
            field: `network.apiServer.cidrs[${index}]`,
            message: `is ${cidr}, which is no API server but much of the world; its own addresses are needed`,
          }
        : undefined,
    ),
    rangeProblem("network.apiServer.port", apiServer.port, 1, 65_535, "ports"),
    ...cidrProblems("network.model.cidrs", model.cidrs),
    rangeProblem("network.model.port", model.port, 1, 65_535, "ports"),
  ];
}

function cidrProblems(field: string, cidrs: readonly string[]): Problems {
  return [
    cidrs.length === 0
      ? { field, message: "is empty; a rule without addresses would allow all of them" }
      : undefined,
    ...cidrs.map((cidr, index) =>
      parseCidr(cidr) === undefined
        ? { field: `${field}[${index}]`, message: `is "${cidr}"; addresses like 203.0.113.0/24 are needed` }
        : undefined,
    ),
  ];
}

function promiseProblems({ objectives }: AgentSettings): Problems {
  const { querySeconds, operationSeconds, errorRatio, concurrentConversations } = objectives;
  return [
    querySeconds > 0 && querySeconds <= 300
      ? undefined
      : {
          field: "objectives.querySeconds",
          message: `is ${querySeconds}; seconds above 0, at most 300, are allowed`,
        },
    operationSeconds >= querySeconds && operationSeconds <= 3600
      ? undefined
      : {
          field: "objectives.operationSeconds",
          message: `is ${operationSeconds}; seconds from objectives.querySeconds, ${querySeconds}, to 3600 are allowed`,
        },
    errorRatio > 0 && errorRatio <= 0.05
      ? undefined
      : {
          field: "objectives.errorRatio",
          message: `is ${errorRatio}; a share above 0, at most 0.05, is allowed`,
        },
    rangeProblem("objectives.concurrentConversations", concurrentConversations, 1, 10_000, "conversations"),
  ];
}

function confirmationProblems(
  { confirmation = {} }: ConversationalAgentArgs,
  settings: AgentSettings,
): Problems {
  return [
    ...(confirmation.also ?? []).map((kind, index) =>
      /^[a-z][a-z-]{0,61}[a-z]$/.test(kind)
        ? undefined
        : {
            field: `confirmation.also[${index}]`,
            message: `is "${kind}"; a kind like restart is made of a-z and hyphens`,
          },
    ),
    rangeProblem("confirmation.validSeconds", settings.confirmation.validSeconds, 30, 3600, "seconds"),
  ];
}

function commandProblems({ commands = {} }: ConversationalAgentArgs): Problems {
  return Object.entries(commands).map(([name, words]) =>
    words !== undefined && (words.length === 0 || words.some((word) => word === ""))
      ? { field: `commands.${name}`, message: "has an empty word, or none at all" }
      : undefined,
  );
}
