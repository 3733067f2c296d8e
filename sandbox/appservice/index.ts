export { createSiteRuntime, type RuntimeOptions, type SiteRuntime } from "./runtime.ts";
export { createScm } from "./scm.ts";
export { createSites } from "./sites-host.ts";
export { siteExists } from "./state.ts";
export { web } from "./web.ts";
