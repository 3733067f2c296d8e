/** What can be configured about serving, checked, with every default filled in. Amounts name their unit. */
import type { Connection } from "../components/openshift/connection.ts";
import type { ProjectNetwork } from "../components/openshift/network.ts";
import type { ContainerBounds, ProjectQuota } from "../components/openshift/quota.ts";
import type { ModelFormat } from "../components/openshift/serving-runtime.ts";
import type { Compute } from "../components/shared/quantities.ts";

/** Annotation of a namespace that says when nobody needs its environment any more: a time is no legal value of a label. */
export const EXPIRY_ANNOTATION = "kiln/expires-on";

/** What the serving system of one environment is made of. */
export interface ServingConfig {
  /** Whether this environment has serving. @default false */
  readonly enabled: boolean;
  readonly cluster: ClusterConfig;
  /** The vault that secrets come from, where the environment has no foundry. @default the foundry's */
  readonly vault?: VaultConfig;
  /** Data science projects, each a namespace. @default none */
  readonly projects: readonly ProjectConfig[];
  /** The conversational agent's own runtime. @default none */
  readonly agent?: AgentConfig;
}

/** The cluster that serving is built on. */
export interface ClusterConfig {
  /** Context of the kubeconfig. @default its current one; in the sandbox always the sandbox's own */
  readonly context?: string;
  /**
   * Who signs the tokens of its service accounts, as an address. Identities of Azure trust it.
   * @default what the cluster itself says when kiln asks it
   */
  readonly serviceAccountIssuer?: string;
}

/** An existing vault, and an identity that may read it and trusts the projects' service accounts. */
export interface VaultConfig {
  /** `https://<vault>.vault.azure.net/` */
  readonly uri: string;
  readonly tenantId: string;
  /** Client id of the identity. */
  readonly clientId: string;
}

/** Users and groups by name. */
export interface PeopleConfig {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** What a container asks for and may use at most. */
export interface SizeConfig {
  readonly requests: Compute;
  /** @default what is requested */
  readonly limits?: Compute;
  /** Whole GPUs, 0 to 16. @default 0 */
  readonly gpus: number;
}

/** One data science project. */
export interface ProjectConfig {
  /** Short name; the namespace is `<workload>-<env>-<name>`. */
  readonly name: string;
  /** @default the name */
  readonly displayName?: string;
  readonly description?: string;
  /** @default by kind of environment */
  readonly quota: ProjectQuota;
  readonly containers?: ContainerBounds;
  /** Who may do what. @default nobody but the cluster's administrators */
  readonly access: {
    readonly admin: PeopleConfig;
    readonly edit: PeopleConfig;
    readonly view: PeopleConfig;
  };
  readonly network: ProjectNetwork;
  /** Kueue's ClusterQueue behind the project's queue. @default no queue */
  readonly clusterQueue?: string;
  readonly connections: readonly ConnectionConfig[];
  readonly runtimes: readonly RuntimeConfig[];
  readonly models: readonly ServedModelConfig[];
  readonly notebooks: readonly NotebookConfig[];
  readonly pipelineServer?: PipelineServerConfig;
  readonly scheduledPipelines: readonly ScheduledPipelineConfig[];
}

/** Somewhere outside, reached with what lies in the vault. */
export type ConnectionConfig = Connection & {
  readonly name: string;
  /** @default the name */
  readonly displayName?: string;
};

/** A server of models of certain formats. */
export interface RuntimeConfig {
  readonly name: string;
  /** @default the name */
  readonly displayName?: string;
  /** Image by digest. */
  readonly image: string;
  readonly formats: readonly ModelFormat[];
  readonly command?: readonly string[];
  readonly args: readonly string[];
  /** Never a secret. */
  readonly env: Readonly<Record<string, string>>;
  /** TCP port of its API, 1024 to 65535. @default 8080 */
  readonly port: number;
  /** What its container gets where a model says nothing else. */
  readonly resources: SizeConfig;
  /** `/dev/shm`, in GiB. @default none */
  readonly sharedMemoryGib?: number;
}

/** Where a model lies: in a data connection of the project, or at an address that needs no key. */
export type SourceConfig = { readonly connection: string; readonly path: string } | { readonly uri: string };

/** A model that is served. */
export interface ServedModelConfig {
  readonly name: string;
  /** @default the name */
  readonly displayName?: string;
  readonly format: ModelFormat;
  /** Name of a runtime of the project. */
  readonly runtime: string;
  readonly source: SourceConfig;
  /** Pods. @default by kind of environment */
  readonly replicas: { readonly min: number; readonly max: number };
  readonly resources: SizeConfig;
  readonly args: readonly string[];
  /** Whether it can be reached from outside of the cluster. @default false */
  readonly exposed: boolean;
  /** Whether callers need a token. @default true */
  readonly auth: boolean;
  /** Who may call it, beside who has a role in the project. @default nobody */
  readonly callers: PeopleConfig;
  /** A second version that gets a part of the traffic. @default none */
  readonly canary?: {
    readonly source: SourceConfig;
    /** Percent of the calls, 1 to 99. */
    readonly percent: number;
    /** Pods of it. @default 1 */
    readonly replicas: number;
  };
  /** Whether it stands still. @default false */
  readonly stopped: boolean;
  /** Seconds until it has to be ready, 10 to 7,200. @default 600 */
  readonly patienceSeconds: number;
}

/** A notebook. */
export interface NotebookConfig {
  readonly name: string;
  readonly displayName?: string;
  /** Image by digest. */
  readonly image: string;
  readonly size: SizeConfig;
  /** Its home, in whole GiB. @default 20 */
  readonly storageGib: number;
  /** Shared memory, in GiB. @default a quarter of the memory limit */
  readonly sharedMemoryGib?: number;
  /** Names of data connections of the project. */
  readonly connections: readonly string[];
  /** Since when it is stopped, in UTC; absent while it runs. */
  readonly stoppedSince?: string;
}

/** The project's pipeline server. */
export interface PipelineServerConfig {
  /** The external database. */
  readonly database: {
    readonly host: string;
    /** TCP port. @default 3306 */
    readonly port: number;
    readonly name: string;
    readonly username: string;
    /** Name of the secret in the vault that holds the password. */
    readonly passwordSecret: string;
  };
  /** Name of the data connection that artifacts go to. */
  readonly connection: string;
}

/** A pipeline that runs by the clock. */
export interface ScheduledPipelineConfig {
  readonly name: string;
  /** Name of the pipeline, as the server knows it. */
  readonly pipeline: string;
  readonly version?: string;
  /** Five fields, or @hourly, @daily and so on. */
  readonly schedule: string;
  /** IANA name of a time zone. @default "Etc/UTC" */
  readonly timeZone: string;
  readonly enabled: boolean;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Image by digest that submits the run. */
  readonly image: string;
}

/** The conversational agent's own runtime. */
export interface AgentConfig {
  /** Name of its project. @default "agent" */
  readonly name: string;
  /** Image by digest. */
  readonly image: string;
  /** Revision of the database's schema that the image needs. @default "head" */
  readonly schemaRevision?: string;
  readonly replicas: { readonly min: number; readonly max: number };
  /** Host name of its Route. @default the router's choice */
  readonly host?: string;
  readonly database: {
    /** Image by digest. */
    readonly image: string;
    /** In whole GiB. @default 20 */
    readonly storageGib: number;
    /** Name of the vault's secret with the password. With the foundry it is made where there is none. */
    readonly passwordSecret: string;
  };
  readonly network: {
    /** Where the API server's endpoints are. */
    readonly apiServer: { readonly cidrs: readonly string[]; readonly port: number };
    /** Where the model's endpoint is. @default everywhere outside of the cluster */
    readonly modelCidrs?: readonly string[];
  };
  /** The language model, where the environment has no foundry. @default the foundry's */
  readonly model?: {
    /** `https://<subdomain>.openai.azure.com/` */
    readonly endpoint: string;
    readonly deployment: string;
    /** Name of the vault's secret with the key. */
    readonly keySecret: string;
  };
  /** Minutes between two looks at the vault, 1 to 1,440. @default 5 */
  readonly keyRefreshMinutes: number;
  /** Days after which a conversation is archived, 1 to 3,650. @default 30 */
  readonly archiveAfterDays: number;
  /** Days for which the audit record is kept, 30 to 3,650. @default 365 */
  readonly auditRetentionDays: number;
  /** @default by kind of environment */
  readonly quota: ProjectQuota;
}
