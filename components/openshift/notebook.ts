import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { dnsLabelProblem, imageProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { gibQuantity } from "../shared/quantities.ts";
import { tagProblems } from "../shared/tags.ts";
import { type FieldProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import { quotaOverrun, resourceProblems } from "./container.ts";
import type { NotebookArgs } from "./notebook-args.ts";
import { notebookAnnotations, notebookPod } from "./notebook-pod.ts";
import { placed } from "./place.ts";

export type { NotebookArgs, NotebookRun } from "./notebook-args.ts";

/** A notebook (workbench) of OpenShift AI with a home of its own. */
export class Notebook extends ComponentResource {
  readonly notebookName: string;
  /** Name of the claim that is its home. */
  readonly claimName: string;
  /** Done when it runs, or is stopped. */
  readonly notebook: CustomResource;

  constructor(name: string, args: NotebookArgs, options?: ComponentResourceOptions) {
    requireValid("Notebook", notebookProblems(args));
    super("kiln:openshift:Notebook", name, {}, options);

    this.notebookName = args.notebookName;
    this.claimName = args.notebookName;
    const home = this.#home(name, args);
    this.notebook = this.#notebook(name, args, home);
    this.registerOutputs({ notebookName: this.notebookName, claimName: this.claimName });
  }

  #home(name: string, args: NotebookArgs): PersistentVolumeClaim {
    const { project, storage } = args;
    return new PersistentVolumeClaim(
      `${name}-home`,
      {
        metadata: {
          name: this.claimName,
          namespace: project.namespace,
          labels: { ...kubernetesLabels(args.tags), "opendatahub.io/dashboard": "true" },
          annotations: {
            "openshift.io/display-name": args.displayName ?? args.notebookName,
            // Most classes bind a claim when its first pod comes, which comes after it.
            "pulumi.com/skipAwait": "true",
          },
        },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: gibQuantity(storage.sizeGib) } },
          ...(storage.storageClass === undefined ? {} : { storageClassName: storage.storageClass }),
        },
      },
      placed(project, { parent: this }),
    );
  }

  #notebook(name: string, args: NotebookArgs, home: Resource): CustomResource {
    const { project } = args;
    return new CustomResource(
      name,
      {
        apiVersion: "kubeflow.org/v1",
        kind: "Notebook",
        metadata: {
          name: args.notebookName,
          namespace: project.namespace,
          labels: {
            ...kubernetesLabels(args.tags),
            app: args.notebookName,
            "opendatahub.io/dashboard": "true",
            "opendatahub.io/odh-managed": "true",
            ...(args.queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": args.queue }),
          },
          annotations: notebookAnnotations(args),
        },
        spec: { template: { spec: notebookPod(args) } },
      },
      placed(project, { parent: this }, [home, ...(args.after ?? [])]),
    );
  }
}

/** Everything that is wrong with the arguments. Pure. */
export function notebookProblems(args: NotebookArgs): FieldProblem[] {
  const { size, sharedMemoryGib, run, environment = {} } = args;
  return [
    dnsLabelProblem("notebookName", args.notebookName, 52),
    dnsLabelProblem("project.namespace", args.project.namespace),
    imageProblem("image", args.image),
    args.imageSelection !== undefined && !/^[a-z0-9][\w.-]*:[\w][\w.-]*$/.test(args.imageSelection)
      ? { field: "imageSelection", message: `is "${args.imageSelection}"; it reads <image stream>:<tag>` }
      : undefined,
    ...resourceProblems("size", size, args.project),
    ...(run?.state === "stopped" ? [] : quotaOverrun("size", size, ["notebook", 1], args.project.quota)),
    rangeProblem("storage.sizeGib", args.storage.sizeGib, 1, 10_000, "GiB"),
    sharedMemoryGib !== undefined && !(sharedMemoryGib > 0 && sharedMemoryGib <= size.limits.memoryGib)
      ? {
          field: "sharedMemoryGib",
          message: `is ${sharedMemoryGib}; it must be above 0 and not exceed size.limits.memoryGib, which is ${size.limits.memoryGib}`,
        }
      : undefined,
    ...Object.keys(environment).map((key) =>
      /^[A-Za-z_]\w*$/.test(key)
        ? undefined
        : { field: "environment", message: `has "${key}", which is no name of a variable` },
    ),
    ...(args.connections ?? []).map(({ connectionName }, index) =>
      dnsLabelProblem(`connections[${index}]`, connectionName, 253),
    ),
    args.queue === undefined ? undefined : dnsLabelProblem("queue", args.queue),
    run?.state === "stopped" ? instantProblem("run.since", run.since) : undefined,
    ...tagProblems(args.tags),
  ].filter((problem) => problem !== undefined);
}

function instantProblem(field: string, text: string): FieldProblem | undefined {
  const time = Date.parse(text);
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text);
  // Also a 30th of February has the right form; only a real instant is written the same way again.
  if (form && !Number.isNaN(time) && new Date(time).toISOString() === text.replace("Z", ".000Z"))
    return undefined;
  return { field, message: `is ${JSON.stringify(text)}; a time in UTC like 2026-03-01T12:00:00Z is needed` };
}
