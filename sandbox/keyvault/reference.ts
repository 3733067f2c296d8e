import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";

/** Who asks for which secret: what an App Service site does with `@Microsoft.KeyVault(SecretUri=…)`. */
export interface ReferenceRequest {
  /** Object id of the identity that the site uses for its references. */
  readonly principalObjectId: string;
  /** `https://{vault}.vault.azure.net/secrets/{name}` with or without `/{version}`, with or without a trailing slash. */
  readonly secretUri: string;
}

/** What came of it. `detail` is for people and never holds a value. Statuses: App Service's configuration references. */
export type ReferenceResult =
  | { readonly status: "Resolved"; readonly value: string; readonly version: string }
  | {
      readonly status:
        | "InvalidSyntax"
        | "VaultNotFound"
        | "SecretNotFound"
        | "SecretVersionNotFound"
        | "AccessToKeyVaultDenied"
        | "OtherReasons";
      readonly detail: string;
    };

/** Reads a secret as the given identity, through the same checks as a GET on the vault's data plane. Never throws. */
export function resolveSecretFor(_cloud: Cloud, _request: ReferenceRequest): ReferenceResult {
  throw new CloudError(501, "NotImplemented", "References are not resolved yet.");
}
