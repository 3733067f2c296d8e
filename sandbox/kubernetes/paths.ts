import path from "node:path";
import { sandboxPaths } from "../client/files.ts";
import type { SystemUser } from "./users.ts";

/** The control plane's places in the sandbox's data folder. */
export function kubernetesPaths(dataDir: string) {
  const { kubernetes: root, kubeconfigOf } = sandboxPaths(dataDir);
  const inRoot = (...parts: string[]): string => path.join(root, ...parts);
  return {
    root,
    kubeconfigOf,
    etcd: inRoot("etcd"),
    /** Certificates and keys: of the authority, the servers and the signer of service account tokens. */
    tls: (name: string) => inRoot("tls", name),
    /** Who a bearer token stands for, as the API server reads it. */
    tokens: inRoot("tokens.csv"),
    /** How a part of the control plane itself signs in. */
    systemKubeconfigOf: (user: SystemUser) => inRoot("system", `${user}.yaml`),
    schedulerConfig: inRoot("scheduler.yaml"),
    logOf: (name: string) => inRoot("logs", `${name}.log`),
  };
}

export type KubernetesPaths = ReturnType<typeof kubernetesPaths>;
