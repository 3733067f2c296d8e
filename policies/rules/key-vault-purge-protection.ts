import { isEphemeral, mustBe, type Rule } from "../model.ts";

/**
 * Purge protection cannot be switched off again and holds the vault's name until its retention is over: what `prod` needs
 * is what would keep a pull request's environment from ever being removed.
 */
export const keyVaultPurgeProtection: Rule = {
  name: "key-vault-purge-protection",
  description: "Key Vault has purge protection in prod and none in the environment of a pull request.",
  severity: "high",
  types: ["keyvault:Vault"],
  check({ props }, { stack }) {
    const property = "properties.enablePurgeProtection";
    if (stack === "prod") return mustBe(props, property, (value) => value === true, "must be true in prod.");
    if (isEphemeral(stack))
      return mustBe(
        props,
        property,
        (value) => value !== true,
        `must not be on in ${stack}: the vault could not be purged when the environment goes.`,
      );
    return [];
  },
};
