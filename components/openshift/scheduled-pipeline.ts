import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  output,
  type Resource,
} from "@pulumi/pulumi";
import type { ComputeResources } from "../shared/compute.ts";
import type { Tags } from "../shared/tags.ts";

/** Arguments of {@link ScheduledPipeline}. */
export interface ScheduledPipelineArgs {
  /** Name of the schedule, 1 to 40 characters of a-z, 0-9 and hyphens, first a letter. */
  readonly scheduleName: string;
  /** Namespace of the project it belongs to. */
  readonly namespace: Input<string>;
  readonly tags: Tags;
  /** The pipeline server: its name, and the address of its API within the cluster. */
  readonly server: { readonly name: Input<string>; readonly apiUrl: Input<string> };
  /** What is run, by the names under which the server knows it. */
  readonly pipeline: {
    readonly name: string;
    /** Name of the version. @default the newest at the time of each run */
    readonly version?: string;
  };
  /** Name of the experiment the runs belong to. @default "Default" */
  readonly experiment?: string;
  /** Parameters of each run, as the pipeline declares them. Never a secret. @default none */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** When it runs: five fields (minute, hour, day of the month, month, day of the week) or @hourly, @daily… */
  readonly schedule: string;
  /** Time zone of the schedule, an IANA name. @default "Etc/UTC" */
  readonly timeZone?: string;
  /** Whether it fires at all. @default true */
  readonly enabled?: boolean;
  /** What happens when a submission still goes on at the next time: forbid skips, replace breaks it off. @default "Forbid" */
  readonly concurrency?: "Allow" | "Forbid" | "Replace";
  /**
   * How late a missed run is still submitted, in seconds, 10 to 86,400; `none` leaves a missed run out unless less than ten
   * seconds late. @default "none"
   */
  readonly catchUp?: "none" | { readonly seconds: number };
  /** How many finished submissions stay to be looked at, 0 to 20 each. @default { succeeded: 3, failed: 3 } */
  readonly history?: { readonly succeeded: number; readonly failed: number };
  /** Image by digest that submits the run: anything with Node 20 or newer. */
  readonly image: string;
  /** What the submission asks for and may use at most. @default 50m to 500m of a core, 64 to 256 MiB */
  readonly resources?: ComputeResources;
  /** What must be made first: the pipeline server. @default nothing but what the arguments come from */
  readonly after?: readonly Resource[];
}

/** A pipeline that runs by the clock. */
export class ScheduledPipeline extends ComponentResource {
  /** Name of the CronJob; another definition has another one. */
  readonly cronJobName: Output<string>;

  constructor(name: string, args: ScheduledPipelineArgs, options?: ComponentResourceOptions) {
    super("kiln:openshift:ScheduledPipeline", name, {}, options);
    this.cronJobName = output(args.scheduleName);
    this.registerOutputs({ cronJobName: this.cronJobName });
  }
}
