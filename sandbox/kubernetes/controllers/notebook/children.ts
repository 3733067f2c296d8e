import type { Route } from "../openshift/admission.ts";
import type {
  Condition,
  Container,
  ContainerState,
  KubeObject,
  Pod,
  PodSpec,
  Service,
  StatefulSet,
  Strings,
} from "../runtime/objects.ts";
import { ownerReferenceOf } from "../runtime/objects.ts";

export interface Notebook extends KubeObject {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
  readonly status?: NotebookStatus;
}

export interface NotebookStatus {
  readonly conditions: readonly Condition[];
  readonly readyReplicas: number;
  readonly containerState: ContainerState;
}

/** Its value says since when; that it is there at all stops the notebook. */
const stopped = "kubeflow-resource-stopped";
const defaultPort = 8888;
const proxyPort = 8443;
/** Longest name whose pods' labels a StatefulSet can write. Source: notebook-controller (MaxStatefulsetNameLength) */
const longestName = 52;

/** The proxy that people come in by, where the notebook asks for one. */
interface Proxy {
  readonly container: string;
  readonly service: string;
  readonly secret: string;
}

/** Source: odh-notebook-controller: kube-rbac-proxy since OpenShift AI 3, oauth-proxy before. */
function proxyOf({ metadata: { name, annotations } }: Notebook): Proxy | undefined {
  if (annotations?.["notebooks.opendatahub.io/inject-auth"] === "true") {
    return {
      container: "kube-rbac-proxy",
      service: `${name}-kube-rbac-proxy`,
      secret: `${name}-kube-rbac-proxy-tls`,
    };
  }
  if (annotations?.["notebooks.opendatahub.io/inject-oauth"] === "true") {
    return { container: "oauth-proxy", service: `${name}-tls`, secret: `${name}-tls` };
  }
  return undefined;
}

export function statefulSetName({ metadata: { name, uid = "" } }: Notebook): string {
  return name.length > longestName ? `nb-${uid.slice(0, 8)}` : name;
}

function metadata(notebook: Notebook, name: string) {
  return {
    name,
    namespace: notebook.metadata.namespace ?? "",
    ownerReferences: [ownerReferenceOf(notebook)],
  };
}

/** The StatefulSet of a notebook: one copy, or none. Source: kubeflow notebook-controller (generateStatefulSet). Pure. */
export function notebookStatefulSet(notebook: Notebook): StatefulSet {
  const { name, namespace = "", labels, annotations } = notebook.metadata;
  const proxy = proxyOf(notebook);
  const pod = notebook.spec.template.spec;
  const [first, ...others] = pod.containers;
  const main: readonly Container[] = first === undefined ? [] : [withDefaults(first, namespace, name)];
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { ...metadata(notebook, statefulSetName(notebook)), labels: { ...labels } },
    spec: {
      replicas: annotations?.[stopped] === undefined ? 1 : 0,
      selector: { matchLabels: { statefulset: name } },
      template: {
        metadata: {
          labels: {
            ...labels,
            statefulset: name,
            "notebook-name": name,
            "opendatahub.io/workbenches": "true",
          },
          annotations: handedOn(annotations),
        },
        spec: {
          ...pod,
          containers: [...main, ...others, ...(proxy === undefined ? [] : [proxyContainer(proxy)])],
          ...(proxy === undefined
            ? {}
            : {
                volumes: [
                  ...(pod.volumes ?? []),
                  { name: `${proxy.container}-tls`, secret: { secretName: proxy.secret } },
                ],
              }),
        },
      },
    },
  };
}

function handedOn(annotations: Strings | undefined): Strings {
  return Object.fromEntries(
    // That one in them speaks of notebooks or of kubectl keeps it from the pods: among them those that stop it.
    Object.entries(annotations ?? {}).filter(
      ([name]) => !name.includes("kubectl") && !name.includes("notebook") && name !== stopped,
    ),
  );
}

function withDefaults(container: Container, namespace: string, name: string): Container {
  const env = container.env ?? [];
  return {
    ...container,
    workingDir: container.workingDir ?? "/home/jovyan",
    ports: container.ports ?? [{ containerPort: defaultPort, name: "notebook-port", protocol: "TCP" }],
    env: env.some((each) => each.name === "NB_PREFIX")
      ? env
      : [...env, { name: "NB_PREFIX", value: `/notebook/${namespace}/${name}` }],
  };
}

function proxyContainer({ container }: Proxy): Container {
  return {
    name: container,
    image: `quay.io/opendatahub/odh-${container}:latest`,
    ports: [{ name: container, containerPort: proxyPort, protocol: "TCP" }],
    resources: {
      requests: { cpu: "100m", memory: "64Mi" },
      limits: { cpu: "100m", memory: "64Mi" },
    },
    volumeMounts: [{ name: `${container}-tls`, mountPath: "/etc/tls/private" }],
  };
}

/** The Services of a notebook: its own, and the proxy's with its certificate. Pure. */
export function notebookServices(notebook: Notebook): Service[] {
  const { name } = notebook.metadata;
  const proxy = proxyOf(notebook);
  const port = notebook.spec.template.spec.containers[0]?.ports?.[0]?.containerPort ?? defaultPort;
  const service = (as: string, port: object, annotations?: Strings): Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata(notebook, as), ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      type: "ClusterIP",
      selector: { statefulset: name },
      ports: [{ protocol: "TCP", ...port } as never],
    },
  });
  return [
    service(name, { name: "http-notebook", port: 80, targetPort: port }),
    ...(proxy === undefined
      ? []
      : [
          service(
            proxy.service,
            { name: proxy.container, port: proxyPort, targetPort: proxy.container },
            { "service.beta.openshift.io/serving-cert-secret-name": proxy.secret },
          ),
        ]),
  ];
}

/**
 * How people reach it. OpenShift AI 3 uses a gateway's HTTPRoute instead of a Route; the sandbox's cluster has no gateway.
 * Source: odh-notebook-controller (notebook_route.go). Pure.
 */
export function notebookRoute(notebook: Notebook): Route {
  const { name } = notebook.metadata;
  const proxy = proxyOf(notebook);
  return {
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { ...metadata(notebook, name), labels: { "notebook-name": name } },
    spec: {
      to: { kind: "Service", name: proxy?.service ?? name, weight: 100 },
      port: { targetPort: proxy?.container ?? "http-notebook" },
      tls: {
        termination: proxy === undefined ? "edge" : "reencrypt",
        insecureEdgeTerminationPolicy: "Redirect",
      },
      wildcardPolicy: "None",
    },
  };
}

/**
 * The status: the pod's conditions, and the state of the container that has the notebook's name. Of a container with another
 * name the controller says nothing, ready or not.
 * Source: kubeflow notebook-controller (createNotebookStatus). Pure.
 */
export function notebookStatus(
  notebook: Notebook,
  set: StatefulSet | undefined,
  pod: Pod | undefined,
): NotebookStatus {
  const container = pod?.status?.containerStatuses?.find(({ name }) => name === notebook.metadata.name);
  return {
    readyReplicas: set?.status?.readyReplicas ?? 0,
    conditions: (pod?.status?.conditions ?? []).map(
      ({ type, status, reason, message, lastTransitionTime }) => ({
        type,
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
      }),
    ),
    containerState: container?.state ?? {},
  };
}
