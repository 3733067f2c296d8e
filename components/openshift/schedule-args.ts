import type { Resource } from "@pulumi/pulumi";
import type { Tags } from "../shared/tags.ts";
import type { ContainerResources } from "./container.ts";
import type { ProjectPlace } from "./place.ts";

/** Arguments of {@link ScheduledPipeline}. */
export interface ScheduledPipelineArgs {
  /** The project it belongs to. */
  readonly project: ProjectPlace;
  /** Name of the schedule, and of its service account: a DNS label of at most 40 characters. */
  readonly scheduleName: string;
  readonly tags: Tags;
  /** The pipeline server; a {@link PipelineServer} is told by its `serverName` and `apiUrl`. */
  readonly server: { readonly name: string; readonly apiUrl: string };
  /** What is run, by the names under which the server knows it. */
  readonly pipeline: {
    readonly name: string;
    /** Name of the version. @default the newest at the time of each run */
    readonly version?: string;
  };
  /** Experiment that the runs belong to; made when there is none. @default "Default" */
  readonly experiment?: string;
  /** Parameters of each run, as the pipeline declares them. Never a secret. @default none */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** When it runs: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly. */
  readonly schedule: string;
  /** Time zone of the schedule, an IANA name. @default "Etc/UTC" */
  readonly timeZone?: string;
  /** Whether it fires. @default true */
  readonly enabled?: boolean;
  /**
   * What happens when a run of this schedule is still under way at the next time: Forbid leaves the next one out, Replace
   * breaks the old one off, Allow runs both. @default "Forbid"
   */
  readonly concurrency?: "Allow" | "Forbid" | "Replace";
  /**
   * How late a missed run is still submitted, in seconds, 60 to 604,800; of several missed ones it is the last alone. `none`:
   * a minute. @default "none"
   */
  readonly catchUp?: "none" | { readonly seconds: number };
  /** How many submissions stay to be looked at, 0 to 20 each. The runs stay in the pipeline server. @default 3 each */
  readonly history?: { readonly succeeded: number; readonly failed: number };
  /** Image by digest that submits the run: any with Node 20 or newer. */
  readonly image: string;
  /** What the submission asks for and may use at most. @default 0.05 to 0.5 cores, 1/16 to 1/4 GiB */
  readonly size?: ContainerResources;
  /** What must be made first: the pipeline server. @default what guards the project */
  readonly after?: readonly Resource[];
}
