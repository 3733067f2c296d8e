import { mustBe, type Rule } from "../model.ts";

/** A deleted vault can be brought back. Azure's own default is on, with 90 days. */
export const keyVaultSoftDelete: Rule = {
  name: "key-vault-soft-delete",
  description: "Key Vault keeps soft delete on, for 7 to 90 days.",
  severity: "high",
  types: ["keyvault:Vault"],
  check: ({ props }) => [
    ...mustBe(
      props,
      "properties.enableSoftDelete",
      (value) => value === undefined || value === null || value === true,
      "must not be switched off.",
    ),
    ...mustBe(
      props,
      "properties.softDeleteRetentionInDays",
      (days) => days === undefined || days === null || (typeof days === "number" && days >= 7 && days <= 90),
      "must be between 7 and 90 days.",
    ),
  ],
};
