import { azureType, isPresent, objectAt, type PolicyInput, type Rule, type Violation } from "../model.ts";
import { findSecrets } from "../secrets/scan.ts";
import { looksSecret } from "../secrets/shapes.ts";

const ADVICE =
  "A property is written to state: keep the value in Key Vault and pass a reference or the secret's name.";

/**
 * No secret in any property of any resource of any package, in what goes in (before anything is made) and in what came out
 * (once it is). Wrapping a value as a Pulumi secret changes nothing: it is encrypted in the state, and does not belong there.
 */
export const noRawSecrets: Rule = {
  name: "no-raw-secrets",
  description:
    "No property of any resource holds a secret, raw or wrapped as a Pulumi secret; only references do.",
  severity: "critical",
  check: (resource) => secretsOf(resource),
  checkStack: (resources) =>
    resources.flatMap((resource) => secretsOf(resource).map((violation) => ({ ...violation, resource }))),
};

function secretsOf(resource: PolicyInput): Violation[] {
  const found = findSecrets(resource.props);
  const violations = found.map(({ path, what }) => ({ property: path, message: `${what}. ${ADVICE}` }));
  if (looksSecret(resource.name))
    violations.push({ property: "(the resource's name)", message: `a secret. ${ADVICE}` });
  const seen = new Set(violations.map(({ property }) => property));
  return [...violations, ...heldBy(resource).filter(({ property }) => !seen.has(property))];
}

/** What is a secret because of the type that holds it, whatever it looks like, known or not yet. */
function heldBy(resource: PolicyInput): Violation[] {
  const violations: Violation[] = [];
  const azure = azureType(resource.type);
  if (azure === "keyvault:Secret" && isPresent(objectAt(resource.props, "properties").value)) {
    violations.push({
      property: "properties.value",
      message: `a secret's value. ${ADVICE} A value reaches the vault by the key-sync step, never through Pulumi.`,
    });
  }
  if (/^kubernetes:core\/v1:Secret(?:Patch)?$/.test(resource.type)) {
    for (const field of ["data", "stringData"]) {
      for (const [key, value] of Object.entries(objectAt(resource.props, field))) {
        if (!isPresent(value)) continue;
        const safe = looksSecret(key) ? "(withheld)" : key;
        violations.push({
          property: `${field}[${JSON.stringify(safe)}]`,
          message: `a secret's value. ${ADVICE}`,
        });
      }
    }
  }
  return violations;
}
