import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { dnsLabelProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type FieldProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import type { ConnectionRef } from "./connection.ts";
import { type ProjectPlace, placed } from "./place.ts";
import { vaultSecret, vaultSecretProblems } from "./vault-secret.ts";

/** Arguments of {@link PipelineServer}. */
export interface PipelineServerArgs {
  /** The project it belongs to; it must have a SecretStore. */
  readonly project: ProjectPlace;
  /** Name of the server; a project has one. A DNS label of at most 30 characters. @default "dspa", as the dashboard has it */
  readonly serverName?: string;
  readonly tags: Tags;
  /** The database that keeps its runs: an external one. One of its own would be a pod and a volume without a backup. */
  readonly database: PipelineDatabase;
  /** The bucket that keeps artifacts, reached with the keys of an S3 data connection. */
  readonly storage: {
    readonly connection: ConnectionRef;
    /** Folder in the bucket. @default the bucket itself */
    readonly basePath?: string;
  };
  /** Where pipelines and their versions are kept: in the database, or as objects of the cluster. @default "database" */
  readonly pipelineStore?: "database" | "kubernetes";
  /** Whether a step that ran with the same inputs may be taken over from an earlier run. @default true */
  readonly caching?: boolean;
  /** Seconds to wait until it answers, 30 to 3,600. @default 600 */
  readonly patienceSeconds?: number;
  /** What must be made first, such as the connection's values. @default what guards the project */
  readonly after?: readonly Resource[];
}

/** An external MariaDB, or MySQL 8. */
export interface PipelineDatabase {
  /** Host name. */
  readonly host: Input<string>;
  /** TCP port, 1 to 65,535. @default 3306 */
  readonly port?: number;
  /** Name of the database. @default "mlpipeline" */
  readonly name?: string;
  /** @default "mlpipeline" */
  readonly username?: string;
  /** Name of the vault's secret that holds the password. */
  readonly passwordSecret: string;
  /** Whether the connection is encrypted and the server's certificate checked. @default true */
  readonly tls?: boolean;
}

/** The pipeline server of a project: Kubeflow Pipelines 2 with external database and storage, TLS between its pods. */
export class PipelineServer extends ComponentResource {
  readonly serverName: string;
  /** Address of its API within the cluster. */
  readonly apiUrl: string;
  /** Done when the API answers. */
  readonly server: CustomResource;

  constructor(name: string, args: PipelineServerArgs, options?: ComponentResourceOptions) {
    requireValid("PipelineServer", pipelineServerProblems(args));
    super("kiln:openshift:PipelineServer", name, {}, options);

    const { project, serverName = "dspa", patienceSeconds = 600 } = args;
    this.serverName = serverName;
    this.apiUrl = pipelineApiUrl(serverName, project.namespace);
    const password = vaultSecret(
      `${name}-database`,
      {
        project,
        secretName: databaseSecret(serverName),
        tags: args.tags,
        keys: { password: args.database.passwordSecret },
        refresh: 60,
      },
      { parent: this },
    );
    this.server = new CustomResource(
      name,
      {
        apiVersion: "datasciencepipelinesapplications.opendatahub.io/v1",
        kind: "DataSciencePipelinesApplication",
        metadata: {
          name: serverName,
          namespace: project.namespace,
          labels: { ...kubernetesLabels(args.tags), "opendatahub.io/dashboard": "true" },
          annotations: { "pulumi.com/waitFor": "condition=Ready" },
        },
        spec: pipelineServerSpec(args),
      },
      {
        ...placed(project, { parent: this }, [password, ...(args.after ?? [])]),
        customTimeouts: { create: `${patienceSeconds}s`, update: `${patienceSeconds}s` },
      },
    );
    this.registerOutputs({ serverName: this.serverName, apiUrl: this.apiUrl });
  }
}

/** Address of a server's API within the cluster, its proxy's port. Pure. */
export function pipelineApiUrl(serverName: string, namespace: string): string {
  return `https://ds-pipeline-${serverName}.${namespace}.svc.cluster.local:8443`;
}

/** Name of the Secret that holds the database's password. Pure. */
export function databaseSecret(serverName: string): string {
  return `${serverName}-database`;
}

/**
 * What the operator is asked for. No MariaDB and no MinIO appear: the operator makes those that are mentioned. Pure.
 * Source: opendatahub-io/data-science-pipelines-operator (api/v1)
 */
export function pipelineServerSpec(args: PipelineServerArgs) {
  const { serverName = "dspa", database, storage } = args;
  return {
    dspVersion: "v2",
    podToPodTLS: true,
    apiServer: {
      deploy: true,
      enableOauth: true,
      enableSamplePipeline: false,
      cacheEnabled: args.caching ?? true,
      pipelineStore: args.pipelineStore ?? "database",
    },
    persistenceAgent: { deploy: true },
    scheduledWorkflow: { deploy: true },
    mlmd: { deploy: true },
    database: {
      ...((database.tls ?? true) ? { customExtraParams: JSON.stringify({ tls: "true" }) } : {}),
      externalDB: {
        host: database.host,
        port: String(database.port ?? 3306),
        username: database.username ?? "mlpipeline",
        pipelineDBName: database.name ?? "mlpipeline",
        passwordSecret: { name: databaseSecret(serverName), key: "password" },
      },
    },
    objectStorage: { externalStorage: externalStorage(storage) },
  };
}

function externalStorage({ connection, basePath }: PipelineServerArgs["storage"]) {
  if (connection.connection.type !== "s3") return undefined;
  const { endpoint, bucket, region = "us-east-1" } = connection.connection;
  const { protocol, hostname, port } = new URL(endpoint);
  return {
    scheme: protocol.replace(":", ""),
    secure: protocol === "https:",
    host: hostname,
    port,
    region,
    bucket,
    ...(basePath === undefined ? {} : { basePath }),
    s3CredentialsSecret: {
      secretName: connection.connectionName,
      accessKey: "AWS_ACCESS_KEY_ID",
      secretKey: "AWS_SECRET_ACCESS_KEY",
    },
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function pipelineServerProblems(args: PipelineServerArgs): FieldProblem[] {
  const { project, serverName = "dspa", database, storage, patienceSeconds = 600 } = args;
  const { connection, connectionName } = storage.connection;
  return [
    // The longest name made of it, ds-pipeline-scheduledworkflow-<name>, is a label's value.
    dnsLabelProblem("serverName", serverName, 30),
    typeof database.host === "string" && !/^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/.test(database.host)
      ? {
          field: "database.host",
          message: `is ${JSON.stringify(database.host)}; a host name alone is needed`,
        }
      : undefined,
    rangeProblem("database.port", database.port ?? 3306, 1, 65_535, "ports"),
    wordProblem("database.name", database.name ?? "mlpipeline"),
    wordProblem("database.username", database.username ?? "mlpipeline"),
    ...vaultSecretProblems("database.passwordSecret", project, database.passwordSecret),
    connection.type === "s3"
      ? undefined
      : {
          field: "storage.connection",
          message: `"${connectionName}" is of the kind ${connection.type}; pipelines keep artifacts in s3`,
        },
    connection.type === "s3" && !connection.endpoint.startsWith("https://")
      ? {
          field: "storage.connection",
          message: `"${connectionName}" leads to ${connection.endpoint}; https is needed`,
        }
      : undefined,
    storage.basePath !== undefined && !/^[\w.-]+(?:\/[\w.-]+)*$/.test(storage.basePath)
      ? {
          field: "storage.basePath",
          message: `is "${storage.basePath}"; a folder like team/pipelines is needed`,
        }
      : undefined,
    rangeProblem("patienceSeconds", patienceSeconds, 30, 3600, "seconds"),
    ...tagProblems(args.tags),
  ].filter((problem) => problem !== undefined);
}

function wordProblem(field: string, text: string): FieldProblem | undefined {
  if (/^\w{1,63}$/.test(text)) return undefined;
  return { field, message: `is ${JSON.stringify(text)}; 1 to 63 letters, digits and _ are allowed` };
}
