import { DNS_LABEL_MAX, dnsLabelProblem } from "../shared/kubernetes.ts";
import { tagProblems } from "../shared/tags.ts";
import { type FieldProblem, rangeProblem } from "../shared/validation.ts";
import { quotaOverrun, resourceProblems } from "./container.ts";
import type { InferenceServiceArgs } from "./inference-args.ts";
import { CANARY_SUFFIX } from "./inference-spec.ts";
import { isFetched, loaderProblems } from "./model-loader.ts";
import { modelSourceProblems } from "./model-source.ts";
import { subjectProblems } from "./subjects.ts";

const PREDICTOR_SUFFIX = "-predictor";

/** Everything that is wrong with the arguments of an InferenceService. Pure. */
export function inferenceServiceProblems(args: InferenceServiceArgs): FieldProblem[] {
  const { access = {}, timeoutSeconds, patienceSeconds = 600 } = args;
  const auth = access.auth ?? "none";
  return [
    ...nameProblems(args),
    ...tagProblems(args.tags),
    ...modelSourceProblems("source", args.source),
    ...formatProblems(args),
    ...resourceProblems("resources", args.resources, args.project),
    ...replicaProblems(args),
    ...Object.keys(args.env ?? {}).map((key) =>
      /^[A-Za-z_]\w*$/.test(key) ? undefined : { field: `env.${key}`, message: "is no name of a variable" },
    ),
    ...(auth === "none" ? [] : subjectProblems("access.auth.callers", auth.callers ?? {})),
    access.exposed === true && access.auth === undefined
      ? {
          field: "access.auth",
          message:
            'is not said; with access.exposed anyone outside reaches the model: give callers, or say "none"',
        }
      : undefined,
    ...canaryProblems(args),
    timeoutSeconds === undefined
      ? undefined
      : rangeProblem("timeoutSeconds", timeoutSeconds, 1, 3600, "seconds"),
    rangeProblem("patienceSeconds", patienceSeconds, 10, 7200, "seconds"),
  ].filter((problem) => problem !== undefined);
}

function nameProblems(args: InferenceServiceArgs): (FieldProblem | undefined)[] {
  const { canary, modelName, project, access = {} } = args;
  const suffix = canary === undefined ? PREDICTOR_SUFFIX : `${CANARY_SUFFIX}${PREDICTOR_SUFFIX}`;
  // The router's name for a route begins with a label of both names.
  const hostLabel = `${modelName}-${project.namespace}`;
  return [
    dnsLabelProblem("modelName", modelName, DNS_LABEL_MAX - suffix.length),
    access.exposed === true && hostLabel.length > DNS_LABEL_MAX
      ? {
          field: "modelName",
          message: `with the namespace ${project.namespace} makes the host label "${hostLabel}" of ${hostLabel.length} characters; access.exposed allows ${DNS_LABEL_MAX}`,
        }
      : undefined,
    dnsLabelProblem("runtime.runtimeName", args.runtime.runtimeName),
    args.serviceAccount === undefined ? undefined : dnsLabelProblem("serviceAccount", args.serviceAccount),
    args.queue === undefined ? undefined : dnsLabelProblem("queue", args.queue),
  ];
}

function formatProblems({ format, runtime }: InferenceServiceArgs): FieldProblem[] {
  const { formats } = runtime;
  if (formats === undefined) return [];
  const fits = formats.some(
    ({ name, version }) =>
      name === format.name &&
      (version === undefined || format.version === undefined || version === format.version),
  );
  if (fits) return [];
  const served = formats.map(({ name, version }) => [name, version].filter(Boolean).join(" ")).join(", ");
  const asked = [format.name, format.version].filter(Boolean).join(" ");
  return [{ field: "format", message: `is ${asked}; runtime ${runtime.runtimeName} has formats ${served}` }];
}

function replicaProblems(args: InferenceServiceArgs): (FieldProblem | undefined)[] {
  const { replicas = { min: 1 }, resources, project } = args;
  const { min, max = min, scaling } = replicas;
  if (min === 0) {
    return [
      {
        field: "replicas.min",
        message:
          "is 0, which Standard mode silently makes 1 (kserve#3514): there is no scaling to zero; " +
          "to stop the model set stopped (serving.kserve.io/stop), else give at least 1",
      },
    ];
  }
  return [
    rangeProblem("replicas.min", min, 1, 100, "copies"),
    rangeProblem("replicas.max", max, 1, 100, "copies"),
    max < min
      ? { field: "replicas.max", message: `is ${max} and below replicas.min, which is ${min}` }
      : undefined,
    scaling === undefined
      ? undefined
      : rangeProblem("replicas.scaling.targetPercent", scaling.targetPercent, 1, 100, "percent"),
    scaling !== undefined && max === min
      ? { field: "replicas.scaling", message: `has no effect while replicas.max equals replicas.min, ${min}` }
      : undefined,
    ...quotaOverrun("resources", resources, ["replicas.max", max], project.quota),
    ...loaderProblems(
      "source",
      args.source,
      resources.limits,
      ["replicas.max", args.stopped === true ? 0 : max],
      project,
    ),
  ];
}

function canaryProblems(args: InferenceServiceArgs): (FieldProblem | undefined)[] {
  const { access = {}, canary, replicas = { min: 1 }, resources, project } = args;
  if (canary === undefined) return [];
  const all = (replicas.max ?? replicas.min) + (canary.replicas ?? 1);
  return [
    rangeProblem("canary.percent", canary.percent, 1, 99, "percent"),
    rangeProblem("canary.replicas", canary.replicas ?? 1, 1, 100, "copies"),
    ...modelSourceProblems("canary.source", canary.source),
    access.exposed === true
      ? undefined
      : {
          field: "canary",
          message:
            "needs access.exposed: in Standard mode KServe ignores canaryTrafficPercent (kserve#5335), and only the router " +
            "divides traffic",
        },
    args.stopped === true
      ? { field: "canary", message: "gets no traffic while stopped is set; leave out one of them" }
      : undefined,
    ...quotaOverrun("resources", resources, ["replicas.max + canary.replicas", all], project.quota),
    ...loaderProblems(
      "canary.source",
      canary.source,
      resources.limits,
      isFetched(args.source)
        ? ["replicas.max + canary.replicas", all]
        : ["canary.replicas", canary.replicas ?? 1],
      project,
    ),
  ];
}
