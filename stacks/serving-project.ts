/** What every project of serving is: its namespace, and its way to the vault. */
import { type ComponentResourceOptions, type Resource, RunError } from "@pulumi/pulumi";
import { WorkloadIdentity } from "../components/azure/workload-identity.ts";
import { connectionKeys } from "../components/openshift/connection.ts";
import {
  DataScienceProject,
  type ProjectIdentity,
  VAULT_READER,
} from "../components/openshift/data-science-project.ts";
import { type ProjectNetwork, SERVING_PORTS } from "../components/openshift/network.ts";
import type { ProjectQuota } from "../components/openshift/quota.ts";
import { projectNamespace } from "../components/shared/kubernetes.ts";
import type { Tags } from "../components/shared/tags.ts";
import type { KilnConfig } from "./config.ts";
import type { Foundry } from "./foundry.ts";
import { EXPIRY_ANNOTATION, type ProjectConfig } from "./serving-config.ts";

/** Everything of one environment that its projects share. */
export interface Site {
  readonly config: KilnConfig;
  readonly tags: Tags;
  /** Options of everything in the cluster: by which provider it is made, and under which name it is managed. */
  readonly inCluster: ComponentResourceOptions;
  readonly foundry: Foundry | undefined;
}

/** A project, and what of it lies in the vault. */
export interface ProjectPlan
  extends Pick<ProjectConfig, "name" | "displayName" | "description" | "containers" | "clusterQueue"> {
  readonly quota: ProjectQuota;
  readonly access?: ProjectConfig["access"];
  readonly network: ProjectNetwork;
  /** Names of the vault's secrets that it reads. */
  readonly secrets: readonly string[];
  /** Whether it reads the vault at all. */
  readonly identity: boolean;
  /** What must stand before it reads them. */
  readonly after: readonly Resource[];
}

/** The project with its quota, its walls and, where it reads secrets, its way to the vault. */
export function makeProject(site: Site, plan: ProjectPlan): DataScienceProject {
  const { config, tags, inCluster } = site;
  const { expiresOn } = config;
  const namespace = projectNamespace(config.workload, tags.env, plan.name);
  return new DataScienceProject(
    plan.name,
    {
      namespace,
      displayName: plan.displayName ?? plan.name,
      ...(plan.description === undefined ? {} : { description: plan.description }),
      tags,
      quota: plan.quota,
      ...(plan.containers === undefined ? {} : { containers: plan.containers }),
      ...(plan.access === undefined ? {} : { members: plan.access }),
      network: plan.network,
      ...(plan.clusterQueue === undefined ? {} : { queue: { clusterQueue: plan.clusterQueue } }),
      ...(plan.identity ? { identity: identityOf(site, plan, namespace) } : {}),
      ...(expiresOn === undefined
        ? {}
        : {
            transform: {
              // Whoever looks for expired environments finds it where everything of a project is.
              namespace: ({ labels, annotations }) => ({
                labels,
                annotations: { ...annotations, [EXPIRY_ANNOTATION]: expiresOn },
              }),
            },
          }),
    },
    inCluster,
  );
}

/** How a project reads the vault: the foundry's by an identity of its own, or an existing one by an existing identity. */
function identityOf(site: Site, plan: ProjectPlan, namespace: string): ProjectIdentity {
  const { config, foundry, tags } = site;
  if (foundry === undefined) {
    const { uri, tenantId, clientId } = required(config.serving.vault, "kiln:serving.vault");
    return { vaultUri: uri, tenantId, clientId };
  }
  const issuer = config.serving.cluster.serviceAccountIssuer;
  if (issuer === undefined)
    throw new RunError(
      "kiln:serving.cluster.serviceAccountIssuer is missing; allowed: who signs the tokens of the cluster's service accounts, " +
        "an https address (`kubectl get --raw /.well-known/openid-configuration`). kiln asks the cluster by itself.",
    );
  const identity = new WorkloadIdentity(`${plan.name}-secrets`, {
    ...foundry.place,
    identityName: `id-${config.workload}-${tags.env}-${plan.name}`,
    trusts: { issuer, namespace, serviceAccount: VAULT_READER },
    reads: { vaultId: foundry.vault.vaultId, secrets: plan.secrets },
  });
  return {
    vaultUri: foundry.vault.vaultUri,
    tenantId: foundry.tenantId,
    clientId: identity.clientId,
    after: [...identity.ready, ...plan.after],
  };
}

/** Names of the vault's secrets that a project reads, each once. Pure. */
export function secretsOf({ connections, pipelineServer }: ProjectConfig): string[] {
  const names = [
    ...connections.flatMap((each) =>
      Object.values(connectionKeys(each).fromVault).map(({ secret }) => secret),
    ),
    ...(pipelineServer === undefined ? [] : [pipelineServer.database.passwordSecret]),
  ];
  return [...new Set(names)].sort();
}

/**
 * The project's network, with the ports where its own runtimes answer: router and monitoring come to a pod's port, not to its
 * Service's. Pure.
 */
export function servingNetwork({
  network,
  runtimes,
}: Pick<ProjectConfig, "network" | "runtimes">): ProjectNetwork {
  const ports = new Set([...SERVING_PORTS, ...runtimes.map(({ port }) => port)]);
  return { ...network, servingPorts: [...ports].sort((one, other) => one - other) };
}

/** What the checks of the configuration have made sure of. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is missing, though the configuration was checked`);
  return value;
}
