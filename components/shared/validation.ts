/** One thing that is wrong with the arguments of a component, named by the field the caller wrote. */
export interface FieldProblem {
  /** Path of the field as the caller spells it, for example `vault.softDeleteRetentionDays`. */
  readonly field: string;
  /** What is wrong and what would be right, in plain words, without the field's name. */
  readonly message: string;
}

/** Thrown before any resource is registered, so that a wrong argument never leaves half an environment behind. */
export class ComponentArgumentError extends Error {
  readonly code = "InvalidComponentArguments";
  readonly component: string;
  readonly problems: readonly FieldProblem[];

  constructor(component: string, problems: readonly FieldProblem[]) {
    super(`${component}: ${problems.map((problem) => `${problem.field} ${problem.message}`).join("; ")}`);
    this.name = "ComponentArgumentError";
    this.component = component;
    this.problems = problems;
  }
}

/** The rule a name must obey: its length in characters and its alphabet. */
export interface NameRule {
  readonly min: number;
  readonly max: number;
  readonly pattern: RegExp;
  /** The alphabet in words, for the message. */
  readonly alphabet: string;
}

const hyphenated = /^[a-z0-9](?:-?[a-z0-9])*$/i;

/**
 * Length and alphabet of each name, as Azure enforces them.
 * Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
 */
export const NAME_RULES = {
  resourceGroup: { min: 1, max: 90, pattern: /^[\w.()-]*[\w()-]$/, alphabet: "letters, digits, _ - . ( )" },
  openaiAccount: { min: 2, max: 64, pattern: hyphenated, alphabet: "letters, digits and single hyphens" },
  customSubdomain: { min: 2, max: 64, pattern: /^[a-z0-9](?:-?[a-z0-9])*$/, alphabet: "a-z, 0-9, hyphens" },
  modelDeployment: { min: 2, max: 64, pattern: /^[A-Za-z0-9][\w.-]*$/, alphabet: "letters, digits, _ - ." },
  vault: {
    min: 3,
    max: 24,
    pattern: /^[a-z](?:-?[a-z0-9])*$/i,
    alphabet: "letters, digits and single hyphens, first a letter",
  },
  secret: {
    min: 1,
    max: 127,
    pattern: /^[0-9a-zA-Z-]+$/,
    alphabet: "letters, digits and hyphens (no underscore)",
  },
  identity: { min: 3, max: 128, pattern: /^[a-z0-9][\w-]*$/i, alphabet: "letters, digits, _ -" },
  plan: { min: 1, max: 60, pattern: hyphenated, alphabet: "letters, digits and hyphens" },
  functionApp: { min: 2, max: 60, pattern: hyphenated, alphabet: "letters, digits and hyphens" },
  storageAccount: { min: 3, max: 24, pattern: /^[a-z0-9]+$/, alphabet: "a-z and 0-9" },
  logWorkspace: { min: 4, max: 63, pattern: hyphenated, alphabet: "letters, digits and hyphens" },
  appInsights: { min: 1, max: 255, pattern: /^[\w.()-]*[\w()-]$/, alphabet: "letters, digits, _ - . ( )" },
} as const satisfies Record<string, NameRule>;

export type NameKind = keyof typeof NAME_RULES;

/** What is wrong with a name, or undefined. Pure. */
export function nameProblem(kind: NameKind, field: string, name: string): FieldProblem | undefined {
  const rule: NameRule = NAME_RULES[kind];
  if (name.length < rule.min || name.length > rule.max) {
    return {
      field,
      message: `"${name}" has ${name.length} characters; ${rule.min} to ${rule.max} are allowed`,
    };
  }
  if (!rule.pattern.test(name)) return { field, message: `"${name}" is not made of ${rule.alphabet}` };
  return undefined;
}

/** What is wrong with a whole number, or undefined. Pure. Bounds are inclusive. */
export function rangeProblem(
  field: string,
  value: number,
  min: number,
  max: number,
  unit: string,
): FieldProblem | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return { field, message: `is ${value}; whole ${unit} from ${min} to ${max} are allowed` };
}

/**
 * Throws one error for everything that is wrong.
 * @throws {ComponentArgumentError} when any problem is given.
 */
export function requireValid(component: string, problems: readonly (FieldProblem | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new ComponentArgumentError(component, found);
}
