import type { Resource } from "@pulumi/pulumi";
import type { Tags } from "../shared/tags.ts";
import type { ConnectionRef } from "./connection.ts";
import type { ContainerResources } from "./container.ts";
import type { ProjectPlace } from "./place.ts";

/** Arguments of {@link Notebook}. */
export interface NotebookArgs {
  /** The project it belongs to. */
  readonly project: ProjectPlace;
  /**
   * Name of the notebook, and so of its container, its volume and its Service: a DNS label of at most 52 characters, since
   * its pod's name is longer.
   */
  readonly notebookName: string;
  readonly tags: Tags;
  /** What the dashboard calls it. @default the notebook's name */
  readonly displayName?: string;
  /** Image by digest, `registry/path@sha256:<64 hex digits>`. */
  readonly image: string;
  /** What the dashboard shows as the chosen image, `<image stream>:<tag>`. @default nothing: a custom image */
  readonly imageSelection?: string;
  /** What it asks for and may use at most. */
  readonly size: ContainerResources;
  /** Its home, kept when it is stopped. */
  readonly storage: {
    /** Size of the volume in whole GiB, 1 to 10,000. It can grow later, never shrink. */
    readonly sizeGib: number;
    /** Storage class. @default the cluster's */
    readonly storageClass?: string;
  };
  /**
   * Shared memory, `/dev/shm`, in GiB above 0, for data loaders that hand tensors on. What is in it counts against the memory
   * limit. @default a quarter of the memory limit
   */
  readonly sharedMemoryGib?: number;
  /** Data connections, whose keys become environment variables. @default none */
  readonly connections?: readonly ConnectionRef[];
  /** Further environment variables. Never a secret. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * How people get in. `auth` is the gateway with kube-rbac-proxy of OpenShift AI 3, `oauth` the proxy of 2.x, which also has to
   * be let out to the cluster's OAuth server.
   * @default "auth"
   */
  readonly login?: "auth" | "oauth";
  /** Whether it runs. @default { state: "running" } */
  readonly run?: NotebookRun;
  /** Name of Kueue's LocalQueue that admits its pod. @default none */
  readonly queue?: string;
  /** What must be made first, such as its connections' values. @default what guards the project */
  readonly after?: readonly Resource[];
}

/**
 * Whether a notebook runs. A stopped one says since when, so that every run of the program says the same. OpenShift AI 3 holds each
 * new notebook back by the same annotation, under a value of its own, and takes it away when it has set the notebook up: one that is
 * made stopped is started by that, and stopped by the next run.
 * Source: opendatahub-io/kubeflow odh-notebook-controller (InjectReconciliationLock)
 */
export type NotebookRun =
  | {
      readonly state: "running";
      /**
       * Whether to wait until it is ready. The platform may stop a notebook that nobody uses, for the whole cluster and after
       * a time that is set there; such a one never gets ready until a person starts it again. @default true
       */
      readonly wait?: boolean;
    }
  | {
      readonly state: "stopped";
      /** When it was stopped, in UTC, like `2026-03-01T12:00:00Z`. */
      readonly since: string;
    };
