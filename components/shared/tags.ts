import type { FieldProblem } from "./validation.ts";

/** The tags every taggable resource carries. A type alias, not an interface: Azure takes it as a plain dictionary. */
export type Tags = {
  /** Environment name, equal to the stack's name. */
  readonly env: string;
  /** The service the resources belong to. */
  readonly service: string;
  /** Repository that holds the program, `owner/name` or an address. */
  readonly repo: string;
  /** Team or person that answers for the environment. */
  readonly owner: string;
  /** Where the cost is booked. */
  readonly costCenter: string;
};

/** The tag names, in the order they are shown. */
export const TAG_NAMES = ["env", "service", "repo", "owner", "costCenter"] as const satisfies (keyof Tags)[];

/** Longest tag value that Azure takes, in characters. */
export const TAG_VALUE_MAX = 256;

/** Builds the five tags and nothing else, whatever else the source object holds. Pure. */
export function makeTags(source: Tags): Tags {
  const { env, service, repo, owner, costCenter } = source;
  return { env, service, repo, owner, costCenter };
}

/** Everything that is wrong with the tags: missing, empty or too long values. Pure. */
export function tagProblems(tags: Partial<Tags>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const name of TAG_NAMES) {
    const value = tags[name];
    if (value === undefined || value.trim() === "") {
      problems.push({ field: `tags.${name}`, message: "is empty; a value is required" });
    } else if (value.length > TAG_VALUE_MAX) {
      problems.push({ field: `tags.${name}`, message: `is longer than ${TAG_VALUE_MAX} characters` });
    }
  }
  return problems;
}
