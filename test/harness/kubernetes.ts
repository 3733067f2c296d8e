import { readFileSync } from "node:fs";
import { KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { execa } from "execa";
import type { KubernetesStatus } from "../../sandbox/client/index.ts";
import type { SettingsPatch } from "../../sandbox/core/settings.ts";
import { controlPlane } from "./control-plane.ts";
import { type TestDaemon, testDaemon } from "./daemon.ts";

/** Users of the sandbox's cluster. */
export type ClusterUser = "owner" | "team-lead" | "data-scientist" | "viewer";

/** A sandbox with a real Kubernetes in it, as users have it. */
export interface TestKubernetes {
  readonly daemon: TestDaemon;
  /** Starts the control plane, or waits for one that is starting. */
  start(): Promise<KubernetesStatus>;
  status(): Promise<KubernetesStatus>;
  /** The pids of what runs, by name. */
  pids(): Promise<Record<string, number>>;
  kubeconfig(user?: ClusterUser): string;
  /** What the official client is made with. */
  config(user?: ClusterUser): KubeConfig;
  /** Works with objects of any kind. */
  objects(user?: ClusterUser): KubernetesObjectApi;
  /** Runs the real kubectl with nothing but what `kiln env` gives; never fails by itself. */
  kubectl(args: readonly string[], options?: { as?: ClusterUser; input?: string }): Promise<KubectlAnswer>;
  dispose(): Promise<void>;
}

export interface KubectlAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function testKubernetes(settings?: SettingsPatch): Promise<TestKubernetes> {
  const provided = await controlPlane();
  const daemon = await testDaemon(settings);
  const { client } = daemon;
  const start = () => client.startKubernetes(provided);
  try {
    await start();
  } catch (error) {
    await daemon.dispose();
    throw error;
  }
  const { users } = await client.kubernetes();
  const kubeconfig = (user: ClusterUser = "owner"): string => {
    const found = users.find(({ name }) => name === user);
    if (found === undefined) throw new Error(`the cluster has no user '${user}'`);
    return found.kubeconfig;
  };
  const config = (user?: ClusterUser): KubeConfig => {
    const made = new KubeConfig();
    made.loadFromString(readFileSync(kubeconfig(user), "utf8"));
    return made;
  };
  return {
    daemon,
    start,
    status: () => client.kubernetes(),
    pids: async () => {
      const { processes } = await client.kubernetes();
      return Object.fromEntries(processes.map(({ name, pid }) => [name, pid ?? 0]));
    },
    kubeconfig,
    config,
    objects: (user) => KubernetesObjectApi.makeApiClient(config(user)),
    kubectl: async (args, { as, input } = {}) => {
      const { exitCode, stdout, stderr } = await execa(provided.binaries.kubectl, args, {
        extendEnv: false,
        env: {
          ...daemon.environment(),
          HOME: client.dataDir,
          PATH: process.env.PATH ?? "",
          KUBECONFIG: kubeconfig(as),
        },
        reject: false,
        ...(input === undefined ? {} : { input }),
      });
      return { exitCode: exitCode ?? -1, stdout, stderr };
    },
    dispose: () => daemon.dispose(),
  };
}
