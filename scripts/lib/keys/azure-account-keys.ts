import type { HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { KeyMaterial } from "./key-material.ts";
import type { AccountKeys, Slot } from "./ports.ts";

/** Where an account is. */
export interface AccountAddress {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly account: string;
}

/** Options that every Azure SDK client takes. */
export interface ClientOptions {
  /** Proxy by which the cloud is reached, where the environment does not say. */
  readonly proxyOptions?: { readonly host: string; readonly port: number };
  /** What sends the requests. @default the SDK's own */
  readonly httpClient?: HttpClient;
  /** How often, and after which time in milliseconds, a request that failed is sent again. @default the SDK's own */
  readonly retryOptions?: {
    readonly maxRetries?: number;
    readonly retryDelayInMs?: number;
    readonly maxRetryDelayInMs?: number;
  };
}

/** The keys of an Azure OpenAI account, by the official SDK. */
export async function azureAccountKeys(
  credential: TokenCredential,
  address: AccountAddress,
  options: ClientOptions = {},
): Promise<AccountKeys> {
  const { CognitiveServicesManagementClient } = await import("@azure/arm-cognitiveservices");
  const client = new CognitiveServicesManagementClient(credential, address.subscriptionId, options);
  const { resourceGroup, account } = address;
  return {
    list: async () => slots(await client.accounts.listKeys(resourceGroup, account)),
    regenerate: async (slot) => {
      const name = slot === "key1" ? "Key1" : "Key2";
      return slots(await client.accounts.regenerateKey(resourceGroup, account, name))[slot];
    },
  };
}

function slots(keys: { readonly key1?: string; readonly key2?: string }): Record<Slot, KeyMaterial> {
  return { key1: new KeyMaterial(keys.key1 ?? ""), key2: new KeyMaterial(keys.key2 ?? "") };
}
