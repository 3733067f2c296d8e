import type { FieldProblem } from "../../shared/validation.ts";

/** A repository as people name it: `owner/name`. */
export interface RepositoryName {
  /** The person or organization that it belongs to. */
  readonly owner: string;
  readonly name: string;
}

/** One or more. */
export type NonEmpty<T> = readonly [T, ...T[]];

const ownerPattern = /^[A-Za-z0-9](?:-?[A-Za-z0-9])*$/;
const namePattern = /^[A-Za-z0-9._-]+$/;

/** Reads `owner/name`; undefined when it is none. Pure. */
export function parseRepository(text: string): RepositoryName | undefined {
  const [owner = "", name = "", ...more] = text.split("/");
  const right = ownerProblem("owner", owner) === undefined && repositoryProblem("name", name) === undefined;
  return right && more.length === 0 ? { owner, name } : undefined;
}

/** What is wrong with the name of a person or an organization, or undefined. Pure. */
export function ownerProblem(field: string, owner: string): FieldProblem | undefined {
  if (owner.length <= 39 && ownerPattern.test(owner)) return undefined;
  return { field, message: `${JSON.stringify(owner)} is not 1 to 39 letters, digits and single hyphens` };
}

/** What is wrong with the name of a repository, without its owner, or undefined. Pure. */
export function repositoryProblem(field: string, name: string): FieldProblem | undefined {
  const reserved = name === "." || name === ".." || name.endsWith(".git");
  if (name.length <= 100 && namePattern.test(name) && !reserved) return undefined;
  return { field, message: `${JSON.stringify(name)} is not 1 to 100 letters, digits, - . and _` };
}

/** What is wrong with the name of an environment, or undefined. Pure. Colons are part of how OIDC subjects are cut. */
export function environmentProblem(field: string, name: string): FieldProblem | undefined {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(name)) return undefined;
  return { field, message: `${JSON.stringify(name)} is not 1 to 255 letters, digits, - . and _` };
}

/**
 * What is wrong with the name of a variable, or undefined. Pure.
 * Source: docs.github.com/actions/reference/workflows-and-actions/variables (naming conventions)
 */
export function variableProblem(field: string, name: string): FieldProblem | undefined {
  if (/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/.test(name)) return undefined;
  return { field, message: `${JSON.stringify(name)} is not capitals, digits and _ (and not GITHUB_…)` };
}
