import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import type { Tags } from "../shared/tags.ts";

/** Arguments of {@link PipelineServer}. */
export interface PipelineServerArgs {
  /** Name of the application; a project has one. 1 to 40 characters of a-z, 0-9 and hyphens. @default "dspa" */
  readonly serverName?: string;
  /** Namespace of the project it belongs to. */
  readonly namespace: Input<string>;
  readonly tags: Tags;
  /** The database it keeps its runs in. A server of its own would be lost with the project: always an external one. */
  readonly database: PipelineDatabase;
  /** The bucket it keeps artifacts in, reached with the keys of a data connection. */
  readonly storage: PipelineStorage;
  /** Where pipelines and their versions are kept: as objects of the cluster, or in the database. @default "database" */
  readonly pipelineStore?: "database" | "kubernetes";
  /** Whether a step that ran with the same inputs may be taken over from an earlier run. @default true */
  readonly caching?: boolean;
  /** What must be made first: the Secrets. @default nothing but what the arguments come from */
  readonly after?: readonly Resource[];
}

/** An external MariaDB or MySQL 8. */
export interface PipelineDatabase {
  /** Host name. */
  readonly host: Input<string>;
  /** TCP port. @default 3306 */
  readonly port?: number;
  /** Name of the database. */
  readonly name: string;
  readonly username: string;
  /** Secret of the namespace that holds the password, and its key in there. */
  readonly password: { readonly secretName: Input<string>; readonly key: string };
  /** Whether the connection is encrypted. @default true */
  readonly tls?: boolean;
}

/** An external object storage that speaks S3. */
export interface PipelineStorage {
  /** Host name without a scheme. */
  readonly host: Input<string>;
  readonly bucket: Input<string>;
  /** Region as the storage names it. @default "us-east-1", what storages without regions take */
  readonly region?: string;
  /** Folder in the bucket. @default the bucket itself */
  readonly basePath?: string;
  /** Secret of a data connection. Its keys. */
  readonly credentials: {
    readonly secretName: Input<string>;
    /** @default "AWS_ACCESS_KEY_ID" */
    readonly accessKey?: string;
    /** @default "AWS_SECRET_ACCESS_KEY" */
    readonly secretKey?: string;
  };
}

/** The pipeline server of a project: Kubeflow Pipelines 2 with external database and storage. */
export class PipelineServer extends ComponentResource {
  /** Name of the application. */
  readonly serverName: Output<string>;
  /** Address of its API within the cluster, `https://ds-pipeline-<name>.<namespace>.svc.cluster.local:8443`. */
  readonly apiUrl: Output<string>;
  /** What to wait for: ready when the API answers. */
  readonly server: CustomResource;

  constructor(name: string, args: PipelineServerArgs, options?: ComponentResourceOptions) {
    super("kiln:openshift:PipelineServer", name, {}, options);
    this.server = new CustomResource(
      name,
      {
        apiVersion: "datasciencepipelinesapplications.opendatahub.io/v1",
        kind: "DataSciencePipelinesApplication",
        metadata: { name: args.serverName ?? "dspa", namespace: args.namespace },
      },
      { parent: this },
    );
    this.serverName = this.server.metadata.name;
    this.apiUrl = this.server.metadata.apply(
      (metadata) => `https://ds-pipeline-${metadata.name}.${metadata.namespace}.svc.cluster.local:8443`,
    );
    this.registerOutputs({ serverName: this.serverName, apiUrl: this.apiUrl });
  }
}
