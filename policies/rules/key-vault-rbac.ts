import { azureType, mustBe, type Rule } from "../model.ts";

/** Access to a vault's secrets is granted by roles, which are scoped, listed and revoked like every other grant. */
export const keyVaultRbac: Rule = {
  name: "key-vault-rbac",
  description: "Key Vault authorizes by Azure RBAC; access policies are not used.",
  severity: "high",
  types: ["keyvault:Vault", "keyvault:AccessPolicy"],
  check({ type, props }) {
    if (azureType(type) === "keyvault:AccessPolicy")
      return [{ property: "policy", message: "an access policy. Grant a Key Vault role instead." }];
    return [
      ...mustBe(
        props,
        "properties.enableRbacAuthorization",
        (value) => value === true,
        "must be true: the vault would otherwise go by access policies.",
      ),
      ...mustBe(
        props,
        "properties.accessPolicies",
        (value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0),
        "must be empty: grants are role assignments.",
      ),
    ];
  },
};
