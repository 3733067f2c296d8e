import type { Resource } from "@pulumi/pulumi";
import type { FieldProblem } from "../shared/validation.ts";
import { nameProblem } from "../shared/validation.ts";

/** A secret of the project's vault. */
export interface VaultSecret {
  /** Its name: letters, digits and hyphens, no underscore. */
  readonly secret: string;
  /** A version of it. @default the newest, looked up again at every refresh */
  readonly version?: string;
}

/** An S3-compatible bucket. */
export interface S3Connection {
  readonly type: "s3";
  /** Address of the store, `https://…`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** @default "us-east-1", which stores without regions take */
  readonly region?: string;
  readonly accessKeyId: VaultSecret;
  readonly secretAccessKey: VaultSecret;
}

/** A container of an Azure storage account. */
export interface AzureBlobConnection {
  readonly type: "azure-blob";
  /** Storage account, 3 to 24 of a-z and 0-9. */
  readonly account: string;
  readonly container: string;
  readonly accessKey: VaultSecret;
}

/** An address that holds its own credential, or needs none: kept in the vault, since nobody can tell which. */
export interface UriConnection {
  readonly type: "uri";
  readonly uri: VaultSecret;
}

/** A registry that holds models as images. */
export interface OciConnection {
  readonly type: "oci";
  /** Host of the registry, with a port where needed. */
  readonly registry: string;
  /** The vault's secret with the docker configuration (JSON). */
  readonly dockerConfig: VaultSecret;
}

/** A connection of OpenShift AI. */
export type Connection = S3Connection | AzureBlobConnection | UriConnection | OciConnection;

/** A connection as models and pipelines name it. A {@link DataConnection} is one. */
export interface ConnectionRef {
  /** Name of the connection, and of the Secret that External Secrets makes. */
  readonly connectionName: string;
  readonly connection: Connection;
  /** What to wait for until its values are there, where it is of the same stack. */
  readonly synced?: Resource;
}

/** What the Secret of a connection holds: from the vault by key, and in the open. */
export interface ConnectionKeys {
  readonly fromVault: Readonly<Record<string, VaultSecret>>;
  readonly plain: Readonly<Record<string, string>>;
}

/**
 * The keys of each kind, as KServe, pipelines and notebooks read them. Pure.
 * Source: github.com/opendatahub-io/odh-dashboard (connection types s3, uri-v1, oci-v1), kserve pkg/credentials/azure
 */
export function connectionKeys(connection: Connection): ConnectionKeys {
  switch (connection.type) {
    case "s3":
      return {
        fromVault: {
          AWS_ACCESS_KEY_ID: connection.accessKeyId,
          AWS_SECRET_ACCESS_KEY: connection.secretAccessKey,
        },
        plain: {
          AWS_S3_ENDPOINT: connection.endpoint,
          AWS_S3_BUCKET: connection.bucket,
          AWS_DEFAULT_REGION: connection.region ?? "us-east-1",
        },
      };
    case "azure-blob":
      return {
        fromVault: { AZURE_STORAGE_ACCESS_KEY: connection.accessKey },
        plain: { AZURE_STORAGE_ACCOUNT: connection.account, AZURE_STORAGE_CONTAINER: connection.container },
      };
    case "uri":
      return { fromVault: { URI: connection.uri }, plain: {} };
    case "oci":
      return {
        fromVault: { ".dockerconfigjson": connection.dockerConfig },
        plain: { ACCESS_TYPE: '["Pull"]', OCI_HOST: connection.registry },
      };
  }
}

/** How the dashboard knows each kind: its type, and the protocol behind it. */
const known: Record<Connection["type"], { readonly ref: string; readonly protocol: string }> = {
  s3: { ref: "s3", protocol: "s3" },
  "azure-blob": { ref: "azure-blob", protocol: "azure-blob" },
  uri: { ref: "uri-v1", protocol: "uri" },
  oci: { ref: "oci-v1", protocol: "oci" },
};

/** Annotations by which the dashboard, KServe's companion controller and pipelines know a connection. Pure. */
export function connectionAnnotations(connection: Connection, displayName: string): Record<string, string> {
  const { ref, protocol } = known[connection.type];
  return {
    "opendatahub.io/connection-type": ref,
    "opendatahub.io/connection-type-ref": ref,
    "opendatahub.io/connection-type-protocol": protocol,
    "openshift.io/display-name": displayName,
  };
}

/** Type of the Secret that holds a connection. Pure. */
export function connectionSecretType(connection: Connection): string {
  return connection.type === "oci" ? "kubernetes.io/dockerconfigjson" : "Opaque";
}

/** Everything that is wrong with a connection. Pure. */
export function connectionProblems(field: string, connection: Connection): FieldProblem[] {
  const { fromVault, plain } = connectionKeys(connection);
  return [
    ...Object.entries(fromVault).flatMap(([key, { secret, version }]) => [
      nameProblem("secret", `${field} (${key})`, secret),
      version !== undefined && !/^[0-9a-f]{32}$/.test(version)
        ? { field: `${field} (${key})`, message: `has version "${version}"; 32 hex digits are one` }
        : undefined,
    ]),
    ...Object.entries(plain).map(([key, value]) =>
      value.trim() === "" || value.includes("{{")
        ? { field: `${field} (${key})`, message: `is ${JSON.stringify(value)}, which is no value of it` }
        : undefined,
    ),
    ...formProblems(field, connection),
  ].filter((problem) => problem !== undefined);
}

function formProblems(field: string, connection: Connection): (FieldProblem | undefined)[] {
  switch (connection.type) {
    case "s3":
      return [
        /^https?:\/\/[^\s/]+$/.test(connection.endpoint)
          ? undefined
          : {
              field: `${field}.endpoint`,
              message: `"${connection.endpoint}" is no address such as https://s3.example.com`,
            },
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(connection.bucket)
          ? undefined
          : {
              field: `${field}.bucket`,
              message: `"${connection.bucket}" is no bucket: 3 to 63 of a-z, 0-9, hyphen, dot`,
            },
      ];
    case "azure-blob":
      return [
        nameProblem("storageAccount", `${field}.account`, connection.account),
        /^[a-z0-9](?:-?[a-z0-9]){2,62}$/.test(connection.container)
          ? undefined
          : {
              field: `${field}.container`,
              message: `"${connection.container}" is no container: 3 to 63 of a-z, 0-9, hyphen`,
            },
      ];
    case "uri":
      return [];
    case "oci":
      return [
        /^[a-z0-9][a-z0-9.-]*(?::\d+)?$/.test(connection.registry)
          ? undefined
          : { field: `${field}.registry`, message: `"${connection.registry}" is no host of a registry` },
      ];
  }
}
