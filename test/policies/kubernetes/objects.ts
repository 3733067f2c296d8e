/** Kubernetes objects that keep every rule, to be changed for the cases. */
import { type Case, tags } from "../case.ts";

export const DIGEST = "0123456789abcdef".repeat(4);
export const IMAGE = `quay.io/kiln/agent@sha256:${DIGEST}`;

/** Nested changes laid over an object: maps are merged, everything else is replaced. */
type Over = { readonly [key: string]: unknown };
export function over(base: object, changes: Over): Record<string, unknown> {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    const old = result[key];
    const maps = isMap(old) && isMap(value);
    result[key] = maps ? over(old, value) : value;
  }
  return result;
}
export const isMap = (value: unknown): value is Over =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const object = (token: string, apiVersion: string, props: object): Case => {
  const kind =
    token
      .split(":")
      .at(-1)
      ?.replace(/Patch$/, "") ?? "";
  return { type: `kubernetes:${token}`, props: { apiVersion, kind, ...props } };
};

export const RESOURCES = {
  requests: { cpu: "250m", memory: "256Mi" },
  limits: { cpu: "1", memory: "1Gi" },
};
export const SECURITY = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
export const container = (changes: Over = {}) =>
  over({ name: "app", image: IMAGE, resources: RESOURCES, securityContext: SECURITY }, changes);

/** The spec of a pod that keeps every rule, with changes to it and to its container. */
export const podSpec = (changes: Over = {}, ofContainer: Over = {}) =>
  over({ automountServiceAccountToken: false, containers: [container(ofContainer)] }, changes);

export const template = (spec: object) => ({ metadata: { labels: { app: "a" } }, spec });
export const deployment = (changes: Over = {}, ofContainer: Over = {}): Case =>
  object("apps/v1:Deployment", "apps/v1", { spec: { template: template(podSpec(changes, ofContainer)) } });
export const pod = (changes: Over = {}, ofContainer: Over = {}): Case =>
  object("core/v1:Pod", "v1", { metadata: { name: "p" }, spec: podSpec(changes, ofContainer) });
export const cronJob = (changes: Over = {}, ofContainer: Over = {}): Case =>
  object("batch/v1:CronJob", "batch/v1", {
    spec: { jobTemplate: { spec: { template: template(podSpec(changes, ofContainer)) } } },
  });
export const templated = (
  token: string,
  apiVersion: string,
  changes: Over = {},
  ofContainer: Over = {},
): Case => object(token, apiVersion, { spec: { template: template(podSpec(changes, ofContainer)) } });

export const MODEL = {
  modelFormat: { name: "vLLM" },
  runtime: "vllm",
  resources: RESOURCES,
  storage: { key: "models", path: "a" },
};
export const inference = (predictor: Over = {}, metadata: Over = {}): Case =>
  object("serving.kserve.io/v1beta1:InferenceService", "serving.kserve.io/v1beta1", {
    metadata: over({ name: "m", annotations: { "serving.kserve.io/deploymentMode": "Standard" } }, metadata),
    spec: {
      predictor: over(
        { minReplicas: 1, maxReplicas: 2, automountServiceAccountToken: false, model: MODEL },
        predictor,
      ),
    },
  });
export const runtime = (ofContainer: Over = {}, changes: Over = {}, kind = "ServingRuntime"): Case =>
  object(`serving.kserve.io/v1alpha1:${kind}`, "serving.kserve.io/v1alpha1", {
    metadata: { name: "vllm" },
    spec: over(
      { containers: [{ name: "kserve-container", image: IMAGE, resources: RESOURCES, ...ofContainer }] },
      changes,
    ),
  });
export const notebook = (ofContainer: Over = {}, changes: Over = {}): Case =>
  object("kubeflow.org/v1:Notebook", "kubeflow.org/v1", {
    metadata: { name: "n" },
    spec: {
      template: {
        spec: over(
          { containers: [over({ name: "n", image: IMAGE, resources: RESOURCES }, ofContainer)] },
          changes,
        ),
      },
    },
  });
export const worker = (ofContainer: Over): Case =>
  object("ray.io/v1:RayCluster", "ray.io/v1", {
    spec: {
      workerGroupSpecs: [
        { template: { spec: { containers: [over({ image: IMAGE, resources: RESOURCES }, ofContainer)] } } },
      ],
    },
  });

export const TEMPLATE = "spec.template.spec";
export const APP = `${TEMPLATE}.containers[name=app]`;
export const CRON_APP = `spec.jobTemplate.spec.template.spec.containers[name=app]`;
export const tagged = "quay.io/kiln/agent:1.0";

export const role = (rule: object, kind = "Role", more: object = {}): Case =>
  object(`rbac.authorization.k8s.io/v1:${kind}`, "rbac.authorization.k8s.io/v1", {
    metadata: { name: "r" },
    rules: [rule],
    ...more,
  });
export const binding = (name: string, subject: object, kind = "RoleBinding"): Case =>
  object(`rbac.authorization.k8s.io/v1:${kind}`, "rbac.authorization.k8s.io/v1", {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [subject],
  });
export const GROUP = { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "data-scientists" };
export const READ = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };

export const route = (tls: unknown): Case =>
  object("route.openshift.io/v1:Route", "route.openshift.io/v1", {
    spec: { to: { kind: "Service", name: "s" }, tls },
  });
export const claim = (spec: Over = {}): Case =>
  object("core/v1:PersistentVolumeClaim", "v1", {
    spec: over({ accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } }, spec),
  });
export const namespace = (labels: Over, more: Over = {}): Case =>
  object("core/v1:Namespace", "v1", {
    metadata: { name: "kiln-prod-a", labels: { ...tags(), repo: "o-r", ...labels }, ...more },
  });
/** A policy of a namespace of its own, so that it opens or closes no other case. */
export const policy = (spec: object): Case =>
  object("networking.k8s.io/v1:NetworkPolicy", "networking.k8s.io/v1", {
    metadata: { name: "p", namespace: "policies" },
    spec: { podSelector: {}, ...spec },
  });
