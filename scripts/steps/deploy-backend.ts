import { resolve } from "node:path";
import { zipFolder } from "./lib/package.ts";
import { publishZip } from "./lib/publish.ts";
import { main, type Step } from "./lib/run.ts";

/** Deploys a folder to a Function App, and prints `{"app","contentHash"}`. */
export const deployBackend: Step = {
  summary: "Zips a folder of the project and publishes it to a Function App.",
  flags: {
    app: { value: "NAME" },
    source: { value: "FOLDER" },
    "content-hash": { value: "HASH" },
    "wait-minutes": { value: "MINUTES", optional: true },
  },
  async run(flags, context) {
    const app = flags.one("app");
    const patience = context.patience(flags.whole("wait-minutes", 15, 0, 120));
    // From this file, not from the working folder: the step runs from wherever the engine's provider does.
    const zip = zipFolder(resolve(import.meta.dirname, "../..", flags.one("source")));
    const { httpClient } = context.clientOptions;
    const site = { app, patience, credential: await context.credential(), ...(httpClient && { httpClient }) };
    await publishZip(site, zip);
    return { app, contentHash: flags.one("content-hash") };
  },
};

if (import.meta.main) await main("deploy-backend", deployBackend);
