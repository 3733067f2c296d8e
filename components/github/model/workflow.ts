/**
 * A workflow of GitHub Actions, typed so that what a review would refuse does not compile: a job without permissions or a time
 * limit, an action by its tag, a step that both runs and uses, triggers that hand secrets to strangers. The types of
 * `@github-actions-workflow-ts/lib`, made from the JSON schema of workflows, take all of these.
 */
import type { PinnedAction } from "./actions.ts";
import type { NonEmpty } from "./names.ts";

/** A right that a job is given, and what for. */
export interface Grant<Level extends "read" | "write"> {
  readonly level: Level;
  /** Stands beside it in the file. */
  readonly why: string;
}

/** A right with its reason. */
export function because<Level extends "read" | "write">(level: Level, why: string): Grant<Level> {
  return { level, why };
}

/** What a job's token may do, scope by scope. What is not named it may not; what is more than to check out has a reason. */
export interface Permissions {
  readonly actions?: Grant<"read" | "write">;
  readonly checks?: Grant<"read" | "write">;
  readonly contents?: "read" | Grant<"write">;
  readonly deployments?: Grant<"read" | "write">;
  /** Lets a job prove by OpenID who it is. */
  readonly "id-token"?: Grant<"write">;
  readonly issues?: Grant<"read" | "write">;
  readonly packages?: Grant<"read" | "write">;
  readonly "pull-requests"?: Grant<"read" | "write">;
  readonly "security-events"?: Grant<"read" | "write">;
  readonly statuses?: Grant<"read" | "write">;
}

/** Variables of a process. Expressions belong here, never into a script. */
export type Variables = { readonly [name: string]: string };

interface AnyStep {
  readonly name: string;
  /** By what later steps name it. */
  readonly id?: string;
  /** An expression without its braces. */
  readonly if?: string;
  readonly env?: Variables;
  readonly "continue-on-error"?: boolean;
}

/** A step that runs a script of bash. */
export interface RunStep extends AnyStep {
  /** Made by {@link script}, which takes no expression. */
  readonly run: Script;
  readonly "working-directory"?: string;
  readonly uses?: never;
  readonly with?: never;
}

/** A step that uses an action. */
export interface UsesStep extends AnyStep {
  readonly uses: PinnedAction;
  readonly with?: { readonly [input: string]: string | number | boolean };
  readonly run?: never;
}

export type Step = RunStep | UsesStep;

/** What GitHub puts a value in for: `expression("github.actor")` is `${{ github.actor }}`. */
export function expression<const Text extends string>(text: Text): `\${{ ${Text} }}` {
  return `\${{ ${text} }}`;
}

declare const checked: unique symbol;
/** Lines of bash without expressions. */
export type Script = string & { readonly [checked]: true };

type WithoutExpression<Lines extends readonly string[]> = {
  readonly [At in keyof Lines]: Lines[At] extends `${string}\${{${string}` ? never : Lines[At];
};

/**
 * A script. An expression in it would be pasted into the text before bash reads it, so that whoever chooses a branch's name or
 * an input could write commands; values come by `env`.
 * @throws Error when a line holds an expression that the types could not see
 */
export function script<const Lines extends NonEmpty<string>>(...lines: WithoutExpression<Lines>): Script {
  const text = (lines as readonly string[]).join("\n");
  if (text.includes("${{")) throw new Error(`a script holds an expression; pass it by env: ${text}`);
  return text as Script;
}

/** Runs of one group wait for one another. A run that works on an environment is never cancelled for a newer one. */
export interface Concurrency {
  readonly group: string;
  readonly "cancel-in-progress": boolean;
}

/** A job. `Names` are the jobs of its workflow. */
export interface Job<Names extends string = string> {
  readonly name: string;
  readonly "runs-on": "ubuntu-24.04" | "ubuntu-latest";
  /** All that its token may do; `{}` for nothing. */
  readonly permissions: Permissions;
  /** Minutes after which it is ended. */
  readonly "timeout-minutes": number;
  readonly needs?: readonly Names[];
  /** An expression without its braces. */
  readonly if?: string;
  /** An environment that GitHub does not know yet springs into being without protection: check it before. */
  readonly environment?: string;
  readonly concurrency?: Concurrency;
  readonly strategy?: {
    readonly "fail-fast": boolean;
    readonly matrix: { readonly [name: string]: NonEmpty<string> };
  };
  readonly env?: Variables;
  readonly outputs?: Variables;
  readonly steps: NonEmpty<Step>;
}

/** An input of a run that is started by hand. */
export type Input = { readonly description: string; readonly required?: boolean } & (
  | { readonly type: "choice"; readonly options: NonEmpty<string>; readonly default?: string }
  | { readonly type: "string"; readonly default?: string; readonly options?: never }
  | { readonly type: "boolean"; readonly default?: boolean; readonly options?: never }
);

type Branches =
  | { readonly branches?: NonEmpty<string>; readonly "branches-ignore"?: never }
  | { readonly "branches-ignore"?: NonEmpty<string>; readonly branches?: never };
type Paths =
  | { readonly paths?: NonEmpty<string>; readonly "paths-ignore"?: never }
  | { readonly "paths-ignore"?: NonEmpty<string>; readonly paths?: never };

/**
 * What starts a workflow. `pull_request_target` and `workflow_run` are left out: they run with the rights of the base
 * repository on what a stranger may have chosen.
 */
export interface Triggers {
  readonly workflow_dispatch?: { readonly inputs?: { readonly [name: string]: Input } };
  readonly workflow_call?: { readonly inputs?: { readonly [name: string]: Input } };
  readonly push?: Branches & Paths & { readonly tags?: NonEmpty<string> };
  readonly pull_request?: Branches & Paths & { readonly types?: NonEmpty<string> };
  readonly release?: { readonly types: NonEmpty<"published" | "created" | "released"> };
  /** Times in UTC. */
  readonly schedule?: NonEmpty<{ readonly cron: string }>;
}

/** A workflow. Its token may do nothing but what a job asks for. */
export interface Workflow<Names extends string = string> {
  readonly name: string;
  readonly "run-name"?: string;
  readonly on: Triggers;
  readonly concurrency?: Concurrency;
  readonly env?: Variables;
  readonly jobs: { readonly [Name in Names]: Job<NoInfer<Names>> };
}

/** A workflow whose jobs need none but its own. Does nothing; the types do. */
export function workflow<Names extends string>(definition: Workflow<Names>): Workflow<Names> {
  return definition;
}
