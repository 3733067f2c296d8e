import { createHash } from "node:crypto";
import { kubernetesLabels } from "../shared/kubernetes.ts";
import { containerResources } from "./container.ts";
import type { InferenceServiceArgs } from "./inference-args.ts";
import { modelStorage } from "./model-source.ts";
import { TOKEN_AUTH_LABEL } from "./network.ts";
import { GPU_RESOURCE } from "./quota.ts";

/** What the name of a second version ends in. */
export const CANARY_SUFFIX = "-canary";

/** Name, labels and annotations of a model. The name is that of the version, the rest is of the whole. Pure. */
export function modelMetadata(args: InferenceServiceArgs, modelName: string) {
  const { access = {}, canary, displayName = args.modelName, queue, stopped = false } = args;
  const { auth = "none" } = access;
  const { max = args.replicas?.min ?? 1 } = args.replicas ?? {};
  const fixed = max === (args.replicas?.min ?? 1);
  // With a canary one route stands before both versions, and neither has its own.
  const ownRoute = access.exposed === true && canary === undefined;
  return {
    name: modelName,
    namespace: args.project.namespace,
    labels: {
      ...kubernetesLabels(args.tags),
      "opendatahub.io/dashboard": "true",
      ...(ownRoute ? { "networking.kserve.io/visibility": "exposed" } : {}),
      ...(auth === "none" ? {} : { [TOKEN_AUTH_LABEL]: "true" }),
      ...(queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": queue }),
    },
    annotations: {
      "openshift.io/display-name": displayName,
      "serving.kserve.io/deploymentMode": "Standard",
      // Without scaling there is no autoscaler to make.
      "serving.kserve.io/autoscalerClass": fixed ? "none" : "hpa",
      ...(auth === "none" ? {} : { "security.opendatahub.io/enable-auth": "true" }),
      ...(stopped ? { "serving.kserve.io/stop": "true" } : {}),
      ...modelStorage(args.source).annotations,
      "pulumi.com/waitFor": stopped ? "condition=Stopped" : "condition=Ready",
    },
  };
}

/** What KServe is told to run. Pure. */
export function predictorSpec(args: InferenceServiceArgs) {
  const spec = predictorWithoutStrategy(args);
  return { ...spec, deploymentStrategy: deploymentStrategy(args.rollout ?? "rolling", spec) };
}

/**
 * How the Deployment takes a change over. KServe tells of a model, as the generation that it has seen, that of the model's Deployment,
 * and Pulumi waits until that has come up with the model's own. A change that leaves the Deployment as it is, of the number of copies
 * for example, would be waited for in vain, now and ever after. So the two shares in which a Deployment may exceed and miss its copies,
 * which no pod notices, are others with each change: 25 to 49 and 0 to 24 percent, near what Kubernetes itself takes (25 each).
 * Source: kserve pkg/apis/serving/v1beta1/inference_service_status.go (PropagateRawStatus), pulumi-kubernetes
 * provider/pkg/await/condition. Pure.
 */
export function deploymentStrategy(rollout: "rolling" | "recreate", spec: object) {
  if (rollout === "recreate") return { type: "Recreate" };
  const [surge = 0, unavailable = 0] = createHash("sha256").update(JSON.stringify(spec)).digest();
  return {
    type: "RollingUpdate",
    rollingUpdate: { maxSurge: `${25 + (surge % 25)}%`, maxUnavailable: `${unavailable % 25}%` },
  };
}

function predictorWithoutStrategy(args: InferenceServiceArgs) {
  const { format, replicas = { min: 1 }, resources, serviceAccount, timeoutSeconds } = args;
  const { min, max = min } = replicas;
  const { metric, targetPercent } = replicas.scaling ?? { metric: "cpu", targetPercent: 80 };
  const { auth = "none" } = args.access ?? {};
  const { gpus = 0, gpuResource = GPU_RESOURCE } = resources;
  const { model, predictor } = modelStorage(args.source);
  const env = Object.entries(args.env ?? {}).map(([name, value]) => ({ name, value }));
  return {
    minReplicas: min,
    maxReplicas: max,
    ...(max === min ? {} : { scaleMetric: metric, scaleTarget: targetPercent }),
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds }),
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    // Only the proxy that checks callers' tokens talks to the API server.
    automountServiceAccountToken: auth !== "none",
    ...predictor,
    ...(gpus === 0 ? {} : { tolerations: [{ key: gpuResource, operator: "Exists", effect: "NoSchedule" }] }),
    model: {
      modelFormat: {
        name: format.name,
        ...(format.version === undefined ? {} : { version: format.version }),
      },
      runtime: args.runtime.runtimeName,
      ...model,
      resources: containerResources(resources),
      ...(args.args === undefined || args.args.length === 0 ? {} : { args: [...args.args] }),
      ...(env.length === 0 ? {} : { env }),
    },
  };
}

/**
 * Name of the route before both versions. Not the model's nor its second version's: KServe's companion takes a Route of a model's
 * name for its own, and deletes it where the model is not labelled exposed. A dot is in no model's name.
 * Source: opendatahub-io/odh-model-controller (kserve_raw_route_reconciler, getExistingResource)
 */
export function canaryRouteName(modelName: string): string {
  return `${modelName}.canary`;
}

/** The route before both versions, with the part of each as its weight. Pure. */
export function canaryRoute(args: InferenceServiceArgs, percent: number) {
  const { auth = "none" } = args.access ?? {};
  const secured = auth !== "none";
  return {
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: {
      name: canaryRouteName(args.modelName),
      namespace: args.project.namespace,
      labels: kubernetesLabels(args.tags),
      annotations: {
        ...(args.timeoutSeconds === undefined
          ? {}
          : { "haproxy.router.openshift.io/timeout": `${args.timeoutSeconds}s` }),
        // Until the router has let it in: where the model had a route of the platform's, once that is gone.
        "pulumi.com/waitFor": 'jsonpath={.status.ingress[0].conditions[?(@.type=="Admitted")].status}=True',
      },
    },
    spec: {
      // The host that the platform's own route has, so that the address stays while there is a second version.
      subdomain: `${args.modelName}-${args.project.namespace}`,
      to: { kind: "Service", name: `${args.modelName}-predictor`, weight: 100 - percent },
      alternateBackends: [
        { kind: "Service", name: `${args.modelName}${CANARY_SUFFIX}-predictor`, weight: percent },
      ],
      port: { targetPort: secured ? 8443 : (args.runtime.port ?? 8080) },
      tls: {
        termination: secured ? "reencrypt" : "edge",
        insecureEdgeTerminationPolicy: "Redirect",
      },
    },
  };
}
