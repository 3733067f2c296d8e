/** A kind as the API server serves it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

function kind(apiVersion: string, name: string, plural: string, namespaced = true): Kind {
  return { apiVersion, kind: name, plural, namespaced };
}

export const kinds = {
  namespace: kind("v1", "Namespace", "namespaces", false),
  pod: kind("v1", "Pod", "pods"),
  service: kind("v1", "Service", "services"),
  secret: kind("v1", "Secret", "secrets"),
  configMap: kind("v1", "ConfigMap", "configmaps"),
  serviceAccount: kind("v1", "ServiceAccount", "serviceaccounts"),
  event: kind("v1", "Event", "events"),
  volumeClaim: kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  volume: kind("v1", "PersistentVolume", "persistentvolumes", false),
  storageClass: kind("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
  deployment: kind("apps/v1", "Deployment", "deployments"),
  statefulSet: kind("apps/v1", "StatefulSet", "statefulsets"),
  autoscaler: kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  clusterRoleBinding: kind(
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    false,
  ),
  inferenceService: kind("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices"),
  servingRuntime: kind("serving.kserve.io/v1alpha1", "ServingRuntime", "servingruntimes"),
  clusterServingRuntime: kind(
    "serving.kserve.io/v1alpha1",
    "ClusterServingRuntime",
    "clusterservingruntimes",
    false,
  ),
  notebook: kind("kubeflow.org/v1", "Notebook", "notebooks"),
  pipelines: kind(
    "datasciencepipelinesapplications.opendatahub.io/v1",
    "DataSciencePipelinesApplication",
    "datasciencepipelinesapplications",
  ),
  route: kind("route.openshift.io/v1", "Route", "routes"),
  secretStore: kind("external-secrets.io/v1", "SecretStore", "secretstores"),
  clusterSecretStore: kind("external-secrets.io/v1", "ClusterSecretStore", "clustersecretstores", false),
  externalSecret: kind("external-secrets.io/v1", "ExternalSecret", "externalsecrets"),
} as const satisfies Record<string, Kind>;

/** Path of a kind's collection: of one namespace, or of all. */
export function collectionPath(of: Kind, namespace?: string): string {
  const root = of.apiVersion.includes("/") ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
  return of.namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${of.plural}`
    : `${root}/${of.plural}`;
}

export function objectPath(of: Kind, namespace: string | undefined, name: string): string {
  return `${collectionPath(of, namespace)}/${encodeURIComponent(name)}`;
}
