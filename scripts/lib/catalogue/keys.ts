import type { Explanation } from "./explanation.ts";

const cached =
  "A failed look-up is kept for 24 hours, and until then the app sends the reference's text as its key: its calls fail.";

/** Keys that are not to be had, and references that do not lead to one. */
export const keyErrors: readonly Explanation[] = [
  {
    codes: ["BadRequest"],
    message: /disableLocalAuth/i,
    what: "the account gives out no keys",
    why: "Signing in by key is switched off on it (disableLocalAuth).",
    consequence: "There is no key to put into the vault, and apps that use one cannot call the model.",
    next: "Switch local authentication on again for this account, or ask who switched it off; then run it again.",
  },
  {
    codes: ["AuthenticationTypeDisabled"],
    what: "the account takes no keys any more",
    why: "Signing in by key is switched off on it (disableLocalAuth).",
    consequence: "Every app that uses the key fails from now on.",
    next: "Switch local authentication on again for this account, or ask who switched it off; then run it again.",
  },
  {
    codes: ["AccessToKeyVaultDenied"],
    what: "the app may not read its secret",
    why: "Its identity has no Key Vault Secrets User on the vault, or the grant has not spread yet.",
    consequence: cached,
    next: "Run `kiln up` again in a few minutes: it has the app look again.",
  },
  {
    codes: ["MSINotEnabled"],
    what: "the app has no identity to read its secret with",
    why: "It has no managed identity, or names one that is not assigned to it.",
    consequence: cached,
    next: "Give the app a managed identity and name it in keyVaultReferenceIdentity, then run it again.",
  },
  {
    codes: ["InvalidSyntax"],
    what: "the app's setting is no reference that App Service understands",
    why: "It must read @Microsoft.KeyVault(SecretUri=https://<vault>.vault.azure.net/secrets/<name>).",
    consequence: cached,
    next: "Run `kiln up`, which writes the setting anew; if it comes back, find out who else writes it.",
  },
  {
    codes: ["VaultNotFound"],
    what: "the app does not find the vault that its setting names",
    why: "The vault was deleted, is of another name, or cannot be reached from the app's network.",
    consequence: cached,
    next: "Look at `kiln status`; `kiln up` makes what is missing and has the app look again.",
  },
  {
    codes: ["SecretNotFound", "SecretVersionNotFound"],
    what: "the app does not find the secret that its setting names",
    why: "The secret, or the version that the setting pins, was deleted or disabled.",
    consequence: cached,
    next: "Run `kiln up`, which writes the secret and has the app look again.",
  },
  {
    codes: ["OtherReasons", "FetchTimedOut", "UnauthorizedClient", "Initialized"],
    what: "the app has not resolved its secret",
    why: "App Service does not say more than its word for it: Key Vault did not answer, refused the client, or was not asked yet.",
    consequence: cached,
    next: "Run `kiln up` again in a few minutes: it has the app look again.",
  },
];
