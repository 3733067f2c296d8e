import { adoptSettings, releaseSettings } from "../lib/keys/adoption.ts";
import { azureAppSettings } from "../lib/keys/azure-app.ts";
import { main, type Step, UsageError } from "./lib/run.ts";

/** Writes our settings into an existing app, or takes them out, and prints `{"app","changed"}`. */
export const adopt: Step = {
  summary: "Merges settings into those of an existing Function App (--set), or takes them out (--remove).",
  flags: {
    subscription: { value: "ID" },
    "resource-group": { value: "NAME" },
    app: { value: "NAME" },
    set: { value: "NAME=VALUE", many: true, optional: true },
    remove: { value: "NAME", many: true, optional: true },
  },
  async run(flags, context) {
    const ours = flags.pairs("set");
    const names = flags.many("remove");
    if (Object.keys(ours).length > 0 === names.length > 0)
      throw new UsageError("give either --set or --remove");
    const app = flags.one("app");
    const address = {
      subscriptionId: flags.one("subscription"),
      resourceGroup: flags.one("resource-group"),
      app,
    };
    const settings = await azureAppSettings(await context.credential(), address, context.clientOptions);
    const changed =
      names.length > 0 ? await releaseSettings(settings, names) : await adoptSettings(settings, app, ours);
    return { app, changed };
  },
};

if (import.meta.main) await main("adopt-settings", adopt);
