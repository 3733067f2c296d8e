import { at, isObject, type Props } from "../model.ts";
import { type KubeObject, within } from "./objects.ts";
import { quantity } from "./quantity.ts";

/** A part of an InferenceService that scales by itself. */
export interface InferenceComponent {
  readonly component: string;
  readonly spec: Props;
  readonly path: string;
}

/** The parts of an InferenceService; none of anything else. */
export function inferenceComponents({ kind, group, object, path }: KubeObject): InferenceComponent[] {
  if (kind !== "InferenceService" || group !== "serving.kserve.io") return [];
  return ["predictor", "transformer", "explainer"].flatMap((component) => {
    const spec = at(object, `spec.${component}`);
    return isObject(spec) ? [{ component, spec, path: within(path, `spec.${component}`) }] : [];
  });
}

const annotation = ({ object }: KubeObject, name: string): string => {
  const annotations = at(object, "metadata.annotations");
  const value = isObject(annotations) ? annotations[name] : undefined;
  return typeof value === "string" ? value.toLowerCase() : "";
};

/**
 * Whether something starts a first replica when a call comes: Knative does, and KEDA. Without an annotation the mode is
 * Standard, as the platform is set up here.
 */
export const scalesToZero = (of: KubeObject): boolean =>
  ["serverless", "knative"].includes(annotation(of, "serving.kserve.io/deploymentMode")) ||
  annotation(of, "serving.kserve.io/autoscalerClass") === "keda";

/** Whether a model is stopped, so that it uses nothing. */
export const isStopped = (of: KubeObject): boolean => annotation(of, "serving.kserve.io/stop") === "true";

/**
 * Replicas at most, as KServe reads them: `maxReplicas`, and where that is not set, or less, `minReplicas`, and where that is
 * not set, 1. What is not known counts for 1: less it cannot be.
 */
export function mostReplicas(spec: Props): number {
  const [least, most] = [quantity(spec.minReplicas) ?? 1, quantity(spec.maxReplicas) ?? 0];
  return Math.max(1, least, most);
}
