import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { LimitRange } from "@pulumi/kubernetes/core/v1/limitRange.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ResourceQuota } from "@pulumi/kubernetes/core/v1/resourceQuota.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { dnsLabelProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type Transform, transformed } from "../shared/transform.ts";
import { type FieldProblem, requireValid } from "../shared/validation.ts";
import {
  askingPolicies,
  modelPolicy,
  networkProblems,
  type ProjectNetwork,
  projectPolicy,
} from "./network.ts";
import { type ProjectPlace, placed, type SecretStoreRef } from "./place.ts";
import {
  type ContainerBounds,
  containerLimits,
  type ProjectQuota,
  quotaHard,
  quotaProblems,
  type SettledBounds,
  settledBounds,
} from "./quota.ts";
import { isNobody, rbacSubjects, roleRef, type Subjects, subjectProblems } from "./subjects.ts";

/** Who may do what in a project. A role that nobody has is not bound. */
export interface ProjectMembers {
  /** May do everything in the project, its roles among it. @default nobody */
  readonly admin?: Subjects;
  /** May deploy models, run notebooks and pipelines. @default nobody */
  readonly edit?: Subjects;
  /** May look, not at secrets. @default nobody */
  readonly view?: Subjects;
}

/** How a project reads secrets: an identity of Azure that a service account of the project becomes. */
export interface ProjectIdentity {
  /** Client id of the user-assigned identity, which trusts this project's service account. */
  readonly clientId: Input<string>;
  readonly tenantId: Input<string>;
  /** `https://<vault>.vault.azure.net/` */
  readonly vaultUri: Input<string>;
  /** Name of the service account. @default "vault-reader" */
  readonly serviceAccount?: string;
  /** What must stand before the identity can read: its grant, its trust. @default nothing */
  readonly after?: readonly Resource[];
}

/** What a caller may add to the namespace. */
export interface NamespaceAdjustments {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

/** Arguments of {@link DataScienceProject}. */
export interface DataScienceProjectArgs {
  /** Name of the namespace, a DNS label of at most 63 characters: `projectNamespace(workload, env, project)`. */
  readonly namespace: string;
  /** What the dashboard shows. */
  readonly displayName: string;
  /** What the project is for. @default none */
  readonly description?: string;
  readonly tags: Tags;
  readonly quota: ProjectQuota;
  /** @default see {@link ContainerBounds} */
  readonly containers?: ContainerBounds;
  /** @default nobody but the cluster's administrators */
  readonly members?: ProjectMembers;
  /** @default closed but for what serving needs */
  readonly network?: ProjectNetwork;
  /** Kueue's queue for the project's work, where Kueue is installed. @default none */
  readonly queue?: {
    /** ClusterQueue that backs it. */
    readonly clusterQueue: string;
    /**
     * Name of the LocalQueue. Not "default": OpenShift AI makes one of that name in each namespace that Kueue looks after, with the
     * cluster's own default behind it, and what is behind a queue cannot be changed. @default "project"
     */
    readonly name?: string;
  };
  /** @default none: the project has no data connections from a vault */
  readonly identity?: ProjectIdentity;
  readonly transform?: { readonly namespace?: Transform<NamespaceAdjustments> };
}

/** Name of the service account that reads the vault. */
export const VAULT_READER = "vault-reader";
/** Name of the SecretStore that reads the vault by it. */
export const SECRET_STORE = "vault";

/**
 * A project of OpenShift AI: a namespace with a quota and the bounds of its containers, roles, closed but for what serving
 * needs. What is in it is deleted with it.
 */
export class DataScienceProject extends ComponentResource implements ProjectPlace {
  readonly namespace: string;
  readonly namespaceObject: Namespace;
  readonly quota: ProjectQuota;
  readonly containers: SettledBounds;
  readonly ready: readonly Resource[];
  readonly secretStore: SecretStoreRef | undefined;
  /** Name of the LocalQueue, where there is one. */
  readonly queue: string | undefined;

  constructor(name: string, args: DataScienceProjectArgs, options?: ComponentResourceOptions) {
    requireValid("DataScienceProject", dataScienceProjectProblems(args));
    super("kiln:openshift:DataScienceProject", name, {}, options);

    this.namespace = args.namespace;
    this.quota = args.quota;
    this.containers = settledBounds(args.quota, args.containers);
    this.namespaceObject = this.#namespace(name, args);
    this.ready = [...this.#bounds(name, args), ...this.#policies(name, args)];
    this.#roles(name, args);
    this.queue = this.#queue(name, args);
    this.secretStore = this.#store(name, args);
    this.registerOutputs({ namespace: this.namespace });
  }

  #namespace(name: string, args: DataScienceProjectArgs): Namespace {
    const { labels, annotations } = transformed<NamespaceAdjustments>(
      { labels: {}, annotations: {} },
      args.transform?.namespace,
    );
    return new Namespace(
      name,
      {
        metadata: {
          name: args.namespace,
          labels: { ...labels, ...namespaceLabels(args) },
          annotations: { ...annotations, ...namespaceAnnotations(args) },
        },
      },
      { parent: this },
    );
  }

  #bounds(name: string, args: DataScienceProjectArgs): Resource[] {
    const limits = new LimitRange(
      `${name}-limits`,
      { metadata: this.#metadata("limits", args), spec: { limits: [containerLimits(this.containers)] } },
      this.#placed(),
    );
    const quota = new ResourceQuota(
      `${name}-quota`,
      { metadata: this.#metadata("quota", args), spec: { hard: quotaHard(args.quota) } },
      this.#placed(),
    );
    return [limits, quota];
  }

  #policies(name: string, args: DataScienceProjectArgs): Resource[] {
    const policies = [
      { name: "closed", spec: projectPolicy(args.network) },
      { name: "models", spec: modelPolicy(args.network) },
      ...askingPolicies(args.network),
    ];
    return policies.map(
      ({ name: policy, spec }) =>
        new NetworkPolicy(
          `${name}-${policy}`,
          { metadata: this.#metadata(policy, args), spec },
          this.#placed(),
        ),
    );
  }

  #roles(name: string, args: DataScienceProjectArgs): void {
    for (const role of ROLES) {
      const subjects = args.members?.[role];
      if (subjects === undefined || isNobody(subjects)) continue;
      new RoleBinding(
        `${name}-${role}`,
        {
          metadata: this.#metadata(`project-${role}`, args, { "opendatahub.io/dashboard": "true" }),
          subjects: rbacSubjects(subjects, args.namespace),
          roleRef: roleRef("ClusterRole", role),
        },
        this.#placed(),
      );
    }
  }

  #queue(name: string, args: DataScienceProjectArgs): string | undefined {
    if (args.queue === undefined) return undefined;
    const { clusterQueue, name: queue = "project" } = args.queue;
    new CustomResource(
      `${name}-queue`,
      {
        apiVersion: "kueue.x-k8s.io/v1beta1",
        kind: "LocalQueue",
        metadata: this.#metadata(queue, args),
        spec: { clusterQueue },
      },
      // What backs a queue cannot be changed, says its definition; and both would have the same name.
      { ...this.#placed(), replaceOnChanges: ["spec.clusterQueue"], deleteBeforeReplace: true },
    );
    return queue;
  }

  #store(name: string, args: DataScienceProjectArgs): SecretStoreRef | undefined {
    const { identity } = args;
    if (identity === undefined) return undefined;
    const { clientId, tenantId, vaultUri, serviceAccount = VAULT_READER } = identity;
    const reader = new ServiceAccount(
      `${name}-${serviceAccount}`,
      {
        metadata: {
          ...this.#metadata(serviceAccount, args),
          // The tenant stands in the store; said here, too, External Secrets refuses both ("multiple tenantID found").
          // Source: external-secrets providers/v1/azure/keyvault (authorizerForWorkloadIdentity)
          annotations: { "azure.workload.identity/client-id": clientId },
        },
        // External Secrets asks for a token in its name; no pod runs as it.
        automountServiceAccountToken: false,
      },
      this.#placed(),
    );
    const store = new CustomResource(
      `${name}-${SECRET_STORE}`,
      {
        apiVersion: "external-secrets.io/v1",
        kind: "SecretStore",
        metadata: this.#metadata(SECRET_STORE, args),
        spec: {
          provider: {
            azurekv: {
              authType: "WorkloadIdentity",
              tenantId,
              vaultUrl: vaultUri,
              serviceAccountRef: { name: serviceAccount },
            },
          },
        },
      },
      this.#placed([reader, ...(identity.after ?? [])]),
    );
    return { name: SECRET_STORE, object: store };
  }

  #metadata(name: string, args: DataScienceProjectArgs, labels: Record<string, string> = {}) {
    return { name, namespace: args.namespace, labels: { ...kubernetesLabels(args.tags), ...labels } };
  }

  #placed(after: readonly Resource[] = []) {
    const { namespace, namespaceObject } = this;
    return placed({ namespace, namespaceObject }, { parent: this }, [namespaceObject, ...after]);
  }
}

const ROLES = ["admin", "edit", "view"] as const satisfies (keyof ProjectMembers)[];

/** Labels of a project's namespace: whose it is, and that the dashboard shows it and serves its models one by one. Pure. */
export function namespaceLabels(args: DataScienceProjectArgs): Record<string, string> {
  return {
    ...kubernetesLabels(args.tags),
    "opendatahub.io/dashboard": "true",
    "modelmesh-enabled": "false",
    // Kueue looks after namespaces that say so, and OpenShift AI before 3.4 refuses models and workbenches there that name no queue.
    // Source: opendatahub-operator internal/controller/components/kueue, internal/webhook/kueue
    ...(args.queue === undefined ? {} : { "kueue.openshift.io/managed": "true" }),
  };
}

/** What the dashboard shows of a project. Pure. */
export function namespaceAnnotations(args: DataScienceProjectArgs): Record<string, string> {
  return {
    "openshift.io/display-name": args.displayName,
    ...(args.description === undefined ? {} : { "openshift.io/description": args.description }),
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function dataScienceProjectProblems(args: DataScienceProjectArgs): FieldProblem[] {
  const { members = {}, queue, identity } = args;
  return [
    dnsLabelProblem("namespace", args.namespace),
    /^(?:openshift|kube)-|^default$/.test(args.namespace)
      ? { field: "namespace", message: `"${args.namespace}" is the cluster's own` }
      : undefined,
    args.displayName.trim() === "" ? { field: "displayName", message: "is empty" } : undefined,
    ...tagProblems(args.tags),
    ...quotaProblems(args.quota, args.containers),
    ...ROLES.flatMap((role) => subjectProblems(`members.${role}`, members[role] ?? {})),
    ...networkProblems(args.network),
    queue === undefined ? undefined : dnsLabelProblem("queue.clusterQueue", queue.clusterQueue),
    queue?.name === undefined ? undefined : dnsLabelProblem("queue.name", queue.name),
    queue?.name === "default"
      ? { field: "queue.name", message: 'is "default", the name of the queue that OpenShift AI makes itself' }
      : undefined,
    identity?.serviceAccount === undefined
      ? undefined
      : dnsLabelProblem("identity.serviceAccount", identity.serviceAccount),
  ].filter((problem) => problem !== undefined);
}
