import { exemptions } from "../../policies/exemptions.ts";
import { rules } from "../../policies/index.ts";
import type { PolicyContext, PolicyInput, Rule, Value } from "../../policies/model.ts";

export const TODAY = "2027-01-15";

/** The context of a judgement, on a fixed day. */
export const context = (stack = "prod", more: Partial<PolicyContext> = {}): PolicyContext => ({
  stack,
  today: TODAY,
  exemptions,
  ...more,
});

/** A resource as a rule sees it. */
export const resource = (type: string, props: object, name = "it", stack = "prod"): PolicyInput => ({
  urn: `urn:pulumi:${stack}::kiln::${type}::${name}`,
  type,
  name,
  props: props as Record<string, Value>,
});

export function ruleNamed(name: string): Rule {
  const rule = rules.find((each) => each.name === name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}
