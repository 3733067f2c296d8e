import { closest, distance } from "fastest-levenshtein";

/** The kinds of environment; every `pr-<number>` is of the kind `pr`. */
export type EnvironmentKind = "dev" | "staging" | "prod" | "pr";

/** A checked environment name. The stack carries the same name. */
export interface Environment {
  readonly name: string;
  readonly kind: EnvironmentKind;
}

/** The environment names that are allowed, in words. */
export const ENVIRONMENT_NAMES = "dev, staging, prod, pr-<1..999999>";

const FIXED = ["dev", "staging", "prod"] as const;

/**
 * Reads an environment name. Exact: no other letter case, no leading zero, no surrounding space, so that one environment
 * has one name only. Gives undefined for anything else. Pure.
 */
export function parseEnvironment(text: string): Environment | undefined {
  const fixed = FIXED.find((name) => name === text);
  if (fixed !== undefined) return { name: fixed, kind: fixed };
  return /^pr-[1-9]\d{0,5}$/.test(text) ? { name: text, kind: "pr" } : undefined;
}

/** The legal name that is nearest to a wrong one, where there is a plausible one. Pure. */
export function nearestEnvironment(text: string): string | undefined {
  const lower = text.trim().toLowerCase();
  const number = /^pr[-_ #/]*0*([1-9]\d{0,5})$/.exec(lower)?.[1];
  if (number !== undefined) return `pr-${number}`;
  const known: Record<string, string> = {
    production: "prod",
    development: "dev",
    stage: "staging",
    stg: "staging",
  };
  // A pull request without a number that could be one is near to no other environment.
  if (/^pr[^a-z]/.test(lower)) return undefined;
  return known[lower] ?? nearest(lower, FIXED, 2);
}

/** The candidate nearest to a text by edit distance, when no more than `within` edits away. Pure. */
export function nearest(text: string, candidates: readonly string[], within = 3): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(
    text.toLowerCase(),
    [...candidates].map((candidate) => candidate.toLowerCase()),
  );
  const found = candidates.find((candidate) => candidate.toLowerCase() === best);
  return found !== undefined && distance(text.toLowerCase(), best) <= within ? found : undefined;
}
