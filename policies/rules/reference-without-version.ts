import { azureType, type Props, type Rule, UNKNOWN, type Value, type Violation } from "../model.ts";
import { childrenOf } from "../secrets/paths.ts";

const NAME = "[0-9A-Za-z-]{1,127}";
const URI_FORM = new RegExp(String.raw`^SecretUri=https://[\w.-]+/secrets/${NAME}/?$`, "i");
const NAME_FORM = new RegExp(`^VaultName=${NAME};SecretName=${NAME}(?:;SecretVersion=)?$`, "i");
const PINNED = /(?:\/secrets\/[0-9A-Za-z-]+\/[0-9a-f]{32})|SecretVersion=[^;)\s]+/i;
const VERSIONED_URL = /https:\/\/[\w-]+\.vault\.[\w.]+\/secrets\/[0-9A-Za-z-]+\/[0-9a-f]{32}/i;

/**
 * A reference with a version goes on naming the old key after a rotation. One that App Service cannot read is not resolved at
 * all: the app gets its literal text as the key (facts of App Service's Key Vault references).
 */
export const referenceWithoutVersion: Rule = {
  name: "reference-without-version",
  description: "Key Vault references pin no version and are well formed.",
  severity: "high",
  check({ type, props }) {
    const violations: Violation[] = [];
    const consumer = azureType(type) !== undefined || type.startsWith("kubernetes:");
    for (const { text, property } of texts(props)) {
      for (const [, inside = ""] of text.matchAll(/@Microsoft\.KeyVault\(([^)]*)\)?/gi)) {
        if (PINNED.test(inside))
          violations.push({
            property,
            message: "the reference pins a version, which a rotation leaves behind.",
          });
        else if (!URI_FORM.test(inside) && !NAME_FORM.test(inside))
          violations.push({
            property,
            message: "the reference is malformed: its text itself would become the key.",
          });
      }
      if (consumer && !/@Microsoft\.KeyVault\(/i.test(text) && VERSIONED_URL.test(text))
        violations.push({
          property,
          message: "the secret's URL pins a version, which a rotation leaves behind.",
        });
    }
    return violations;
  },
};

function* texts(root: Value): Generator<{ text: string; property: string }> {
  const stack: { value: Value; property: string }[] = [{ value: root, property: "" }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, property } = next;
    if (value === UNKNOWN || value === null) continue;
    if (typeof value === "string") yield { text: value, property };
    else if (typeof value === "object") {
      for (const child of childrenOf(value as Props | readonly Value[], property).reverse())
        stack.push({ value: child.value, property: child.path });
    }
  }
}
