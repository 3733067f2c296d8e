// The Automation API is CommonJS and slow to load: this one place imports it, and verbs import this place when they
// need it.
export { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js";
