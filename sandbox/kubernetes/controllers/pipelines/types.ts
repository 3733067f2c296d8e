import type { Condition, KubeObject, Resources } from "../runtime/objects.ts";

interface Part {
  readonly deploy?: boolean;
  readonly image?: string;
  readonly resources?: Resources;
}

export interface PipelineServerSpec {
  readonly dspVersion?: string;
  readonly podToPodTLS?: boolean;
  readonly apiServer?: Part & { readonly enableOauth?: boolean };
  readonly persistenceAgent?: Part;
  readonly scheduledWorkflow?: Part;
  readonly workflowController?: Part;
  readonly mlmd?: { readonly deploy?: boolean };
  readonly database?: {
    readonly disableHealthCheck?: boolean;
    readonly externalDB?: {
      readonly host: string;
      readonly port: string;
      readonly username: string;
      readonly pipelineDBName: string;
      readonly passwordSecret: { readonly name: string; readonly key: string };
    };
    readonly mariaDB?: Part & { readonly pvcSize?: string; readonly storageClassName?: string };
  };
  readonly objectStorage: {
    readonly disableHealthCheck?: boolean;
    readonly externalStorage?: {
      readonly host: string;
      readonly port?: string;
      readonly bucket: string;
      readonly scheme: string;
      readonly s3CredentialsSecret: {
        readonly secretName: string;
        readonly accessKey: string;
        readonly secretKey: string;
      };
    };
    readonly minio?: Part & { readonly pvcSize?: string; readonly storageClassName?: string };
  };
}

export interface PipelineServerStatus {
  readonly conditions?: readonly Condition[];
  readonly components?: {
    readonly apiServer?: { readonly url?: string; readonly externalUrl?: string };
    readonly mlmdProxy?: { readonly url?: string; readonly externalUrl?: string };
  };
}

/** A DataSciencePipelinesApplication. */
export interface PipelineServer extends KubeObject {
  readonly spec: PipelineServerSpec;
  readonly status?: PipelineServerStatus;
}
