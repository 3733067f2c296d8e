import path from "node:path";
import type { ControlPlane } from "../../../engine/index.ts";
import { type KilnConfig, STEERING_VARIABLES } from "../../../stacks/config.ts";
import type { KilnPaths } from "../paths.ts";
import type { CloudTarget } from "../target.ts";
import type { ClusterAccess } from "./client.ts";

/** The sandbox's users of Kubernetes by its principals: who a principal is there. A stranger is nobody. */
const users: Readonly<Record<string, string>> = {
  owner: "owner",
  contributor: "team-lead",
  reader: "viewer",
};

/** Who signs the tokens of service accounts of the sandbox's cluster. */
const sandboxIssuer = "https://kubernetes.kiln.sandbox";

/** The target with its cluster: what the engine, the program and every client need to know of it. */
export function withCluster(
  target: CloudTarget,
  access: ClusterAccess,
  issuer: string | undefined,
): CloudTarget {
  const steering = {
    ...(access.context === undefined ? {} : { [STEERING_VARIABLES.kubeContext]: access.context }),
    ...(issuer === undefined ? {} : { [STEERING_VARIABLES.serviceAccountIssuer]: issuer }),
  };
  // The program runs in this process, beside being one that the engine starts.
  Object.assign(process.env, steering, { KUBECONFIG: access.kubeconfig });
  return {
    ...target,
    cluster: access,
    engineEnv: { ...target.engineEnv, ...steering, KUBECONFIG: access.kubeconfig },
  };
}

/** Starts the sandbox's Kubernetes, where it does not run, as the principal that one is. */
export async function sandboxCluster(
  target: CloudTarget,
  paths: Pick<KilnPaths, "sandbox">,
  controlPlane: ControlPlane,
  signal: AbortSignal,
): Promise<CloudTarget> {
  const { SandboxClient } = await import("../../../sandbox/client/index.ts");
  const client = new SandboxClient(paths.sandbox, signal);
  const found = await client.startKubernetes(controlPlane);
  const user = found.users.find(({ name }) => name === users[target.principal ?? ""]);
  if (user === undefined) return target;
  const access = { kubeconfig: user.kubeconfig, context: found.context };
  const kubectlDir = path.dirname(controlPlane.binaries.kubectl);
  return { ...withCluster(target, access, sandboxIssuer), kubectlDir };
}

/**
 * The cluster of whoever runs Kiln, checked where the configuration has something built in it; where it has not, it is only
 * known, for what may still be on record there.
 */
export async function ownCluster(
  target: CloudTarget,
  config: KilnConfig,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CloudTarget> {
  const { connect, ownAccess } = await import("./connect.ts");
  const { serving } = config;
  if (serving.enabled) {
    const { issuer, user: _user, ...access } = await connect(env, serving, signal);
    return withCluster(target, access, serving.cluster.serviceAccountIssuer ?? issuer);
  }
  const access = ownAccess(env, serving.cluster.context);
  return access === undefined ? target : { ...target, cluster: access };
}
