import { azureAppReferences } from "../lib/keys/azure-app.ts";
import { settleReferences } from "../lib/keys/references.ts";
import { main, type Step } from "./lib/run.ts";

/** Waits until a Function App has resolved its Key Vault references, and prints `{"settled":[setting…]}`. */
export const settle: Step = {
  summary: "Makes a Function App look up its Key Vault references, and waits until it has resolved them.",
  flags: {
    subscription: { value: "ID" },
    "resource-group": { value: "NAME" },
    app: { value: "NAME" },
    setting: { value: "NAME", many: true },
    "wait-minutes": { value: "MINUTES", optional: true },
  },
  async run(flags, context) {
    const address = {
      subscriptionId: flags.one("subscription"),
      resourceGroup: flags.one("resource-group"),
      app: flags.one("app"),
    };
    const patience = context.patience(flags.whole("wait-minutes", 30, 0, 120));
    const app = await azureAppReferences(await context.credential(), address, context.clientOptions);
    const settled = await settleReferences(app, flags.many("setting"), patience);
    return { settled: settled.map(({ setting }) => setting) };
  },
};

if (import.meta.main) await main("settle-references", settle);
