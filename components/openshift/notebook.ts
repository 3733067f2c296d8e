import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import type { ComputeResources } from "../shared/compute.ts";
import type { Tags } from "../shared/tags.ts";

/** Arguments of {@link Notebook}. */
export interface NotebookArgs {
  /**
   * Name of the notebook, and of its container, its volume and its Service: 1 to 52 characters of a-z, 0-9 and hyphens, first
   * a letter (the StatefulSet's pods add to it).
   */
  readonly notebookName: string;
  /** Namespace of the project it belongs to. */
  readonly namespace: Input<string>;
  readonly tags: Tags;
  /** What the dashboard calls it. @default the notebook's name */
  readonly displayName?: string;
  /** Image by digest, `registry/path@sha256:<64 hex digits>`. */
  readonly image: string;
  /** What the dashboard shows as the chosen image, `<image stream>:<tag>`. @default nothing: a custom image */
  readonly imageSelection?: string;
  /** What it asks for and may use at most. */
  readonly size: ComputeResources;
  /** Its home, kept when it is stopped. */
  readonly storage: {
    /** Size of the volume, for example `20Gi`. It can grow later, never shrink. */
    readonly size: string;
    /** Storage class. @default the cluster's */
    readonly storageClass?: string;
  };
  /** Shared memory, `/dev/shm`, for data loaders that hand tensors on; counts against the memory limit. @default "1Gi" */
  readonly sharedMemory?: string;
  /** Names of the Secrets of data connections, whose keys become environment variables. @default none */
  readonly dataConnections?: readonly Input<string>[];
  /** Further environment variables. Never a secret. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * How people get in. `auth` is the gateway with kube-rbac-proxy of OpenShift AI 3, `oauth` the proxy of 2.x.
   * @default "auth"
   */
  readonly login?: "auth" | "oauth";
  /** Whether it runs. @default { state: "running" } */
  readonly run?: NotebookRun;
  /** What must be made first. @default nothing but what the arguments come from */
  readonly after?: readonly Resource[];
}

/** Whether a notebook runs. A stopped one says since when, so that every run of the program says the same. */
export type NotebookRun =
  | {
      readonly state: "running";
      /** Whether the cluster may stop it when nobody uses it; the platform sets after how long. @default true */
      readonly cullWhenIdle?: boolean;
    }
  | {
      readonly state: "stopped";
      /** When it was stopped, in UTC, like `2026-03-01T12:00:00Z`. */
      readonly since: string;
    };

/** A notebook of OpenShift AI with a home of its own. */
export class Notebook extends ComponentResource {
  /** Name of the object. */
  readonly notebookName: Output<string>;
  /** Name of the claim that is its home. */
  readonly claimName: Output<string>;
  /** What to wait for. */
  readonly notebook: CustomResource;

  constructor(name: string, args: NotebookArgs, options?: ComponentResourceOptions) {
    super("kiln:openshift:Notebook", name, {}, options);
    this.notebook = new CustomResource(
      name,
      {
        apiVersion: "kubeflow.org/v1",
        kind: "Notebook",
        metadata: { name: args.notebookName, namespace: args.namespace },
      },
      { parent: this },
    );
    this.notebookName = this.notebook.metadata.name;
    this.claimName = this.notebook.metadata.name;
    this.registerOutputs({ notebookName: this.notebookName });
  }
}
