import type { StackInput, Value } from "../../../policies/model.ts";
import { resource } from "../support.ts";

const STACK = "prod";

/** An object of a stack, named in the program as in the cluster. */
export const member = (
  type: string,
  name: string,
  props: object = {},
  { namespace = "a" as unknown, on = [] as string[] } = {},
): StackInput => ({
  ...resource(
    `kubernetes:${type}`,
    {
      ...props,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(props as { metadata?: object }).metadata,
      },
    },
    name,
    STACK,
  ),
  dependencies: on,
  propertyDependencies: { metadata: on },
});

/** A namespace; a project where it is shown in the dashboard. */
export const namespace = (name = "a", labels: Record<string, Value> = {}): StackInput =>
  member("core/v1:Namespace", name, { metadata: { labels } }, { namespace: undefined });

export const project = (name = "a"): StackInput => namespace(name, { "opendatahub.io/dashboard": "true" });

/** A policy that closes its namespace both ways. */
export const closed = (inside: unknown = "a"): StackInput =>
  member(
    "networking.k8s.io/v1:NetworkPolicy",
    "closed",
    { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
    { namespace: inside },
  );

export const quota = (hard: unknown, more: object = {}): StackInput =>
  member("core/v1:ResourceQuota", "quota", { spec: { hard, ...more } });

export const limitRange = (item: object): StackInput =>
  member("core/v1:LimitRange", "limits", { spec: { limits: [{ type: "Container", ...item }] } });

export const model = (name: string, predictor: object, more: object = {}): StackInput =>
  member("serving.kserve.io/v1beta1:InferenceService", name, { spec: { predictor }, ...more });
