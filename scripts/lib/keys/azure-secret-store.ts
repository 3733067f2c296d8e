import type { TokenCredential } from "@azure/identity";
import type { SecretProperties } from "@azure/keyvault-secrets";
import type { ClientOptions } from "./azure-account-keys.ts";
import { cloudAnswer } from "./cloud-answer.ts";
import { KeyMaterial } from "./key-material.ts";
import type { SecretVersionProperties, VersionedSecret } from "./ports.ts";
import { secretTags } from "./sync.ts";

/** What the secret is, for people and for policies that ask for a content type. */
export const CONTENT_TYPE = "text/plain; kind=azure-openai-api-key";

/** One secret of a Key Vault, by the official SDK. */
export async function azureSecretStore(
  credential: TokenCredential,
  vaultUri: string,
  secretName: string,
  options: ClientOptions = {},
): Promise<VersionedSecret> {
  const { SecretClient } = await import("@azure/keyvault-secrets");
  const client = new SecretClient(vaultUri, credential, options);
  return {
    uri: new URL(`secrets/${secretName}`, vaultUri).href,

    async read() {
      try {
        const { value, properties } = await client.getSecret(secretName);
        // A secret without a value holds no key; the next write puts that right.
        if (value === undefined || value === "") return undefined;
        return { value: new KeyMaterial(value), ...described(properties) };
      } catch (error) {
        if (cloudAnswer(error)?.status === 404) return undefined;
        throw error;
      }
    },

    async write(key, { tags, slot, phase, expiresOn }) {
      const { properties } = await client.setSecret(secretName, key.reveal(), {
        contentType: CONTENT_TYPE,
        expiresOn,
        tags: secretTags(tags, slot, phase),
      });
      return properties.version ?? "";
    },

    async updateTags(version, tags) {
      await client.updateSecretProperties(secretName, version, { tags: { ...tags } });
    },

    async versions() {
      const all: SecretVersionProperties[] = [];
      try {
        for await (const each of client.listPropertiesOfSecretVersions(secretName)) all.push(described(each));
      } catch (error) {
        if (cloudAnswer(error)?.status !== 404) throw error;
      }
      return all.sort((a, b) => b.createdOn.getTime() - a.createdOn.getTime());
    },

    async readVersion(version) {
      const { value } = await client.getSecret(secretName, { version });
      return value === undefined || value === "" ? undefined : new KeyMaterial(value);
    },

    async disable(version) {
      await client.updateSecretProperties(secretName, version, { enabled: false });
    },

    async recover() {
      // Only the beginning: whoever asked waits by its own measure, not by the poller's.
      await client.beginRecoverDeletedSecret(secretName);
    },
  };
}

function described(properties: SecretProperties): SecretVersionProperties {
  const { version = "", tags = {}, enabled = true, createdOn, updatedOn = createdOn, expiresOn } = properties;
  if (createdOn === undefined || updatedOn === undefined) {
    throw new Error("The vault does not say when the version was made.");
  }
  return { version, tags, enabled, createdOn, updatedOn, expiresOn };
}
