import type { Route } from "../openshift/admission.ts";
import type {
  Container,
  Deployment,
  EnvVar,
  KubeObject,
  Resources,
  Service,
  ServicePort,
  Volume,
} from "../runtime/objects.ts";
import { ownerReferenceOf } from "../runtime/objects.ts";
import type { PipelineServer, PipelineServerSpec } from "./types.ts";

const component = "data-science-pipelines";

/** What each part asks for unless it is told otherwise. Source: controllers/config/defaults.go */
const defaults = {
  apiServer: amounts("250m", "500Mi", "500m", "1Gi"),
  persistenceAgent: amounts("120m", "500Mi", "250m", "1Gi"),
  scheduledWorkflow: amounts("120m", "100Mi", "250m", "250Mi"),
  workflowController: amounts("120m", "500Mi", "250m", "1Gi"),
  mlmd: amounts("100m", "256Mi", "100m", "256Mi"),
  mariaDB: amounts("300m", "800Mi", "1", "1Gi"),
  minio: amounts("200m", "100Mi", "250m", "1Gi"),
  proxy: amounts("100m", "256Mi", "100m", "256Mi"),
};

function amounts(cpu: string, memory: string, cpuLimit: string, memoryLimit: string): Resources {
  return { requests: { cpu, memory }, limits: { cpu: cpuLimit, memory: memoryLimit } };
}

/** A child by its kind's name in the table of kinds. */
export interface Child {
  readonly kind: "deployment" | "service" | "serviceAccount" | "volumeClaim" | "route";
  readonly object: KubeObject;
}

/** Names of the Deployments that the status speaks of. */
export function deploymentNames({ metadata: { name } }: PipelineServer) {
  return {
    apiServer: `ds-pipeline-${name}`,
    persistenceAgent: `ds-pipeline-persistenceagent-${name}`,
    scheduledWorkflow: `ds-pipeline-scheduledworkflow-${name}`,
    workflowController: `ds-pipeline-workflow-controller-${name}`,
    mlmdProxy: `ds-pipeline-metadata-envoy-${name}`,
    mariaDB: `mariadb-${name}`,
    minio: `minio-${name}`,
  };
}

export function usesExternalDatabase({ database }: PipelineServerSpec): boolean {
  return database?.externalDB !== undefined;
}

export function usesExternalStorage({ objectStorage }: PipelineServerSpec): boolean {
  return objectStorage.externalStorage !== undefined;
}

/** The server's own database and object store, where it has no external ones: they come first. Pure. */
export function storageChildren(server: PipelineServer): Child[] {
  const { database, objectStorage } = server.spec;
  const names = deploymentNames(server);
  return [
    ...(usesExternalDatabase(server.spec) || database?.mariaDB?.deploy === false
      ? []
      : stateful(server, names.mariaDB, database?.mariaDB ?? {}, 3306, defaults.mariaDB)),
    ...(usesExternalStorage(server.spec) || objectStorage.minio?.deploy !== true
      ? []
      : stateful(server, names.minio, objectStorage.minio, 9000, defaults.minio)),
  ];
}

function stateful(
  server: PipelineServer,
  name: string,
  given: { image?: string; resources?: Resources; pvcSize?: string; storageClassName?: string },
  port: number,
  resources: Resources,
): Child[] {
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: meta(server, name),
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: given.pvcSize ?? "10Gi" } },
      ...(given.storageClassName === undefined ? {} : { storageClassName: given.storageClassName }),
    },
  };
  const container: Container = {
    name: name.startsWith("minio") ? "minio" : "mariadb",
    image: given.image ?? `quay.io/opendatahub/${name.startsWith("minio") ? "minio" : "mariadb"}:latest`,
    ports: [{ name: "main", containerPort: port, protocol: "TCP" }],
    resources: given.resources ?? resources,
    volumeMounts: [{ name: "data", mountPath: "/var/lib/data" }],
  };
  return [
    { kind: "volumeClaim", object: claim },
    {
      kind: "deployment",
      object: deployment(server, name, [container], {
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
      }),
    },
    { kind: "service", object: service(server, name, [{ name: "main", port, targetPort: port }]) },
  ];
}

/**
 * What a pipeline server consists of once its database and storage are there.
 * Source: opendatahub-io/data-science-pipelines-operator, config/internal. Pure.
 */
export function serverChildren(server: PipelineServer): Child[] {
  const { name } = server.metadata;
  const { spec } = server;
  const names = deploymentNames(server);
  const certificate = `ds-pipelines-proxy-tls-${name}`;
  const api = spec.apiServer ?? {};
  const routed = api.enableOauth !== false;
  const proxy: Container = {
    name: "kube-rbac-proxy",
    image: "quay.io/opendatahub/odh-kube-rbac-proxy:latest",
    ports: [{ name: "proxy", containerPort: 8443, protocol: "TCP" }],
    resources: defaults.proxy,
    volumeMounts: [{ name: "proxy-tls", mountPath: "/etc/tls/private" }],
  };
  const apiServer: Container = {
    name: "ds-pipeline-api-server",
    image: api.image ?? "quay.io/opendatahub/ds-pipelines-api-server:latest",
    command: ["/bin/apiserver"],
    env: apiServerEnvironment(server),
    ports: [
      { name: "http", containerPort: 8888, protocol: "TCP" },
      { name: "grpc", containerPort: 8887, protocol: "TCP" },
    ],
    readinessProbe: { httpGet: { path: "/apis/v1beta1/healthz", port: "http" }, periodSeconds: 5 },
    resources: api.resources ?? defaults.apiServer,
    volumeMounts: [{ name: "proxy-tls", mountPath: "/etc/tls/private" }],
  };
  const part = (
    as: string,
    container: string,
    given: { image?: string; resources?: Resources; deploy?: boolean } | undefined,
    resources: Resources,
  ): Child[] =>
    given?.deploy === false
      ? []
      : [
          { kind: "serviceAccount", object: account(server, as) },
          {
            kind: "deployment",
            object: deployment(
              server,
              as,
              [
                {
                  name: container,
                  image: given?.image ?? `quay.io/opendatahub/${container}:latest`,
                  resources: given?.resources ?? resources,
                },
              ],
              { serviceAccountName: as },
            ),
          },
        ];
  return [
    { kind: "serviceAccount", object: account(server, names.apiServer) },
    { kind: "serviceAccount", object: account(server, `pipeline-runner-${name}`) },
    {
      kind: "deployment",
      object: deployment(server, names.apiServer, routed ? [apiServer, proxy] : [apiServer], {
        serviceAccountName: names.apiServer,
        volumes: [{ name: "proxy-tls", secret: { secretName: certificate } }],
      }),
    },
    {
      kind: "service",
      object: service(
        server,
        names.apiServer,
        [
          ...(routed ? [{ name: "proxy", port: 8443, targetPort: "proxy" }] : []),
          { name: "http", port: 8888, targetPort: "http" },
          { name: "grpc", port: 8887, targetPort: 8887 },
        ],
        { "service.beta.openshift.io/serving-cert-secret-name": certificate },
      ),
    },
    ...(routed ? [{ kind: "route" as const, object: route(server, names.apiServer) }] : []),
    ...part(
      names.persistenceAgent,
      "ds-pipeline-persistenceagent",
      spec.persistenceAgent,
      defaults.persistenceAgent,
    ),
    ...part(
      names.scheduledWorkflow,
      "ds-pipeline-scheduledworkflow",
      spec.scheduledWorkflow,
      defaults.scheduledWorkflow,
    ),
    ...part(
      names.workflowController,
      "ds-pipeline-workflow-controller",
      spec.workflowController,
      defaults.workflowController,
    ),
    ...(spec.mlmd?.deploy === true ? part(names.mlmdProxy, "container", undefined, defaults.mlmd) : []),
  ];
}

function apiServerEnvironment(server: PipelineServer): EnvVar[] {
  const { database, objectStorage } = server.spec;
  const external = database?.externalDB;
  const storage = objectStorage.externalStorage;
  const { name, namespace } = server.metadata;
  const secret = (as: string, secretName: string, key: string): EnvVar => ({
    name: as,
    valueFrom: { secretKeyRef: { name: secretName, key } },
  });
  return [
    { name: "POD_NAMESPACE", value: namespace ?? "" },
    { name: "DBCONFIG_HOST", value: external?.host ?? `mariadb-${name}.${namespace}.svc.cluster.local` },
    { name: "DBCONFIG_PORT", value: external?.port ?? "3306" },
    { name: "DBCONFIG_DBNAME", value: external?.pipelineDBName ?? "mlpipeline" },
    { name: "DBCONFIG_USER", value: external?.username ?? "mlpipeline" },
    ...(external === undefined
      ? []
      : [secret("DBCONFIG_PASSWORD", external.passwordSecret.name, external.passwordSecret.key)]),
    ...(storage === undefined
      ? []
      : [
          { name: "OBJECTSTORECONFIG_HOST", value: storage.host },
          { name: "OBJECTSTORECONFIG_BUCKETNAME", value: storage.bucket },
          secret(
            "OBJECTSTORECONFIG_ACCESSKEY",
            storage.s3CredentialsSecret.secretName,
            storage.s3CredentialsSecret.accessKey,
          ),
          secret(
            "OBJECTSTORECONFIG_SECRETACCESSKEY",
            storage.s3CredentialsSecret.secretName,
            storage.s3CredentialsSecret.secretKey,
          ),
        ]),
  ];
}

function labels(server: PipelineServer, app: string) {
  return { app, component, dspa: server.metadata.name };
}

function meta(server: PipelineServer, name: string) {
  return {
    name,
    namespace: server.metadata.namespace ?? "",
    labels: { ...labels(server, name), "dsp-version": server.spec.dspVersion ?? "v2" },
    ownerReferences: [ownerReferenceOf(server)],
  };
}

function account(server: PipelineServer, name: string): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: meta(server, name) };
}

function deployment(
  server: PipelineServer,
  name: string,
  containers: readonly Container[],
  pod: { readonly serviceAccountName?: string; readonly volumes?: readonly Volume[] },
): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta(server, name),
    spec: {
      replicas: 1,
      selector: { matchLabels: labels(server, name) },
      template: { metadata: { labels: labels(server, name) }, spec: { containers, ...pod } },
    },
  };
}

function service(
  server: PipelineServer,
  name: string,
  ports: readonly ServicePort[],
  annotations?: Readonly<Record<string, string>>,
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta(server, name), ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      selector: { app: name, component },
      ports: ports.map((port) => ({ ...port, protocol: "TCP" })),
    },
  };
}

function route(server: PipelineServer, name: string): Route {
  return {
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: meta(server, name),
    spec: {
      to: { kind: "Service", name, weight: 100 },
      port: { targetPort: "proxy" },
      tls: { termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" },
      wildcardPolicy: "None",
    },
  };
}
