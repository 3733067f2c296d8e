import type { GitHub } from "./http.ts";
import type { Repository } from "./state.ts";

/** One rule of a ruleset, as GitHub spells it. */
export interface Rule {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A ruleset as the sandbox keeps it. */
export interface Ruleset {
  readonly id: number;
  readonly name: string;
  readonly target: "branch" | "tag" | "push";
  readonly enforcement: "active" | "disabled" | "evaluate";
  readonly bypassActors: readonly Readonly<Record<string, unknown>>[];
  readonly conditions: {
    readonly ref_name?: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  };
  readonly rules: readonly Rule[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The rules in force for a ref. Nobody bypasses them here. */
export function rulesFor({ repositories }: GitHub, repository: Repository, ref: string): Rule[] {
  return repositories
    .children<Ruleset>("github-rulesets", repository.id)
    .map(([, ruleset]) => ruleset)
    .filter(({ enforcement, target }) => enforcement === "active" && isOfTarget(ref, target))
    .filter((ruleset) => applies(ruleset, repository, ref))
    .flatMap(({ rules }) => rules);
}

function isOfTarget(ref: string, target: Ruleset["target"]): boolean {
  return target === "branch"
    ? ref.startsWith("refs/heads/")
    : target === "tag" && ref.startsWith("refs/tags/");
}

function applies({ conditions }: Ruleset, repository: Repository, ref: string): boolean {
  const { include = [], exclude = [] } = conditions.ref_name ?? {};
  const matches = (pattern: string): boolean => {
    if (pattern === "~ALL") return true;
    if (pattern === "~DEFAULT_BRANCH") return ref === `refs/heads/${repository.defaultBranch}`;
    return matchesPattern(ref, pattern);
  };
  return include.some(matches) && !exclude.some(matches);
}

/** `fnmatch` as GitHub uses it for refs: a star stops at a slash, two do not. */
export function matchesPattern(text: string, pattern: string): boolean {
  const source = pattern
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => {
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      if (part.startsWith("**")) return ".*";
      return part.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`).test(text);
}
