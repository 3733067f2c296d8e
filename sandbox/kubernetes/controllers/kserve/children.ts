import type { Route } from "../openshift/admission.ts";
import type { Deployment, KubeObject, PodSpec, Service, ServicePort, Strings } from "../runtime/objects.ts";
import { ownerReferenceOf } from "../runtime/objects.ts";
import { authProxyPort, servingSecretName } from "./auth.ts";
import { defaultPort } from "./pod.ts";
import {
  type InferenceService,
  isExposed,
  marks,
  predictorName,
  type ServingRuntime,
  wantsAuth,
} from "./types.ts";

/** How many copies there are to be. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  /** Whether something counts for itself: an autoscaler of ours, or one from outside. */
  readonly by: "count" | "autoscaler" | "others";
}

/**
 * Copies of a predictor. In Standard mode fewer than one is silently one (kserve#3514), unless the autoscaler class is
 * `none`, which takes the number as it is; a greatest number below the least is the least.
 * Source: kserve reconcilers/hpa (createHPA), reconcilers/deployment. Where least and greatest are the same, KServe makes an
 * autoscaler that has nothing to decide; here there is none, and the count is kept by the Deployment. Pure.
 */
export function scaleOf(service: InferenceService): Scale {
  const { minReplicas = 1, maxReplicas = 0 } = service.spec.predictor;
  const autoscaler = service.metadata.annotations?.[marks.autoscalerClass] ?? "hpa";
  if (autoscaler === "none") return { min: minReplicas, max: minReplicas, by: "count" };
  const min = Math.max(1, minReplicas);
  const max = Math.max(min, maxReplicas);
  if (autoscaler === "external" || autoscaler === "keda") return { min, max, by: "others" };
  return { min, max, by: max > min ? "autoscaler" : "count" };
}

function labelsOf(service: InferenceService, runtime?: ServingRuntime): Strings {
  return {
    ...runtime?.spec.labels,
    ...service.metadata.labels,
    ...service.spec.predictor.labels,
    app: appLabel(service),
    component: "predictor",
    [marks.inferenceService]: service.metadata.name,
  };
}

/** Value of the label `app` by which a predictor's pods are found. */
export function appLabel(service: InferenceService): string {
  const label = `isvc.${predictorName(service)}`;
  return label.length <= 63 ? label : label.slice(-63).replace(/^[^a-z0-9]+/, "");
}

function metadata(service: InferenceService, name = predictorName(service)) {
  return {
    name,
    namespace: service.metadata.namespace ?? "",
    ownerReferences: [ownerReferenceOf(service)],
  };
}

/** The Deployment of a predictor; `copies` is what an autoscaler made of it meanwhile. Pure. */
export function predictorDeployment(
  service: InferenceService,
  runtime: ServingRuntime | undefined,
  pod: PodSpec,
  annotations: Strings,
  copies: number | undefined,
): Deployment {
  const scale = scaleOf(service);
  const labels = labelsOf(service, runtime);
  // Source: kserve reconcilers/deployment (setDefaultDeploymentSpec)
  const { deploymentStrategy = { type: "RollingUpdate" } } = service.spec.predictor;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...metadata(service), labels },
    spec: {
      replicas: scale.by === "count" ? scale.min : (copies ?? scale.min),
      selector: { matchLabels: { app: appLabel(service) } },
      strategy: deploymentStrategy,
      template: { metadata: { labels, annotations }, spec: pod },
    },
  };
}

/**
 * The Service in front of a predictor's pods: port 80 leads to the server's first port, or, where callers are asked who they are,
 * 8443 to the proxy in its place. It has no address of its own, which OpenShift AI chooses by default
 * (`rawDeploymentServiceConfig: Headless`). A certificate, which OpenShift AI asks for in any case, only the proxy needs.
 * Source: opendatahub-io/kserve reconcilers/service (createDefaultSvc) at OpenShift AI 3.4. Pure.
 * @param before the Service as it is: whether it has an address cannot be changed
 */
export function predictorService(service: InferenceService, pod: PodSpec, before?: Service): Service {
  const ports = pod.containers[0]?.ports ?? [];
  const [first, ...rest] = ports;
  const name = predictorName(service);
  const plain: ServicePort[] = [
    {
      name: first?.name ?? name.slice(0, 15).replace(/-+$/, ""),
      port: 80,
      targetPort: first?.containerPort ?? defaultPort,
      protocol: first?.protocol ?? "TCP",
      ...appProtocol(first?.name),
    },
    ...rest.map((port) => ({
      name: port.name ?? `port-${port.containerPort}`,
      port: port.containerPort,
      targetPort: port.containerPort,
      protocol: port.protocol ?? "TCP",
      ...appProtocol(port.name),
    })),
  ];
  const secured: ServicePort = { name: "https", port: authProxyPort, targetPort: "https", protocol: "TCP" };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...metadata(service),
      labels: labelsOf(service),
      ...(wantsAuth(service)
        ? { annotations: { [marks.servingCertificate]: servingSecretName(service) } }
        : {}),
    },
    spec: {
      clusterIP: before?.spec.clusterIP ?? "None",
      selector: { app: appLabel(service) },
      ports: wantsAuth(service) ? [secured, ...plain.slice(1)] : plain,
    },
  };
}

function appProtocol(name: string | undefined): { appProtocol?: string } {
  return name?.includes("grpc") || name?.includes("h2c") ? { appProtocol: "kubernetes.io/h2c" } : {};
}

/** The autoscaler, where there is something to decide. Pure. */
export function predictorAutoscaler(service: InferenceService): KubeObject | undefined {
  const scale = scaleOf(service);
  if (scale.by !== "autoscaler") return undefined;
  const name = predictorName(service);
  const autoscaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...metadata(service), labels: labelsOf(service) },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      minReplicas: scale.min,
      maxReplicas: scale.max,
      metrics: metricsOf(service),
    },
  };
  return autoscaler;
}

/** Source: kserve reconcilers/hpa (getHPAMetrics) */
function metricsOf({ spec: { predictor } }: InferenceService): unknown[] {
  const metric = (name: string, target: unknown) => ({ type: "Resource", resource: { name, target } });
  if (predictor.autoScaling?.metrics !== undefined) {
    return predictor.autoScaling.metrics.flatMap((each) => {
      const { resource } = each as {
        resource?: {
          name: string;
          target: { type?: string; averageUtilization?: number; averageValue?: string };
        };
      };
      if (resource === undefined) return [];
      const { type = "Utilization", averageUtilization = 80, averageValue } = resource.target;
      return [
        metric(
          resource.name,
          type === "AverageValue" ? { type, averageValue } : { type: "Utilization", averageUtilization },
        ),
      ];
    });
  }
  const { scaleMetric = "cpu", scaleTarget } = predictor;
  if (scaleMetric !== "cpu" && scaleMetric !== "memory") return [];
  if (scaleMetric === "memory" && scaleTarget === undefined) return [];
  return [metric(scaleMetric, { type: "Utilization", averageUtilization: scaleTarget ?? 80 })];
}

/**
 * The Route of an exposed model; TLS ends at the router, and goes on to the proxy where there is one.
 * Source: odh-model-controller (kserve_raw_route_reconciler). Pure.
 */
export function predictorRoute(service: InferenceService, target: Service): Route | undefined {
  if (!isExposed(service)) return undefined;
  const auth = wantsAuth(service);
  const timeout =
    service.metadata.annotations?.[marks.routeTimeout] ??
    (service.spec.predictor.timeout === undefined ? undefined : `${service.spec.predictor.timeout}s`);
  const ports = target.spec.ports ?? [];
  const port = ports.find(({ name }) => name === (auth ? "https" : "http")) ?? ports[0];
  return {
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: {
      ...metadata(service, service.metadata.name),
      labels: { "inferenceservice-name": service.metadata.name },
      ...(timeout === undefined ? {} : { annotations: { [marks.routeTimeout]: timeout } }),
    },
    spec: {
      to: { kind: "Service", name: target.metadata.name, weight: 100 },
      port: { targetPort: port?.name ?? port?.port ?? 80 },
      tls: {
        termination: auth ? "reencrypt" : "edge",
        insecureEdgeTerminationPolicy: "Redirect",
      },
      wildcardPolicy: "None",
    },
  };
}
