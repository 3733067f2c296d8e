import type { ArmModule } from "../arm/http.ts";
import { configReferences } from "./config-references.ts";
import { siteConfiguration } from "./configuration.ts";
import { functions } from "./functions.ts";
import { plans } from "./plans.ts";
import { publishing } from "./publishing.ts";
import { sites } from "./sites.ts";
import { stacks } from "./stacks.ts";

/** `Microsoft.Web`: App Service plans, sites, their configuration, and their Key Vault references. */
export const web: ArmModule = (arm, cloud) => {
  for (const part of [plans, sites, siteConfiguration, configReferences, publishing, functions, stacks])
    part(arm, cloud);
};
