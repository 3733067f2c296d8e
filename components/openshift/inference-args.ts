import type { Tags } from "../shared/tags.ts";
import type { ContainerResources } from "./container.ts";
import type { ModelSource } from "./model-source.ts";
import type { ProjectPlace } from "./place.ts";
import type { ModelFormat, RuntimeRef } from "./serving-runtime.ts";
import type { Subjects } from "./subjects.ts";

/** How many copies of a model run. */
export interface Replicas {
  /** 1 to 100. Not 0: see {@link InferenceServiceArgs.stopped}. */
  readonly min: number;
  /** From `min` to 100. @default `min`, that is, no scaling */
  readonly max?: number;
  /** What scaling goes by, when `max` is above `min`. @default processor, 80 percent of what is requested */
  readonly scaling?: {
    /** Of these two the server's autoscaler knows without anything besides. */
    readonly metric: "cpu" | "memory";
    /** Use of what is requested, in percent, 1 to 100. */
    readonly targetPercent: number;
  };
}

/** A second version of the model that gets a part of the traffic. */
export interface Canary {
  readonly source: ModelSource;
  /** Part of the calls, whole percent, 1 to 99. */
  readonly percent: number;
  /** Copies of it. @default 1 */
  readonly replicas?: number;
}

/**
 * Callers need a token, and may call when they may `get` the model. Whoever edits or views the project may; others are named
 * here. Without others nothing is made for it.
 */
export interface TokenAuth {
  /** Who else may call. @default nobody */
  readonly callers?: Subjects;
  /** Whether to make a service account for callers, of which a token is taken for a while. @default false */
  readonly account?: boolean;
}

/** Whether callers need a token and the model is reachable from outside; outside without a token must be said. */
export type Access =
  | { readonly exposed?: false /** @default "none" */; readonly auth?: TokenAuth | "none" }
  | { readonly exposed: true; readonly auth: TokenAuth | "none" };

/** Arguments of {@link InferenceService}. */
export interface InferenceServiceArgs {
  readonly project: ProjectPlace;
  /** Name of the model: a DNS label of at most 53 characters; with the namespace at most 62 where it is exposed. */
  readonly modelName: string;
  /** What the dashboard shows. @default the name */
  readonly displayName?: string;
  readonly tags: Tags;
  readonly runtime: RuntimeRef;
  readonly format: ModelFormat;
  readonly source: ModelSource;
  readonly resources: ContainerResources;
  /** @default one copy */
  readonly replicas?: Replicas;
  /** Arguments for the runtime beyond its own. @default none */
  readonly args?: readonly string[];
  /** Not for secrets: these stand in the cluster in the open. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default reachable within the project, without a token */
  readonly access?: Access;
  /** Name of the service account that the model runs as. @default the namespace's own */
  readonly serviceAccount?: string;
  /**
   * Part of the traffic for a second version. KServe in Standard mode before 0.20 ignores `canaryTrafficPercent` without a word
   * (kserve#5335): here it is a second InferenceService, and one Route of OpenShift with weights before both; so it needs
   * `access.exposed`. @default none
   */
  readonly canary?: Canary;
  /** Whether it stands still: nothing runs, everything is kept. @default false */
  readonly stopped?: boolean;
  /**
   * How a new version takes over: beside the old one, or after it, which needs no room for both. After it, a change of the number of
   * copies between which load decides is waited for in vain (see `deploymentStrategy`). @default "rolling"
   */
  readonly rollout?: "rolling" | "recreate";
  /** Seconds after which a call is given up, 1 to 3600. @default KServe's own, 60 */
  readonly timeoutSeconds?: number;
  /** Name of Kueue's LocalQueue that admits its pods. @default none */
  readonly queue?: string;
  /** Seconds to wait until it is ready, 10 to 7200. @default 600: a large model loads for minutes */
  readonly patienceSeconds?: number;
}
