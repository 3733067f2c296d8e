import { inferenceComponents, scalesToZero } from "../kubernetes/inference.ts";
import { KUBERNETES, objectsOf } from "../kubernetes/objects.ts";
import { quantity } from "../kubernetes/quantity.ts";
import { isPresent, type Rule, UNKNOWN, type Violation } from "../model.ts";

/**
 * `minReplicas: 0` asks for nothing while nobody calls. Without Knative (or KEDA) nothing could notice a call then, and KServe
 * silently keeps one replica, which costs what it costs (kserve#3514).
 */
export const replicasNotZero: Rule = {
  name: "replicas-not-zero",
  description: "A model in Standard mode has at least one replica, and no more at least than at most.",
  severity: "medium",
  package: KUBERNETES,
  check: (resource) =>
    objectsOf(resource).flatMap((of) =>
      inferenceComponents(of).flatMap(({ spec, path }): Violation[] => {
        const { minReplicas, maxReplicas } = spec;
        if (minReplicas === UNKNOWN || !isPresent(minReplicas)) return [];
        const [least, most] = [quantity(minReplicas), quantity(maxReplicas)];
        if (least === undefined || (least <= 0 && !scalesToZero(of)))
          return [
            {
              property: `${path}.minReplicas`,
              message:
                "must be at least 1: in Standard mode 0 silently becomes 1. To stop a model, annotate it with serving.kserve.io/stop.",
            },
          ];
        return most !== undefined && most > 0 && least > most
          ? [{ property: `${path}.minReplicas`, message: "must not be more than maxReplicas." }]
          : [];
      }),
    ),
};
