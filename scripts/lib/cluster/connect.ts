import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { nearest, type ServingConfig } from "../../../stacks/config.ts";
import { KilnError } from "../errors.ts";
import { rejectOn } from "../signals.ts";
import { type ClusterAccess, loadConfig, statusOf } from "./client.ts";

const untouched = "Nothing was touched.";

/** The kubeconfig of whoever runs Kiln: the files of KUBECONFIG, else `~/.kube/config`. Pure but for the look at the home. */
export function kubeconfigFiles(env: NodeJS.ProcessEnv, home = homedir()): string[] {
  const named = (env.KUBECONFIG ?? "").split(path.delimiter).filter((each) => each !== "");
  return named.length > 0 ? named : [path.join(home, ".kube", "config")];
}

/**
 * How the cluster of whoever runs Kiln is reached; undefined where there is no kubeconfig.
 * @param context the configured one
 */
export function ownAccess(env: NodeJS.ProcessEnv, context: string | undefined): ClusterAccess | undefined {
  // As kubectl does it, a file that is not there is passed over.
  const files = kubeconfigFiles(env).filter((file) => existsSync(file));
  return files.length === 0 ? undefined : { kubeconfig: files.join(path.delimiter), context };
}

/** What a check of a cluster found out. */
export interface CheckedCluster extends ClusterAccess {
  /** As whom one is signed in. */
  readonly user: string;
  /** Who signs the tokens of its service accounts; undefined where the cluster does not say. */
  readonly issuer: string | undefined;
}

/** How long a cluster may take to answer, in milliseconds. */
const promptly = 15_000;

/**
 * Makes contact with the cluster of whoever runs Kiln, before anything is touched: that there is one, that it knows who asks, and
 * that OpenShift AI is on it.
 * @throws KilnError that says which of these is not so
 */
export async function connect(
  env: NodeJS.ProcessEnv,
  serving: Pick<ServingConfig, "cluster" | "projects" | "agent">,
  signal: AbortSignal,
): Promise<CheckedCluster> {
  const access = ownAccess(env, serving.cluster.context);
  if (access === undefined) {
    throw new KilnError({
      code: "NoKubeconfig",
      message: "there is no kubeconfig",
      cause: `${kubeconfigFiles(env).join(", ")} does not exist, and kiln:serving needs a cluster.`,
      next: `Sign in to the cluster (\`oc login\`), or name the file in KUBECONFIG. ${untouched}`,
    });
  }
  const config = await readable(access);
  requireContext(access, config);
  const late = AbortSignal.timeout(promptly);
  const end = AbortSignal.any([signal, late]);
  const { ApisApi, KubernetesObjectApi, WellKnownApi } = await import("@kubernetes/client-node");
  const server = config.getCurrentCluster()?.server ?? "";
  const asked = async <T>(what: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([what, rejectOn(end)]);
    } catch (error) {
      if (signal.aborted) throw error;
      throw refused(error, server, late.aborted);
    }
  };
  const review = await asked(
    KubernetesObjectApi.makeApiClient(config).create({
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
      metadata: {},
    }),
  );
  const { groups } = await asked(config.makeApiClient(ApisApi).getAPIVersions());
  const known = new Set(groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)));
  const missing = neededApis(serving).filter(({ api }) => !known.has(api));
  if (missing.length > 0) throw lacking(missing, server);
  const issuer = await config
    .makeApiClient(WellKnownApi)
    .getServiceAccountIssuerOpenIDConfiguration()
    .then(issuerIn)
    // Not everyone may ask for it; then the configuration has to say it.
    .catch(() => undefined);
  const { status } = review as { status?: { userInfo?: { username?: string } } };
  return { ...access, user: status?.userInfo?.username ?? "unknown", issuer };
}

async function readable(access: ClusterAccess) {
  try {
    return await loadConfig({ ...access, context: undefined });
  } catch (error) {
    throw new KilnError({
      code: "KubeconfigUnreadable",
      message: "the kubeconfig cannot be read",
      cause: `${access.kubeconfig}: ${error instanceof Error ? error.message : String(error)}`,
      next: `Mend it, or name another in KUBECONFIG. ${untouched}`,
    });
  }
}

interface Contexts {
  getContexts(): readonly { readonly name: string }[];
  getCurrentContext(): string;
  setCurrentContext(name: string): void;
}

/** @throws KilnError when the configured context, or the current one, is none of the kubeconfig */
function requireContext({ context, kubeconfig }: ClusterAccess, config: Contexts): void {
  const names = config.getContexts().map(({ name }) => name);
  const wanted = context ?? config.getCurrentContext();
  if (names.includes(wanted)) {
    config.setCurrentContext(wanted);
    return;
  }
  const near = nearest(wanted ?? "", names);
  throw new KilnError({
    code: "ContextUnknown",
    message: wanted ? `the kubeconfig has no context ${wanted}` : "the kubeconfig has no current context",
    cause: `${kubeconfig} has ${names.length === 0 ? "none" : names.join(", ")}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    next: `Choose one of them in kiln:serving.cluster.context, or with \`kubectl config use-context\`. ${untouched}`,
  });
}

/** What a cluster needs for a configuration: each API with what it is for. Pure. */
export function neededApis({
  projects,
  agent,
}: Pick<ServingConfig, "projects" | "agent">): { readonly api: string; readonly what: string }[] {
  const some = (test: (project: ServingConfig["projects"][number]) => boolean) => projects.some(test);
  const needed: [boolean, string, string][] = [
    [some(({ models }) => models.length > 0), "serving.kserve.io/v1beta1", "models (KServe)"],
    [some(({ runtimes }) => runtimes.length > 0), "serving.kserve.io/v1alpha1", "serving runtimes (KServe)"],
    [
      some(({ connections, pipelineServer }) => connections.length > 0 || pipelineServer !== undefined) ||
        agent !== undefined,
      "external-secrets.io/v1",
      "secrets from the vault (External Secrets)",
    ],
    [some(({ notebooks }) => notebooks.length > 0), "kubeflow.org/v1", "notebooks"],
    [
      some(({ pipelineServer }) => pipelineServer !== undefined),
      "datasciencepipelinesapplications.opendatahub.io/v1",
      "pipelines",
    ],
    [some(({ clusterQueue }) => clusterQueue !== undefined), "kueue.x-k8s.io/v1beta1", "queues (Kueue)"],
    [agent !== undefined, "monitoring.coreos.com/v1", "the agent's metrics"],
    [
      agent !== undefined || some(({ models }) => models.some(({ canary }) => canary !== undefined)),
      "route.openshift.io/v1",
      "routes",
    ],
  ];
  return needed.flatMap(([needs, api, what]) => (needs ? [{ api, what }] : []));
}

function lacking(missing: readonly { api: string; what: string }[], server: string): KilnError {
  return new KilnError({
    code: "OpenShiftAiMissing",
    message: "the cluster lacks a part of OpenShift AI",
    cause: `${server} does not know:\n${missing.map(({ api, what }) => `${api}, for ${what}`).join("\n")}`,
    next: `Have the operators installed (OpenShift AI, External Secrets, Kueue as they apply), or leave that part out. ${untouched}`,
  });
}

function refused(error: unknown, server: string, late: boolean): KilnError {
  const status = statusOf(error);
  const said =
    error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
  if (status === 401 || status === 403) {
    return new KilnError({
      code: "ClusterUnauthorized",
      message: "the cluster does not accept who is signed in",
      cause: `${server} answered ${status}: a token that has expired, most of the time.`,
      next: `Sign in again (\`oc login\`), then run it again. ${untouched}`,
    });
  }
  return new KilnError({
    code: "ClusterUnreachable",
    message: "the cluster does not answer",
    cause: `${server}: ${late ? `no answer within ${promptly / 1000} s` : said}`,
    next: `Check the network, a VPN, and the server's address (\`kubectl cluster-info\`), then run it again. ${untouched}`,
  });
}

function issuerIn(document: unknown): string | undefined {
  const { issuer } = (typeof document === "string" ? JSON.parse(document) : document) as { issuer?: unknown };
  return typeof issuer === "string" ? issuer : undefined;
}
