import { azureAccountKeys } from "../lib/keys/azure-account-keys.ts";
import { azureSecretStore } from "../lib/keys/azure-secret-store.ts";
import { syncKey } from "../lib/keys/sync.ts";
import { main, type Step } from "./lib/run.ts";

/** Copies the active key of an account into its secret, and prints `{"slot","secretUri"}`. */
export const keySync: Step = {
  summary:
    "Makes a secret hold a live key of an Azure OpenAI account; a secret that already does is left alone.",
  flags: {
    subscription: { value: "ID" },
    "resource-group": { value: "NAME" },
    account: { value: "NAME" },
    vault: { value: "https://NAME.vault.azure.net/" },
    secret: { value: "NAME" },
    "lifetime-days": { value: "DAYS", optional: true },
    tag: { value: "NAME=VALUE", many: true, optional: true },
    "wait-minutes": { value: "MINUTES", optional: true },
  },
  async run(flags, context) {
    const address = {
      subscriptionId: flags.one("subscription"),
      resourceGroup: flags.one("resource-group"),
      account: flags.one("account"),
    };
    const options = {
      tags: flags.pairs("tag"),
      lifetimeDays: flags.whole("lifetime-days", 90, 1, 730),
      patience: context.patience(flags.whole("wait-minutes", 30, 0, 120)),
      today: new Date(),
    };
    const credential = await context.credential();
    const keys = await azureAccountKeys(credential, address, context.clientOptions);
    const secret = await azureSecretStore(
      credential,
      flags.one("vault"),
      flags.one("secret"),
      context.clientOptions,
    );
    const { slot, secretUri } = await syncKey(keys, secret, options);
    return { slot, secretUri };
  },
};

if (import.meta.main) await main("key-sync", keySync);
