import type { ConfigMap, KubeObject, PodSpec } from "../runtime/objects.ts";
import { ownerReferenceOf } from "../runtime/objects.ts";
import { type InferenceService, predictorName, wantsAuth } from "./types.ts";

/** Nothing runs it; its name is what is seen. */
const proxyImage = "quay.io/opendatahub/odh-kube-rbac-proxy:latest";
export const authProxyPort = 8443;

export function accessConfigName(service: InferenceService): string {
  return `${service.metadata.name}-kube-rbac-proxy-sar-config`;
}

export function servingSecretName(service: InferenceService): string {
  return `${predictorName(service)}-serving-cert`;
}

/** Adds the proxy that lets through who may `get` the InferenceService. Source: ODH's kserve (generateOauthProxyContainer) */
export function withAuthProxy(pod: PodSpec, service: InferenceService): PodSpec {
  const upstream = pod.containers[0]?.ports?.[0]?.containerPort ?? 8080;
  const { timeout } = service.spec.predictor;
  return {
    ...pod,
    containers: [
      ...pod.containers,
      {
        name: "kube-rbac-proxy",
        image: proxyImage,
        args: [
          `--secure-listen-address=:${authProxyPort}`,
          "--proxy-endpoints-port=8643",
          `--upstream=http://localhost:${upstream}`,
          "--auth-header-fields-enabled=true",
          "--tls-cert-file=/etc/tls/private/tls.crt",
          "--tls-private-key-file=/etc/tls/private/tls.key",
          "--config-file=/etc/kube-rbac-proxy/config-file.yaml",
          ...(timeout === undefined ? [] : [`--upstream-timeout=${timeout}s`]),
        ],
        ports: [{ name: "https", containerPort: authProxyPort, protocol: "TCP" }],
        readinessProbe: { httpGet: { path: "/healthz", port: 8643, scheme: "HTTPS" } },
        resources: {
          requests: { cpu: "100m", memory: "64Mi" },
          limits: { cpu: "200m", memory: "128Mi" },
        },
        volumeMounts: [
          { name: "proxy-tls", mountPath: "/etc/tls/private" },
          { name: "kube-rbac-proxy-sar-config", mountPath: "/etc/kube-rbac-proxy", readOnly: true },
        ],
      },
    ],
    volumes: [
      ...(pod.volumes ?? []),
      { name: "proxy-tls", secret: { secretName: servingSecretName(service) } },
      { name: "kube-rbac-proxy-sar-config", configMap: { name: accessConfigName(service) } },
    ],
  };
}

/** What the proxy asks the API server of each caller. Pure. */
export function accessConfig(service: InferenceService): ConfigMap {
  const { name, namespace = "" } = service.metadata;
  const text = [
    "authorization:",
    "  resourceAttributes:",
    `    namespace: ${JSON.stringify(namespace)}`,
    '    apiGroup: "serving.kserve.io"',
    '    apiVersion: "v1beta1"',
    '    resource: "inferenceservices"',
    `    name: ${JSON.stringify(name)}`,
    '    verb: "get"',
  ].join("\n");
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: accessConfigName(service),
      namespace,
      ownerReferences: [ownerReferenceOf(service)],
    },
    data: { "config-file.yaml": text },
  };
}

/** Says which bindings are these controllers' own, and of which namespace: nothing else would take them away. */
export const bindingLabel = "sandbox.kiln/auth-delegator-of";

export interface ClusterRoleBinding extends KubeObject {
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

/**
 * The bindings by which the proxies of a namespace may ask who calls: one for each service account that a model with token
 * authentication runs as. Source: odh-model-controller (kserve_raw_clusterrolebinding_reconciler) Pure.
 */
export function wantedBindings(
  namespace: string,
  services: readonly InferenceService[],
): ClusterRoleBinding[] {
  const accounts = new Set(
    services.filter(wantsAuth).map((each) => each.spec.predictor.serviceAccountName ?? "default"),
  );
  return [...accounts].map((account) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: `${namespace}-${account}-auth-delegator`, labels: { [bindingLabel]: namespace } },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
    subjects: [{ kind: "ServiceAccount", name: account, namespace }],
  }));
}
