import { faultsOf } from "../exemption.ts";
import type { Rule } from "../model.ts";

/**
 * An exemption without a reason or a date is no exemption, and is said to be wrong before anything is made: it is judged with
 * the stack itself, the first resource of every run.
 *
 * @param ruleNames the pack's rules, so that an exemption cannot go on naming one that is gone.
 */
export const exemptionsInOrder = (ruleNames: readonly string[]): Rule => ({
  name: "exemptions-in-order",
  description: "Every exemption names a rule, a property, a reason and a date within two years.",
  severity: "high",
  check: ({ type }, { exemptions, today }) =>
    type !== "pulumi:pulumi:Stack"
      ? []
      : exemptions.flatMap((exemption, index) =>
          faultsOf(exemption, ruleNames, today).map((fault) => ({
            property: `exemptions[${index}]`,
            message: `the exemption from ${exemption.rule} for ${exemption.type} ${fault}.`,
          })),
        ),
});
