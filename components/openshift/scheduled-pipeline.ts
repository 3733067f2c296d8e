import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Resource,
} from "@pulumi/pulumi";
import { cronProblem, timeZoneProblem } from "../shared/cron.ts";
import { dnsLabelProblem, imageProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { tagProblems } from "../shared/tags.ts";
import { type FieldProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import { resourceProblems } from "./container.ts";
import { placed } from "./place.ts";
import type { ScheduledPipelineArgs } from "./schedule-args.ts";
import {
  cronJobName,
  cronJobSpec,
  filesName,
  SUBMISSION_SIZE,
  submissionFiles,
  submitterPolicy,
  submitterRules,
} from "./schedule-spec.ts";
import { rbacSubjects, roleRef } from "./subjects.ts";

export type { ScheduledPipelineArgs } from "./schedule-args.ts";

/**
 * A pipeline that runs by the clock: a CronJob that submits a run through the pipeline server's own API, as a service account
 * that may do nothing else.
 *
 * Why not a recurring run of Kubeflow Pipelines: it lives in the server's database, which nothing declares. The
 * ScheduledWorkflow that goes with it is the server's output; one made by hand has no row there, and the server refuses
 * what is reported of it. Pipeline and PipelineVersion objects exist only with the Kubernetes store, and say
 * what is run, not when. A CronJob is declared, read back and checked by the API server, and its runs appear where all
 * runs do.
 *
 * As a recurring run, a schedule is never changed but made anew (kubeflow/pipelines#3789): pipeline, parameters, times
 * and time zone are part of its name, and the old one goes before the new one comes. So a new definition never catches up on
 * times before it was, and each run tells by its name which definition it is of. Switching it off and on, concurrency,
 * history and image change in place.
 */
export class ScheduledPipeline extends ComponentResource {
  /** Name of the CronJob; another definition has another one. */
  readonly cronJobName: string;

  constructor(name: string, args: ScheduledPipelineArgs, options?: ComponentResourceOptions) {
    requireValid("ScheduledPipeline", scheduledPipelineProblems(args));
    super("kiln:openshift:ScheduledPipeline", name, {}, options);

    this.cronJobName = cronJobName(args);
    const allowed = this.#access(name, args);
    const files = this.#files(name, args);
    new CronJob(
      name,
      { metadata: this.#metadata(this.cronJobName, args), spec: cronJobSpec(args) },
      // Both at once could both fire.
      { ...this.#placed(args, [...allowed, files, ...(args.after ?? [])]), deleteBeforeReplace: true },
    );
    this.registerOutputs({ cronJobName: this.cronJobName });
  }

  #access(name: string, args: ScheduledPipelineArgs): Resource[] {
    const { scheduleName, project, server } = args;
    const metadata = this.#metadata(scheduleName, args);
    const account = new ServiceAccount(
      name,
      { metadata, automountServiceAccountToken: false },
      this.#placed(args),
    );
    const role = new Role(name, { metadata, rules: submitterRules(server.name) }, this.#placed(args));
    const binding = new RoleBinding(
      name,
      {
        metadata,
        subjects: rbacSubjects({ serviceAccounts: [{ name: scheduleName }] }, project.namespace),
        roleRef: roleRef("Role", scheduleName),
      },
      this.#placed(args, [role, account]),
    );
    const policy = new NetworkPolicy(name, { metadata, spec: submitterPolicy(args) }, this.#placed(args));
    return [binding, policy];
  }

  #files(name: string, args: ScheduledPipelineArgs): ConfigMap {
    return new ConfigMap(
      name,
      { metadata: this.#metadata(filesName(args), args), immutable: true, data: submissionFiles(args) },
      this.#placed(args),
    );
  }

  #metadata(name: string, args: ScheduledPipelineArgs) {
    return { name, namespace: args.project.namespace, labels: kubernetesLabels(args.tags) };
  }

  #placed(args: ScheduledPipelineArgs, after: readonly Resource[] = []): CustomResourceOptions {
    return placed(args.project, { parent: this }, after);
  }
}

/** Everything that is wrong with the arguments. Pure. */
export function scheduledPipelineProblems(args: ScheduledPipelineArgs): FieldProblem[] {
  const { catchUp = "none", history = { succeeded: 3, failed: 3 }, timeZone = "Etc/UTC" } = args;
  return [
    dnsLabelProblem("scheduleName", args.scheduleName, 40),
    dnsLabelProblem("server.name", args.server.name, 30),
    /^https:\/\/[^\s/]+$/.test(args.server.apiUrl)
      ? undefined
      : {
          field: "server.apiUrl",
          message: `is "${args.server.apiUrl}"; an address like https://host:8443 is needed`,
        },
    emptyProblem("pipeline.name", args.pipeline.name),
    emptyProblem("pipeline.version", args.pipeline.version ?? "newest"),
    emptyProblem("experiment", args.experiment ?? "Default"),
    cronProblem("schedule", args.schedule),
    timeZoneProblem("timeZone", timeZone),
    catchUp === "none" ? undefined : rangeProblem("catchUp.seconds", catchUp.seconds, 60, 604_800, "seconds"),
    rangeProblem("history.succeeded", history.succeeded, 0, 20, "submissions"),
    rangeProblem("history.failed", history.failed, 0, 20, "submissions"),
    imageProblem("image", args.image),
    ...resourceProblems("size", args.size ?? SUBMISSION_SIZE, args.project),
    ...Object.entries(args.parameters ?? {}).map(([key, value]) =>
      typeof value === "number" && !Number.isFinite(value)
        ? { field: `parameters.${key}`, message: `is ${value}, which JSON cannot say` }
        : undefined,
    ),
    ...tagProblems(args.tags),
  ].filter((problem) => problem !== undefined);
}

function emptyProblem(field: string, text: string): FieldProblem | undefined {
  return text.trim() === "" ? { field, message: "is empty; a name is needed" } : undefined;
}
