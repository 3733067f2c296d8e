export { insights } from "./components.ts";
export { operationalInsights } from "./workspaces.ts";
