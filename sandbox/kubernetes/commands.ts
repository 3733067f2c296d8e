import path from "node:path";
import type { ControlPlaneFiles } from "../client/kubernetes.ts";
import type { KubernetesPaths } from "./paths.ts";

/** Loopback ports of one control plane. */
export interface KubernetesPorts {
  /** Of the API server: it stands in every kubeconfig. */
  readonly api: number;
  readonly etcd: number;
  readonly etcdPeer: number;
}

/** What runs, in the order in which it starts. */
export const partNames = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
  "controllers",
] as const;
export type PartName = (typeof partNames)[number];

export interface PartCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** Who signs a service account's token: the name that its `iss` claim has, and below which the keys are published. */
export const serviceAccountIssuer = "https://kubernetes.kiln.sandbox";

/** What starts each part. Everything listens on loopback, and etcd only to who shows a certificate of the authority. */
export function commandsOf(
  { binaries }: ControlPlaneFiles,
  ports: KubernetesPorts,
  paths: KubernetesPaths,
): Record<PartName, PartCommand> {
  const { tls } = paths;
  const etcdUrl = `https://127.0.0.1:${ports.etcd}`;
  const peerUrl = `https://127.0.0.1:${ports.etcdPeer}`;
  return {
    etcd: {
      file: binaries.etcd,
      args: [
        "--name=kiln",
        `--data-dir=${paths.etcd}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=kiln=${peerUrl}`,
        `--cert-file=${tls("etcd.pem")}`,
        `--key-file=${tls("etcd.key")}`,
        `--trusted-ca-file=${tls("ca.pem")}`,
        "--client-cert-auth",
        `--peer-cert-file=${tls("etcd.pem")}`,
        `--peer-key-file=${tls("etcd.key")}`,
        `--peer-trusted-ca-file=${tls("ca.pem")}`,
        "--peer-client-cert-auth",
        // What a process wrote the system keeps when the process is killed; only a machine that loses power could lose it.
        "--unsafe-no-fsync",
        "--log-level=warn",
        "--log-outputs=stderr",
      ],
    },
    "kube-apiserver": {
      file: binaries.kubeApiserver,
      args: [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        `--secure-port=${ports.api}`,
        `--tls-cert-file=${tls("server.pem")}`,
        `--tls-private-key-file=${tls("server.key")}`,
        `--etcd-servers=${etcdUrl}`,
        `--etcd-cafile=${tls("ca.pem")}`,
        `--etcd-certfile=${tls("etcd-client.pem")}`,
        `--etcd-keyfile=${tls("etcd-client.key")}`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        `--token-auth-file=${paths.tokens}`,
        `--service-account-issuer=${serviceAccountIssuer}`,
        `--service-account-jwks-uri=${serviceAccountIssuer}/openid/v1/jwks`,
        `--service-account-key-file=${tls("service-account.pub")}`,
        `--service-account-signing-key-file=${tls("service-account.key")}`,
        // OpenShift's range.
        "--service-cluster-ip-range=172.30.0.0/16",
        // The service `kubernetes` cannot have an endpoint on loopback.
        "--endpoint-reconciler-type=none",
        // Else it says that it is ready while it still refuses to list what is not in its caches yet.
        "--feature-gates=WatchCacheInitializationPostStartHook=true",
        "--profiling=false",
      ],
    },
    "kube-controller-manager": {
      file: binaries.kubeControllerManager,
      args: [
        `--kubeconfig=${paths.systemKubeconfigOf("controllerManager")}`,
        "--secure-port=0",
        "--leader-elect=false",
        "--use-service-account-credentials",
        `--service-account-private-key-file=${tls("service-account.key")}`,
        `--root-ca-file=${tls("ca.pem")}`,
        // A thousand models are some ten thousand objects: the usual twenty requests a second would take minutes.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        // On a busy machine kwok may tell late that its nodes live; that must not take the pods of all models away.
        "--node-monitor-grace-period=10m",
        "--profiling=false",
      ],
    },
    "kube-scheduler": {
      file: binaries.kubeScheduler,
      args: [`--config=${paths.schedulerConfig}`, "--secure-port=0"],
    },
    kwok: {
      file: binaries.kwok,
      args: [
        `--kubeconfig=${paths.systemKubeconfigOf("kwok")}`,
        "--manage-all-nodes=true",
        `--config=${path.join(import.meta.dirname, "kwok", "pods.yaml")}`,
      ],
    },
    controllers: {
      file: process.execPath,
      args: [
        path.join(import.meta.dirname, "controllers", "main.ts"),
        "--kubeconfig",
        paths.systemKubeconfigOf("controllers"),
      ],
    },
  };
}

/** The scheduler takes its requests per second from a file only. */
export function schedulerConfig(kubeconfig: string): string {
  return `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection:
  leaderElect: false
clientConnection:
  kubeconfig: ${JSON.stringify(kubeconfig)}
  qps: 500
  burst: 1000
`;
}
