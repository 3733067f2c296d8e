import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { authorize } from "./access.ts";
import { VaultSecrets } from "./secrets.ts";
import { vaultOfHost } from "./state.ts";

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

const uriPattern =
  /^https:\/\/(?<host>[a-z0-9-]+\.vault\.azure\.net)(?::443)?\/secrets\/(?<name>[0-9a-z-]+)(?:\/(?<version>[0-9a-f]*))?\/?$/i;

/** Reads a secret as the given identity, through the same checks as a GET on the vault's data plane. Never throws. */
export function resolveSecretFor(cloud: Cloud, request: ReferenceRequest): ReferenceResult {
  const uri = uriPattern.exec(request.secretUri.trim())?.groups;
  if (uri === undefined) {
    return { status: "InvalidSyntax", detail: "The reference does not hold the URI of a Key Vault secret." };
  }
  const { host = "", name = "" } = uri;
  const version = uri.version === "" ? undefined : uri.version;
  const vault = vaultOfHost(cloud, host);
  if (vault === undefined) return { status: "VaultNotFound", detail: `There is no vault at ${host}.` };
  const principal = cloud.principals.byObjectId(request.principalObjectId);
  if (principal === undefined) {
    return {
      status: "AccessToKeyVaultDenied",
      detail: `The identity ${request.principalObjectId} does not exist in the directory.`,
    };
  }
  const secrets = new VaultSecrets(cloud, vault);
  try {
    authorize(cloud, vault, principal, "get", name);
    const current = secrets.get(name);
    const found = version === undefined ? current : orUndefined(() => secrets.get(name, version));
    if (found === undefined) {
      return { status: "SecretVersionNotFound", detail: `The secret ${name} has no version ${version}.` };
    }
    if (!found.enabled) return { status: "OtherReasons", detail: `The secret ${name} is disabled.` };
    return { status: "Resolved", value: found.value, version: found.version };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    if (error.status === 403) {
      const reason = error.innerCode ?? error.code;
      return {
        status: "AccessToKeyVaultDenied",
        detail: `The identity ${principal.objectId} may not read ${name} in ${host} (${reason}).`,
      };
    }
    if (error.status === 404)
      return { status: "SecretNotFound", detail: `There is no secret ${name} in ${host}.` };
    return { status: "OtherReasons", detail: error.message };
  }
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CloudError && error.status === 404) return undefined;
    throw error;
  }
}
