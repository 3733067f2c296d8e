// The Automation API is CommonJS and slow to load: this one place imports it, and verbs import this place when they
// need it.
import "./lean-sdk.cjs";

export { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js";
