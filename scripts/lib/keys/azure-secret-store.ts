import type { TokenCredential } from "@azure/identity";
import type { ClientOptions } from "./azure-account-keys.ts";
import { cloudAnswer } from "./cloud-answer.ts";
import { KeyMaterial } from "./key-material.ts";
import type { SecretStore } from "./ports.ts";
import { secretTags } from "./sync.ts";

/** What the secret is, for people and for policies that ask for a content type. */
export const CONTENT_TYPE = "text/plain; kind=azure-openai-api-key";

/** One secret of a Key Vault, by the official SDK. */
export async function azureSecretStore(
  credential: TokenCredential,
  vaultUri: string,
  secretName: string,
  options: ClientOptions = {},
): Promise<SecretStore> {
  const { SecretClient } = await import("@azure/keyvault-secrets");
  const client = new SecretClient(vaultUri, credential, options);
  return {
    uri: new URL(`secrets/${secretName}`, vaultUri).href,

    async read() {
      try {
        const { value, properties } = await client.getSecret(secretName);
        // A secret without a value holds no key; the next write puts that right.
        if (value === undefined || value === "") return undefined;
        const { version = "", tags = {}, expiresOn } = properties;
        return { value: new KeyMaterial(value), version, tags, expiresOn };
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

    async recover() {
      // Only the beginning: whoever asked waits by its own measure, not by the poller's.
      await client.beginRecoverDeletedSecret(secretName);
    },
  };
}
