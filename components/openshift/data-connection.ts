import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { dnsLabelProblem, kubernetesLabels } from "../shared/kubernetes.ts";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type FieldProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import {
  type Connection,
  type ConnectionRef,
  connectionAnnotations,
  connectionKeys,
  connectionProblems,
  connectionSecretType,
} from "./connection.ts";
import { type ProjectPlace, placed } from "./place.ts";
import { refreshInterval } from "./vault-secret.ts";

/** Arguments of {@link DataConnection}. */
export interface DataConnectionArgs {
  /** The project; it must have a SecretStore. */
  readonly project: ProjectPlace;
  /** Name of the connection, and of the Secret: a DNS label. */
  readonly connectionName: string;
  /** What the dashboard shows. @default the name */
  readonly displayName?: string;
  readonly tags: Tags;
  /** What it leads to; whatever is secret is named by its place in the vault. */
  readonly connection: Connection;
  /** Minutes after which the vault is read again, 1 to 1440. @default 60 */
  readonly refreshMinutes?: number;
  /** Seconds to wait until the values are there, 1 to 3600. @default 300: a fresh grant takes minutes to take effect */
  readonly patienceSeconds?: number;
}

/**
 * A data connection of a project. External Secrets reads the vault and makes the Secret, so that no value passes through
 * Pulumi; done when it has. A change of a connection that has its values is done at once, and the Secret follows in a moment:
 * External Secrets does not say which generation it has seen.
 */
export class DataConnection extends ComponentResource implements ConnectionRef {
  readonly connectionName: string;
  readonly connection: Connection;
  /** Done when the values are there: what to wait for before something uses the connection. */
  readonly synced: Resource;

  constructor(name: string, args: DataConnectionArgs, options?: ComponentResourceOptions) {
    requireValid("DataConnection", dataConnectionProblems(args));
    super("kiln:openshift:DataConnection", name, {}, options);

    const { project, patienceSeconds = 300 } = args;
    const store = project.secretStore?.object;
    this.connectionName = args.connectionName;
    this.connection = args.connection;
    this.synced = new CustomResource(
      name,
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: {
          name: args.connectionName,
          namespace: project.namespace,
          labels: kubernetesLabels(args.tags),
          annotations: { "pulumi.com/waitFor": "condition=Ready" },
        },
        spec: externalSecretSpec(args),
      },
      {
        ...placed(project, { parent: this }, store === undefined ? [] : [store]),
        customTimeouts: { create: `${patienceSeconds}s`, update: `${patienceSeconds}s` },
      },
    );
    this.registerOutputs({ connectionName: this.connectionName });
  }
}

/** What External Secrets is asked for. Pure. */
export function externalSecretSpec(args: DataConnectionArgs) {
  const { connection, connectionName, displayName = connectionName, refreshMinutes = 60 } = args;
  const { fromVault, plain } = connectionKeys(connection);
  return {
    refreshInterval: refreshInterval(refreshMinutes),
    secretStoreRef: { kind: "SecretStore", name: args.project.secretStore?.name ?? "" },
    target: {
      name: connectionName,
      creationPolicy: "Owner",
      deletionPolicy: "Retain",
      template: {
        engineVersion: "v2",
        // What comes from the vault stays beside what the template adds.
        mergePolicy: "Merge",
        type: connectionSecretType(connection),
        metadata: {
          labels: {
            ...kubernetesLabels(args.tags),
            "opendatahub.io/dashboard": "true",
            // KServe's companion gathers connections that say so into the project's storage configuration, as buckets all of them.
            ...(connection.type === "s3" ? { "opendatahub.io/managed": "true" } : {}),
          },
          annotations: connectionAnnotations(connection, displayName),
        },
        ...(Object.keys(plain).length === 0 ? {} : { data: { ...plain } }),
      },
    },
    data: Object.entries(fromVault).map(([secretKey, { secret, version }]) => ({
      secretKey,
      remoteRef: { key: secret, ...(version === undefined ? {} : { version }) },
    })),
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function dataConnectionProblems(args: DataConnectionArgs): FieldProblem[] {
  const { project, refreshMinutes = 60, patienceSeconds = 300 } = args;
  return [
    dnsLabelProblem("connectionName", args.connectionName),
    project.secretStore === undefined
      ? {
          field: "project",
          message: `has no secret store; ${project.namespace} needs an identity to read the vault`,
        }
      : undefined,
    ...tagProblems(args.tags),
    ...connectionProblems("connection", args.connection),
    rangeProblem("refreshMinutes", refreshMinutes, 1, 1440, "minutes"),
    rangeProblem("patienceSeconds", patienceSeconds, 1, 3600, "seconds"),
  ].filter((problem) => problem !== undefined);
}
