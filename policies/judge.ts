import { standing } from "./exemption.ts";
import {
  azureType,
  type PolicyContext,
  type PolicyInput,
  type Rule,
  type StackInput,
  type Violation,
} from "./model.ts";
import { looksSecret } from "./secrets/shapes.ts";

/** A violation as it is reported: whole sentence, resource and property in front. */
export interface Judgement {
  readonly property: string;
  readonly message: string;
}

/** A judgement on one resource of a whole stack. */
export interface StackJudgement extends Judgement {
  readonly urn: string;
}

/** Whether a rule has anything to say about a type at all. */
export function concerns(rule: Rule, type: string): boolean {
  if (rule.package !== undefined && !type.startsWith(`${rule.package}:`)) return false;
  return rule.types === undefined || rule.types.includes(azureType(type) ?? type);
}

/** What a rule says about one resource once exemptions are applied. Never throws: a rule that fails is a violation. */
export function judge(rule: Rule, resource: PolicyInput, context: PolicyContext): Judgement[] {
  if (rule.check === undefined || !concerns(rule, resource.type)) return [];
  try {
    return rule.check(resource, context).flatMap((violation) => report(rule, resource, violation, context));
  } catch (error) {
    return [crashed(rule, label(resource), error)];
  }
}

/** What a rule says about a finished stack, each judgement with the URN of its resource. Never throws. */
export function judgeStack(
  rule: Rule,
  resources: readonly StackInput[],
  context: PolicyContext,
): StackJudgement[] {
  if (rule.checkStack === undefined) return [];
  try {
    const concerned =
      rule.package === undefined ? resources : resources.filter(({ type }) => concerns(rule, type));
    return rule.checkStack(concerned, context).flatMap((violation) =>
      report(rule, violation.resource, violation, context).map((judgement) => ({
        ...judgement,
        urn: violation.resource.urn,
      })),
    );
  } catch (error) {
    return [{ ...crashed(rule, "the stack", error), urn: "" }];
  }
}

/**
 * The judgement for a rule that failed. A broken judge must stop the run, and an error's message is left out: a parser's
 * quotes the text that it stumbled over, and that may be a secret.
 */
export function crashed(rule: Rule, what: string, error: unknown): Judgement {
  const kind = error instanceof Error ? error.name : typeof error;
  return {
    property: "",
    message: `${what} could not be judged: rule ${rule.name} failed with ${kind}. What is not judged does not pass; mend the rule.`,
  };
}

/** How a message names a resource. */
export function label(resource: PolicyInput): string {
  const name = looksSecret(resource.name) ? "(a resource whose name is withheld)" : resource.name;
  return `${name} (${resource.type})`;
}

function report(
  rule: Rule,
  resource: PolicyInput,
  violation: Violation,
  context: PolicyContext,
): Judgement[] {
  const exemption = standing(rule.name, resource, violation.property, context);
  if (exemption.kind === "holds") return [];
  const late = exemption.kind === "expired" ? ` The exemption for this expired on ${exemption.on}.` : "";
  const { property } = violation;
  return [{ property, message: `${label(resource)}, ${property}: ${violation.message}${late}` }];
}
