import type { FailureInfo, Model, ServingRuntime } from "./types.ts";

/** The runtime that serves a model, or why none does, as KServe puts it into `modelStatus.lastFailureInfo`. */
export type RuntimeChoice =
  | { readonly runtime: ServingRuntime }
  | {
      readonly failure: Required<Pick<FailureInfo, "reason" | "message">>;
      /** What KServe tells in its event. */
      readonly error: string;
    };

/**
 * Chooses by name, the project's runtime before the cluster's of the same name; without a name the first that selects
 * itself for the model's format: the project's before the cluster's, by priority, then protocol, then the newer.
 * Source: kserve pkg/apis/serving/v1beta1/predictor_model.go, components/predictor.go (reconcileModel)
 */
export function chooseRuntime(
  model: Model,
  ofProject: readonly ServingRuntime[],
  ofCluster: readonly ServingRuntime[],
): RuntimeChoice {
  if (model.runtime !== undefined) return namedRuntime(model, model.runtime, ofProject, ofCluster);
  const fits = (runtime: ServingRuntime): boolean =>
    runtime.spec.disabled !== true &&
    runtime.spec.multiModel !== true &&
    runtime.spec.workerSpec === undefined &&
    speaks(runtime, model.protocolVersion ?? "v1") &&
    supports(runtime, model, true);
  const format = model.modelFormat.name;
  const [first] = [...sorted(ofProject.filter(fits), format), ...sorted(ofCluster.filter(fits), format)];
  if (first !== undefined) return { runtime: first };
  const wanted = `${format}${model.modelFormat.version === undefined ? "" : ` ${model.modelFormat.version}`}`;
  return failed(
    "NoSupportingRuntime",
    "No runtime found to support specified framework/version",
    `no runtime found to support predictor with model type: {${wanted}}`,
  );
}

function namedRuntime(
  model: Model,
  name: string,
  ofProject: readonly ServingRuntime[],
  ofCluster: readonly ServingRuntime[],
): RuntimeChoice {
  const named = (runtime: ServingRuntime): boolean => runtime.metadata.name === name;
  const runtime = ofProject.find(named) ?? ofCluster.find(named);
  if (runtime === undefined) {
    return failed(
      "RuntimeNotRecognized",
      "Waiting for runtime to become available",
      `No ServingRuntimes or ClusterServingRuntimes with the name: ${name}`,
    );
  }
  if (runtime.spec.disabled === true) {
    return failed(
      "RuntimeDisabled",
      "Specified runtime is disabled",
      `specified runtime ${name} is disabled`,
    );
  }
  if (model.protocolVersion !== undefined && !speaks(runtime, model.protocolVersion)) {
    return failed(
      "NoSupportingRuntime",
      "Specified runtime does not support specified protocol version",
      `specified runtime ${name} does not support specified protocol version`,
    );
  }
  if (!supports(runtime, model, false)) {
    return failed(
      "NoSupportingRuntime",
      "Specified runtime does not support specified framework/version",
      `specified runtime ${name} does not support specified framework/version`,
    );
  }
  return { runtime };
}

function failed(reason: string, message: string, error: string): RuntimeChoice {
  return { failure: { reason, message }, error };
}

function speaks(runtime: ServingRuntime, protocol: string): boolean {
  const { protocolVersions = [] } = runtime.spec;
  return protocolVersions.length === 0 || protocolVersions.includes(protocol);
}

/** A format without a version is supported by each of its versions; one with a version only by that very version. */
function supports(runtime: ServingRuntime, { modelFormat }: Model, bySelection: boolean): boolean {
  return (runtime.spec.supportedModelFormats ?? []).some(
    ({ name, version, autoSelect }) =>
      name === modelFormat.name &&
      (modelFormat.version === undefined || version === modelFormat.version) &&
      (!bySelection || autoSelect === true),
  );
}

function sorted(runtimes: readonly ServingRuntime[], format: string): ServingRuntime[] {
  return [...runtimes].sort(
    (left, right) =>
      priority(right, format) - priority(left, format) ||
      protocolRank(left) - protocolRank(right) ||
      compare(right.metadata.creationTimestamp ?? "", left.metadata.creationTimestamp ?? "") ||
      compare(left.metadata.name, right.metadata.name),
  );
}

function priority(runtime: ServingRuntime, format: string): number {
  return runtime.spec.supportedModelFormats?.find(({ name }) => name === format)?.priority ?? 0;
}

/** Source: kserve GetProtocolVersionPriority, pkg/constants (ProtocolVersion) */
function protocolRank(runtime: ServingRuntime): number {
  const ranks = (runtime.spec.protocolVersions ?? []).map((each) => protocols.indexOf(each));
  return Math.min(protocols.length, ...ranks.filter((rank) => rank >= 0));
}

const protocols = ["v1", "v2", "grpc-v1", "grpc-v2"];

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
