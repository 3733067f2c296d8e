import { gibQuantity } from "../shared/quantities.ts";
import { containerResources } from "./container.ts";
import type { NotebookArgs } from "./notebook-args.ts";
import { POD_SECURITY } from "./pod-security.ts";

/** Set, with a time, on a notebook that is stopped, and on no other: its mere presence stops one. Source: kubeflow notebook-controller */
export const STOPPED = "kubeflow-resource-stopped";

/** Where the home is mounted; the images' own home. Source: odh-dashboard (ROOT_MOUNT_PATH) */
const HOME = "/opt/app-root/src";
const PORT = 8888;

/** Annotations by which controllers and dashboard know a notebook, and what to wait for. Pure. */
export function notebookAnnotations(args: NotebookArgs): Record<string, string> {
  const { run = { state: "running" }, login = "auth" } = args;
  return {
    "openshift.io/display-name": args.displayName ?? args.notebookName,
    "openshift.io/description": "",
    [login === "auth" ? "notebooks.opendatahub.io/inject-auth" : "notebooks.opendatahub.io/inject-oauth"]:
      "true",
    ...(args.imageSelection === undefined
      ? {}
      : { "notebooks.opendatahub.io/last-image-selection": args.imageSelection }),
    ...(run.state === "stopped" ? { [STOPPED]: run.since } : {}),
    ...waitFor(run),
  };
}

function waitFor(run: NonNullable<NotebookArgs["run"]>): Record<string, string> {
  if (run.state === "running" && run.wait === false) return {};
  const ready = run.state === "running" ? 1 : 0;
  return { "pulumi.com/waitFor": `jsonpath={.status.readyReplicas}=${ready}` };
}

/**
 * The pod of a notebook. Its container has the notebook's name, by which the controllers find it. It has no read-only root
 * and no user of its own: people install packages in it, and OpenShift says who it runs as. Pure.
 */
export function notebookPod(args: NotebookArgs) {
  const { notebookName, size, sharedMemoryGib = size.limits.memoryGib / 4 } = args;
  const path = `/notebook/${args.project.namespace}/${notebookName}`;
  return {
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    containers: [
      {
        name: notebookName,
        image: args.image,
        imagePullPolicy: "IfNotPresent",
        workingDir: HOME,
        env: environment(args, path),
        ...connectionSources(args),
        ports: [{ name: "notebook-port", containerPort: PORT, protocol: "TCP" }],
        resources: containerResources(size),
        volumeMounts: [
          { name: notebookName, mountPath: `${HOME}/` },
          { name: "shm", mountPath: "/dev/shm" },
        ],
        readinessProbe: probe(path),
        livenessProbe: probe(path),
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          privileged: false,
        },
      },
    ],
    volumes: [
      { name: notebookName, persistentVolumeClaim: { claimName: notebookName } },
      // A container's own /dev/shm has 64 MiB, too little for a data loader.
      { name: "shm", emptyDir: { medium: "Memory", sizeLimit: gibQuantity(sharedMemoryGib) } },
    ],
  };
}

function environment(args: NotebookArgs, path: string) {
  // Jupyter asks for nothing itself: who gets as far as its port has been let in by the proxy in front of it.
  const flags = [
    `--ServerApp.port=${PORT}`,
    "--ServerApp.token=''",
    "--ServerApp.password=''",
    `--ServerApp.base_url=${path}`,
    "--ServerApp.quit_button=False",
  ];
  const own = { NOTEBOOK_ARGS: flags.join("\n"), JUPYTER_IMAGE: args.image };
  return Object.entries({ ...args.environment, ...own }).map(([name, value]) => ({ name, value }));
}

function connectionSources({ connections = [] }: NotebookArgs) {
  if (connections.length === 0) return {};
  return { envFrom: connections.map(({ connectionName }) => ({ secretRef: { name: connectionName } })) };
}

function probe(path: string) {
  return {
    httpGet: { path: `${path}/api`, port: "notebook-port", scheme: "HTTP" },
    initialDelaySeconds: 10,
    periodSeconds: 5,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  };
}
