import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DNS_RULE, tcp } from "./agent/rules.ts";
import { type ContainerResources, containerResources } from "./container.ts";
import { CONTAINER_SECURITY, POD_SECURITY } from "./pod-security.ts";
import type { ScheduledPipelineArgs } from "./schedule-args.ts";

/** What submitting takes: little, and not for long. */
export const SUBMISSION_SIZE: ContainerResources = {
  requests: { cpuCores: 0.05, memoryGib: 0.0625 },
  limits: { cpuCores: 0.5, memoryGib: 0.25 },
};

/** Seconds a run may be late when nothing is caught up: the controller itself looks every ten seconds. */
export const PUNCTUAL_SECONDS = 60;

/** Labels by which policies find the pods that submit. Pure. */
export function submitterLabels(scheduleName: string) {
  return { "app.kubernetes.io/name": "scheduled-pipeline", "app.kubernetes.io/instance": scheduleName };
}

/** What a schedule is; when any of it changes, it is another schedule. Key order does not count. Pure. */
export function scheduleDefinition(args: ScheduledPipelineArgs) {
  const parameters = Object.entries(args.parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    server: args.server.apiUrl,
    pipeline: {
      name: args.pipeline.name,
      ...(args.pipeline.version === undefined ? {} : { version: args.pipeline.version }),
    },
    experiment: args.experiment ?? "Default",
    parameters: Object.fromEntries(parameters),
    schedule: args.schedule,
    timeZone: args.timeZone ?? "Etc/UTC",
  };
}

/** Name of the CronJob: the schedule's name and eight digits of its definition. Pure. */
export function cronJobName(args: ScheduledPipelineArgs): string {
  return `${args.scheduleName}-${digest(JSON.stringify(scheduleDefinition(args)))}`;
}

/** What the submission reads: its request and its program. Pure but for the program's own file. */
export function submissionFiles(args: ScheduledPipelineArgs): Record<string, string> {
  const { pipeline, experiment, parameters } = scheduleDefinition(args);
  const { scheduleName: schedule, concurrency = "Forbid" } = args;
  return {
    "request.json": `${JSON.stringify({ schedule, pipeline, experiment, parameters, concurrency }, undefined, 2)}\n`,
    "submit-run.mjs": readFileSync(new URL("./submit-run.mjs", import.meta.url), "utf8"),
  };
}

/** Name of the ConfigMap, which never changes: other content is another one. Pure. */
export function filesName(args: ScheduledPipelineArgs): string {
  return `${args.scheduleName}-files-${digest(JSON.stringify(submissionFiles(args)))}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The rules of the role that submits: the one server's API, by both ways it asks for it. Pure. */
export function submitterRules(serverName: string) {
  return [
    {
      // What the proxy of newer servers asks.
      apiGroups: ["datasciencepipelinesapplications.opendatahub.io"],
      resources: ["datasciencepipelinesapplications/api"],
      resourceNames: [serverName],
      verbs: ["get", "create"],
    },
    {
      // What the OAuth proxy of older ones asks.
      apiGroups: ["route.openshift.io"],
      resources: ["routes"],
      resourceNames: [`ds-pipeline-${serverName}`],
      verbs: ["get"],
    },
  ];
}

/** Whom the pods that submit may reach: names and the server's API, nothing else; nobody reaches them. Pure. */
export function submitterPolicy(args: ScheduledPipelineArgs) {
  return {
    podSelector: { matchLabels: submitterLabels(args.scheduleName) },
    policyTypes: ["Ingress", "Egress"],
    ingress: [],
    egress: [
      DNS_RULE,
      {
        to: [{ podSelector: { matchLabels: { app: `ds-pipeline-${args.server.name}` } } }],
        ports: [tcp(8443)],
      },
    ],
  };
}

/** The CronJob. Pure. */
export function cronJobSpec(args: ScheduledPipelineArgs) {
  const { catchUp = "none", history = { succeeded: 3, failed: 3 } } = args;
  return {
    schedule: args.schedule,
    timeZone: args.timeZone ?? "Etc/UTC",
    suspend: !(args.enabled ?? true),
    concurrencyPolicy: args.concurrency ?? "Forbid",
    startingDeadlineSeconds: catchUp === "none" ? PUNCTUAL_SECONDS : catchUp.seconds,
    successfulJobsHistoryLimit: history.succeeded,
    failedJobsHistoryLimit: history.failed,
    jobTemplate: {
      spec: {
        backoffLimit: 3,
        activeDeadlineSeconds: 600,
        template: { metadata: { labels: submitterLabels(args.scheduleName) }, spec: submitterPod(args) },
      },
    },
  };
}

function submitterPod(args: ScheduledPipelineArgs) {
  return {
    restartPolicy: "Never",
    serviceAccountName: args.scheduleName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    containers: [
      {
        name: "submit",
        image: args.image,
        command: ["node", "/etc/submission/submit-run.mjs"],
        env: [
          { name: "API_URL", value: args.server.apiUrl },
          { name: "REQUEST_FILE", value: "/etc/submission/request.json" },
          { name: "CA_FILE", value: "/etc/service-ca/service-ca.crt" },
          { name: "TOKEN_FILE", value: "/var/run/secrets/submission/token" },
          {
            name: "RUN_NAME",
            valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } },
          },
        ],
        resources: containerResources(args.size ?? SUBMISSION_SIZE),
        securityContext: CONTAINER_SECURITY,
        volumeMounts: [
          { name: "files", mountPath: "/etc/submission", readOnly: true },
          { name: "service-ca", mountPath: "/etc/service-ca", readOnly: true },
          { name: "token", mountPath: "/var/run/secrets/submission", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "files", configMap: { name: filesName(args) } },
      // OpenShift puts it into every namespace.
      { name: "service-ca", configMap: { name: "openshift-service-ca.crt" } },
      // A token of its own that lasts as long as a submission, not the one that every pod would get.
      {
        name: "token",
        projected: { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }] },
      },
    ],
  };
}
