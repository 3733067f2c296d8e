import type { Input, Resource } from "@pulumi/pulumi";
import type { ComputeResources } from "../../shared/compute.ts";
import type { Tags } from "../../shared/tags.ts";

/** Arguments of the conversational agent. */
export interface ConversationalAgentArgs {
  /** Name that everything of the agent begins with, 1 to 30 characters of a-z, 0-9 and hyphens. @default "agent" */
  readonly agentName?: string;
  /**
   * Namespace it runs in, best one of its own: policies add up, and what another one there allows is allowed here. A plain
   * name, since certificates and the names of cluster-wide objects are made of it; what makes it belongs into `after`.
   */
  readonly namespace: string;
  readonly tags: Tags;
  /** Image of the agent by digest; migrations and archival run from it, too. */
  readonly image: string;
  /** Revision of the database's schema that the image needs. A new one, or a new image, means a new migration. @default "head" */
  readonly schemaRevision?: string;
  /** How many pods there are. 100 conversations at once are the target. @default { min: 2, max: 6 } */
  readonly replicas?: { readonly min: number; readonly max: number };
  /** Mean use of the requested cores at which pods are added, in percent, 10 to 95. @default 70 */
  readonly scaleAtCpuPercent?: number;
  /** What a pod asks for and may use at most. @default 500m to 2 cores, 1 to 2 GiB */
  readonly resources?: ComputeResources;
  /** The language model it talks to: the foundry's outputs. */
  readonly model: AgentModel;
  /** Where secrets come from: a store of External Secrets for the foundry's Key Vault. */
  readonly secretStore: { readonly name: Input<string>; readonly kind: "SecretStore" | "ClusterSecretStore" };
  readonly database: AgentDatabase;
  /** Host name of its Route. @default the router's choice */
  readonly host?: string;
  readonly network: AgentNetwork;
  /** Which operations a person has to confirm, and for how long an unanswered question stands. */
  readonly confirmation?: AgentConfirmation;
  /** Days after which a conversation is archived, 1 to 3,650. @default 30 */
  readonly archiveAfterDays?: number;
  /** Days for which the record of who did what is kept, 30 to 3,650, and never less than conversations. @default 365 */
  readonly auditRetentionDays?: number;
  /** What it promises. @default queries 2 s, operations 10 s, 1 % errors, 100 conversations at once */
  readonly objectives?: Partial<AgentObjectives>;
  /** What must be made first: the namespace and the secret store. @default nothing but what the arguments come from */
  readonly after?: readonly Resource[];
}

/** The language model, as the foundry gives it out. */
export interface AgentModel {
  /** Address of the account, `https://<subdomain>.openai.azure.com/`. */
  readonly endpoint: Input<string>;
  /** Name of the model's deployment. */
  readonly deployment: Input<string>;
  /** Version of the API, a date. @default "2024-10-21" */
  readonly apiVersion?: string;
  /** Name of the Key Vault secret that holds the active key. The key itself is never here. */
  readonly keySecretName: string;
  /** Minutes between two looks at the vault, 1 to 1,440: how long a rotated key takes at most to reach the cluster. @default 5 */
  readonly keyRefreshMinutes?: number;
  /**
   * How a rotated key gets from the Secret into the process. `file`: the mounted file changes and the agent reads it with
   * each request, no pod restarts. `reloader`: Stakater's Reloader rolls the Deployment. `version`: the program rolls
   * it when the version named here changes. @default { by: "file" }
   */
  readonly keyRollout?:
    | { readonly by: "file" }
    | { readonly by: "reloader" }
    | { readonly by: "version"; readonly version: Input<string> };
}

/** The agent's Postgres. */
export interface AgentDatabase {
  /** Image by digest of the sclorg family (`quay.io/sclorg/postgresql-16-c9s@sha256:…`), which runs as any user. */
  readonly image: string;
  /** Name of the Key Vault secret that holds the password. */
  readonly passwordSecretName: string;
  /** Size of the volume, for example `20Gi`. It can grow later, never shrink. @default "20Gi" */
  readonly size?: string;
  /** Storage class. @default the cluster's */
  readonly storageClass?: string;
  /** Connections at most, 20 to 1,000. @default 200 */
  readonly maxConnections?: number;
  /** What it asks for and may use at most. @default 250m to 1 core, 512 MiB to 1 GiB */
  readonly resources?: ComputeResources;
}

/** What the agent's pods reach. NetworkPolicies know no host names: addresses it is. */
export interface AgentNetwork {
  /** Addresses of the API server's endpoints (not of its Service: policies look after the translation), in CIDR notation. */
  readonly apiServer: { readonly cidrs: readonly string[] /** @default 6443 */; readonly port?: number };
  /** Addresses of the model's endpoint in CIDR notation: those of its private endpoint where there is one. */
  readonly model: {
    /** @default ["0.0.0.0/0"], less everything of the cluster's own */
    readonly cidrs?: readonly string[];
    /** @default 443 */
    readonly port?: number;
  };
  /** The cluster's own networks (pods, Services, machines), never part of the way to the model. @default OpenShift's: 10.128.0.0/14, 172.30.0.0/16, 10.0.0.0/16 */
  readonly clusterCidrs?: readonly string[];
}

/** Confirmation by a person. There is no choice of who confirms: never the model. */
export interface AgentConfirmation {
  /** Kinds of operation that wait for it. @default delete, scale, permission-change, and nothing can be left out of these */
  readonly also?: readonly string[];
  /** Seconds after which an unanswered question is void, 30 to 3,600. @default 300 */
  readonly validSeconds?: number;
}

/** What the agent promises. */
export interface AgentObjectives {
  /** Seconds within which 95 of 100 queries are answered. @default 2 */
  readonly querySeconds: number;
  /** Seconds within which 95 of 100 operations are done. @default 10 */
  readonly operationSeconds: number;
  /** Share of requests that may fail, above 0 and below 1. @default 0.01 */
  readonly errorRatio: number;
  /** Conversations at once. @default 100 */
  readonly concurrentConversations: number;
}
