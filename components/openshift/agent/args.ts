import type { Input, Resource } from "@pulumi/pulumi";
import type { Tags } from "../../shared/tags.ts";
import type { ContainerResources } from "../container.ts";
import type { ProjectPlace } from "../place.ts";

/** Arguments of {@link ConversationalAgent}. */
export interface ConversationalAgentArgs {
  /**
   * Where it runs: a project with a SecretStore, and best one of its own. Network policies add up: what another policy there
   * allows to all pods is allowed to these.
   */
  readonly project: ProjectPlace;
  /** Name that everything of the agent begins with: a DNS label of at most 30 characters. @default "agent" */
  readonly agentName?: string;
  readonly tags: Tags;
  /** Image of the agent by digest. Migrations and archival run from it, too. */
  readonly image: string;
  /** Revision of the database's schema that the image needs, as Alembic names it. @default "head", the image's newest */
  readonly schemaRevision?: string;
  /** How many pods there are, 1 to 50; between them load decides. @default { min: 2, max: 6 } */
  readonly replicas?: { readonly min: number; readonly max: number };
  /** Mean use of the requested cores at which pods are added, in percent, 10 to 95. @default 70 */
  readonly scaleAtCpuPercent?: number;
  /** What a pod asks for and may have at most. @default 0.5 to 2 cores, 1 to 2 GiB */
  readonly size?: ContainerResources;
  readonly model: AgentModel;
  readonly database: AgentDatabase;
  /** Host name of its Route. @default the router's choice */
  readonly host?: string;
  readonly network: AgentNetwork;
  /** @default see {@link AgentConfirmation} */
  readonly confirmation?: AgentConfirmation;
  /** Days after which a conversation is archived, 1 to 3,650. @default 30 */
  readonly archiveAfterDays?: number;
  /** When archival runs, as a CronJob's schedule in UTC. @default "17 3 * * *" */
  readonly archiveSchedule?: string;
  /** Days for which the record of who did what is kept, 30 to 3,650; not below `archiveAfterDays`. @default 365 */
  readonly auditRetentionDays?: number;
  /** @default see {@link AgentObjectives} */
  readonly objectives?: Partial<AgentObjectives>;
  /** What the image is started with. @default what the agent's own repository says */
  readonly commands?: Partial<AgentCommands>;
  /** What must be made first. @default what guards the project */
  readonly after?: readonly Resource[];
}

/** The language model: the foundry's outputs. */
export interface AgentModel {
  /** Address of the account, `https://<subdomain>.openai.azure.com/`. */
  readonly endpoint: Input<string>;
  /** Name of the model's deployment. */
  readonly deployment: Input<string>;
  /** Version of the API, a date. @default "2024-10-21" */
  readonly apiVersion?: string;
  /** Name of the vault's secret that holds the active key. The key itself is never here. */
  readonly keySecret: string;
  /** Minutes between two looks at the vault, 1 to 1,440: how long a rotated key takes at most to reach the cluster. @default 5 */
  readonly keyRefreshMinutes?: number;
  /** How a rotated key gets from the Secret into the process. @default { by: "file" } */
  readonly keyRollout?: KeyRollout;
}

/**
 * How a rotated key gets into the process. Rotation leaves the key before it valid until the next one, so each has time.
 * - `file`: the key is a file, which the kubelet replaces within two minutes; the agent reads it with each request and no pod
 *   restarts.
 * - `reloader`: the key is an environment variable, and Stakater's Reloader, which must be installed, rolls the
 *   Deployment when the Secret changes.
 * - `version`: the key is an environment variable, and the program rolls the Deployment when the version named here
 *   changes, with the next `up`.
 */
export type KeyRollout =
  | { readonly by: "file" }
  | { readonly by: "reloader" }
  | { readonly by: "version"; readonly version: Input<string> };

/** The agent's Postgres. */
export interface AgentDatabase {
  /** Image by digest, of the family that runs as any user: `quay.io/sclorg/postgresql-16-c9s@sha256:…`. */
  readonly image: string;
  /**
   * Name of the vault's secret that holds the password. It is read once: the database keeps what it was made with until it is
   * told otherwise, and a Secret that ran ahead of it would lock the agent out.
   */
  readonly passwordSecret: string;
  /** Size of the volume in whole GiB, 1 to 10,000. It can grow later, never shrink. @default 20 */
  readonly sizeGib?: number;
  /** Storage class. @default the cluster's */
  readonly storageClass?: string;
  /** Connections at most, 20 to 2,000; enough for `replicas.max` pods of 20 each and 20 more. @default 200 */
  readonly maxConnections?: number;
  /** What it asks for and may have at most. @default 0.25 to 1 core, 0.5 to 1 GiB */
  readonly size?: ContainerResources;
}

/** What the agent's pods reach. Network policies know no host names: it is addresses, IPv4 in CIDR notation. */
export interface AgentNetwork {
  /**
   * The API server's own endpoints, where callers' tokens are reviewed: not the address of its Service, since policies are
   * held against what that is translated to.
   */
  readonly apiServer: {
    readonly cidrs: readonly string[];
    /** TCP port. @default 6443, OpenShift's */
    readonly port?: number;
  };
  /** The model's endpoint: the addresses of its private endpoint where there is one. */
  readonly model?: {
    /** @default everything outside the cluster: 0.0.0.0/0 less private and link-local addresses and the API server's */
    readonly cidrs?: readonly string[];
    /** TCP port. @default 443 */
    readonly port?: number;
  };
}

/**
 * Confirmation of operations. Who confirms is no choice: the caller, with a request and a token of their own, at another
 * address than the one the model answers at. A confirmation that the model can supply itself is none.
 */
export interface AgentConfirmation {
  /** Kinds of operation that wait for it besides `delete`, `scale` and `permission-change`, which always do. @default none */
  readonly also?: readonly string[];
  /** Seconds for which a question stands, 30 to 3,600. @default 300 */
  readonly validSeconds?: number;
}

/** What the agent promises. */
export interface AgentObjectives {
  /** Seconds within which 95 of 100 queries are answered, above 0. @default 2 */
  readonly querySeconds: number;
  /** Seconds within which 95 of 100 operations are done, not below `querySeconds`. @default 10 */
  readonly operationSeconds: number;
  /** Share of requests that may fail, above 0 and at most 0.05. @default 0.01 */
  readonly errorRatio: number;
  /** Conversations at once, 1 to 10,000. @default 100 */
  readonly concurrentConversations: number;
}

/** Commands of the image, each as a list of words. */
export interface AgentCommands {
  /** Starts the agent. @default the image's own, with `-c <configuration>` */
  readonly serve: readonly string[];
  /** Brings the schema up to the revision that is put after it. @default ["alembic", "upgrade"] */
  readonly migrate: readonly string[];
  /** Archives old conversations. @default ["python", "-m", "src.services.session_cleanup"] */
  readonly archive: readonly string[];
}
