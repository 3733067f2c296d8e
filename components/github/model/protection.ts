/** What stands between a workflow and an environment. */
import { type FieldProblem, rangeProblem } from "../../shared/validation.ts";
import type { NonEmpty } from "./names.ts";

/** Who may approve: a person or a team, by number. GitHub's REST API calls these `id`. */
export type Reviewer =
  | { readonly user: number; readonly team?: never }
  | { readonly team: number; readonly user?: never };

/** GitHub takes six reviewers; one of them has to approve. */
export type OneToSix<T> =
  | readonly [T]
  | readonly [T, T]
  | readonly [T, T, T]
  | readonly [T, T, T, T]
  | readonly [T, T, T, T, T]
  | readonly [T, T, T, T, T, T];

/** Whether someone, or some time, stands before each run. */
export type Gate =
  /** Nobody. */
  | {
      readonly gate: "open";
      readonly reviewers?: never;
      readonly preventSelfReview?: never;
      readonly waitMinutes?: never;
    }
  /** Time only. */
  | {
      readonly gate: "wait";
      /** 1 to 43,200 minutes, which is 30 days. */
      readonly waitMinutes: number;
      readonly reviewers?: never;
      readonly preventSelfReview?: never;
    }
  /** Somebody has to approve. */
  | {
      readonly gate: "review";
      readonly reviewers: OneToSix<Reviewer>;
      /** Whether whoever started a run may not approve it. @default true */
      readonly preventSelfReview?: boolean;
      /** Minutes to wait as well, 0 to 43,200. @default 0 */
      readonly waitMinutes?: number;
    };

/** From where it can be reached. GitHub knows protected branches or patterns, never both. */
export type Refs =
  | { readonly from: "anywhere"; readonly branches?: never; readonly tags?: never }
  /** Branches with a protection rule. A repository without any rule counts every branch as one. */
  | { readonly from: "protected-branches"; readonly branches?: never; readonly tags?: never }
  /** Branches and tags whose names match, such as `release/*`. */
  | {
      readonly from: "matching";
      readonly branches: NonEmpty<string>;
      readonly tags?: readonly string[];
    }
  | { readonly from: "matching"; readonly branches?: readonly string[]; readonly tags: NonEmpty<string> };

/** The whole protection of an environment. */
export type Protection = Gate &
  Refs & {
    /** Whether administrators of the repository may skip it. @default false */
    readonly adminsBypass?: boolean;
  };

const longestWait = 43_200;

/** Everything that is wrong with a protection; for callers that got round the types as well. Pure. */
export function protectionProblems(field: string, protection: Protection): FieldProblem[] {
  const loose: Loose = protection;
  const { gate, from, reviewers = [], waitMinutes, branches = [], tags = [] } = loose;
  const problems: (FieldProblem | undefined)[] = [];
  const say = (part: string, message: string) => problems.push({ field: `${field}.${part}`, message });
  if (gate !== "open" && gate !== "wait" && gate !== "review")
    say("gate", "is none of open, wait and review");
  if (gate === "review") {
    if (reviewers.length < 1 || reviewers.length > 6)
      say("reviewers", `are ${reviewers.length}; a gate of review has 1 to 6`);
    problems.push(rangeProblem(`${field}.waitMinutes`, waitMinutes ?? 0, 0, longestWait, "minutes"));
  } else {
    if (reviewers.length > 0) say("reviewers", `are given, but gate is ${gate}; reviewers need gate: review`);
    if (loose.preventSelfReview !== undefined)
      say("preventSelfReview", `is given, but gate is ${gate}; there is no review to prevent`);
  }
  if (gate === "wait")
    problems.push(rangeProblem(`${field}.waitMinutes`, waitMinutes ?? 0, 1, longestWait, "minutes"));
  if (gate === "open" && waitMinutes !== undefined)
    say("waitMinutes", "is given, but gate is open; waiting needs gate: wait");
  reviewers.forEach((reviewer, index) => {
    const { user, team } = reviewer as { user?: unknown; team?: unknown };
    if ((user === undefined) === (team === undefined))
      say(`reviewers[${index}]`, "is not exactly one of user and team");
    else if (!isId(user ?? team)) say(`reviewers[${index}]`, "is not the number of a user or a team");
  });
  if (from === "matching") {
    if (branches.length + tags.length === 0)
      say("branches", "and tags are both empty, so that nothing could ever reach it");
    for (const [part, patterns] of Object.entries({ branches, tags }))
      if (patterns.some((pattern) => pattern.trim() === "")) say(part, "have an empty pattern");
  } else if (from !== "anywhere" && from !== "protected-branches") {
    say("from", "is none of anywhere, protected-branches and matching");
  } else if (branches.length + tags.length > 0) {
    say("branches", `or tags are given, but from is ${from}; patterns need from: matching`);
  }
  return problems.filter((problem) => problem !== undefined);
}

/** A protection as someone may have written it who got round the types. */
interface Loose {
  readonly gate: string;
  readonly from: string;
  readonly reviewers?: readonly unknown[];
  readonly preventSelfReview?: boolean;
  readonly waitMinutes?: number;
  readonly branches?: readonly string[];
  readonly tags?: readonly string[];
}

function isId(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** A protection with every default filled in, as the service keeps it. */
export interface ProtectionSettings {
  readonly users: readonly number[];
  readonly teams: readonly number[];
  readonly preventSelfReview: boolean;
  readonly waitMinutes: number;
  readonly adminsBypass: boolean;
  /** Undefined where every branch and tag may. */
  readonly refs: "protected-branches" | "patterns" | undefined;
  readonly branches: readonly string[];
  readonly tags: readonly string[];
}

/** What a protection means, setting by setting. Pure. */
export function protectionSettings(protection: Protection): ProtectionSettings {
  const reviewers: readonly Reviewer[] = protection.reviewers ?? [];
  const { from } = protection;
  return {
    users: reviewers.flatMap(({ user }) => (user === undefined ? [] : [user])),
    teams: reviewers.flatMap(({ team }) => (team === undefined ? [] : [team])),
    preventSelfReview: protection.gate === "review" && (protection.preventSelfReview ?? true),
    waitMinutes: protection.waitMinutes ?? 0,
    adminsBypass: protection.adminsBypass ?? false,
    refs: from === "anywhere" ? undefined : from === "matching" ? "patterns" : from,
    branches: protection.branches ?? [],
    tags: protection.tags ?? [],
  };
}
