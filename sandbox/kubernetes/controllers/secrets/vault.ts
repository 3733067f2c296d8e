import type { KubeObject } from "../runtime/objects.ts";
import { type AzureProvider, type RemoteRef, SecretProblem } from "./types.ts";

/** Reads one vault in the name of one service account. */
export interface VaultReader {
  /** @throws SecretProblem when the vault refuses; undefined when it has no such secret */
  read(ref: RemoteRef): Promise<string | undefined>;
}

/** Whose token the identity trusts, and what for. */
export interface Assertion {
  readonly tenantId: string;
  readonly clientId: string;
  /** A token of the service account, for Microsoft Entra. */
  token(): Promise<string>;
}

const audience = "api://AzureADTokenExchange";

export function audiencesOf({ serviceAccountRef }: AzureProvider): string[] {
  return [audience, ...(serviceAccountRef?.audiences ?? [])];
}

export type MakeVaultReader = (vaultUrl: string, assertion: Assertion) => Promise<VaultReader>;

/**
 * Reads by the official clients: the service account's token is exchanged at login.microsoftonline.com for one of the identity,
 * with which Key Vault is asked. The clients take a while to load, and only a cluster with a secret store needs them.
 */
export const azureVaultReader: MakeVaultReader = async (vaultUrl, { tenantId, clientId, token }) => {
  const [{ ClientAssertionCredential }, { SecretClient }] = await Promise.all([
    import("@azure/identity"),
    import("@azure/keyvault-secrets"),
  ]);
  const retryOptions = { maxRetries: 2, retryDelayInMs: 200 };
  const credential = new ClientAssertionCredential(tenantId, clientId, token, { retryOptions });
  const client = new SecretClient(vaultUrl, credential, { retryOptions });
  return {
    read: async (ref) => {
      const name = nameOf(ref);
      try {
        const { value } = await client.getSecret(
          name,
          ref.version === undefined ? {} : { version: ref.version },
        );
        return value;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return undefined;
        throw new SecretProblem(`cannot read '${name}' of ${vaultUrl}: ${reasonOf(error)}`);
      }
    },
  };
};

/** Of keys, secrets and certificates, as the provider names them by a prefix, the sandbox reads secrets. */
function nameOf({ key }: RemoteRef): string {
  const [kind, ...rest] = key.split("/");
  if (rest.length === 0) return key;
  if (kind === "secret" && rest.length === 1) return rest[0] ?? "";
  throw new SecretProblem(`'${key}' is not a secret's name; the sandbox reads 'name' and 'secret/name'`);
}

/** What the other side said, in its code and first line: neither holds a value. */
function reasonOf(error: unknown): string {
  const {
    code,
    statusCode,
    message = "",
  } = error as { code?: string; statusCode?: number; message?: string };
  const first = message.split("\n")[0]?.slice(0, 400) ?? "";
  return [statusCode, code, first].filter((each) => each !== undefined && each !== "").join(" ");
}

/**
 * Who a store reads as. Source: external-secrets providers/v1/azure/keyvault (authorizerForWorkloadIdentity)
 * @throws SecretProblem what is missing of it, or said twice
 */
export function identityOf(
  provider: AzureProvider,
  account: KubeObject | undefined,
  marks: { readonly clientId: string; readonly tenantId: string },
): { tenantId: string; clientId: string } {
  if (provider.authType !== "WorkloadIdentity") {
    throw new SecretProblem(
      `authType '${provider.authType ?? "ServicePrincipal"}' is not known to the sandbox; WorkloadIdentity is`,
    );
  }
  const name = provider.serviceAccountRef?.name;
  if (name === undefined) throw new SecretProblem("the store names no service account (serviceAccountRef)");
  if (account === undefined) throw new SecretProblem(`service account '${name}' does not exist`);
  const clientId = account.metadata.annotations?.[marks.clientId];
  if (clientId === undefined) {
    throw new SecretProblem(`service account '${name}' lacks the annotation ${marks.clientId}`);
  }
  const annotated = account.metadata.annotations?.[marks.tenantId];
  if (provider.tenantId !== undefined && annotated !== undefined) {
    throw new SecretProblem(
      "multiple tenantID found. Check secretRef, 'spec.provider.azurekv.tenantId', and serviceAccountRef",
    );
  }
  const tenantId = provider.tenantId ?? annotated;
  if (tenantId === undefined) {
    throw new SecretProblem(`neither the store nor service account '${name}' names the tenant`);
  }
  return { tenantId, clientId };
}
