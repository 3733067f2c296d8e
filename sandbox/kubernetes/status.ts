import { existsSync } from "node:fs";
import type { KubernetesStatus } from "../client/kubernetes.ts";
import type { KubernetesPorts } from "./commands.ts";
import { contextName } from "./kubeconfig.ts";
import type { KubernetesPaths } from "./paths.ts";
import type { Supervised } from "./supervisor.ts";
import { people } from "./users.ts";

/** What a control plane tells of itself. */
export function statusOf(of: {
  readonly state: KubernetesStatus["state"];
  readonly reason: string | undefined;
  /** Undefined before the first start. */
  readonly ports: KubernetesPorts | undefined;
  readonly paths: KubernetesPaths;
  readonly parts: readonly Supervised[];
}): KubernetesStatus {
  const { state, reason, ports, paths, parts } = of;
  const made = ports !== undefined && existsSync(paths.kubeconfigOf("owner"));
  return {
    running: state === "running" && parts.every(({ pid }) => pid !== undefined),
    state,
    ...(reason === undefined ? {} : { reason }),
    context: contextName,
    ...(made
      ? {
          server: serverOf(ports),
          caCertificate: paths.tls("ca.pem"),
          kubeconfig: paths.kubeconfigOf("owner"),
        }
      : {}),
    users: made ? people.map((user) => ({ ...user, kubeconfig: paths.kubeconfigOf(user.name) })) : [],
    processes: parts.map(({ name, pid, restarts }) => ({ name, pid, restarts, log: paths.logOf(name) })),
  };
}

export function serverOf({ api }: KubernetesPorts): string {
  return `https://127.0.0.1:${api}`;
}
