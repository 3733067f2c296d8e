import type { Command } from "@pulumi/command/local/command.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { runStep } from "./step.ts";

/** Arguments of {@link SettledReferences}. */
export interface SettledReferencesArgs {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly appName: string;
  /** Names of the app settings that hold references. */
  readonly settings: readonly string[];
  /** What the references lead to, and which app reads them; a change makes the app look again. */
  readonly triggers: readonly Input<string>[];
  /** What must be done first: the settings and the secret behind them. */
  readonly after: readonly Resource[];
}

/**
 * Holds the stack until the app has really read its secrets. Grants take minutes to take effect, and a reference that was
 * looked up too early stays failed for a day while the app sends the reference's text as its key.
 */
export class SettledReferences extends ComponentResource {
  /** Done when every reference is resolved. */
  readonly settled: Command;

  constructor(name: string, args: SettledReferencesArgs, options?: ComponentResourceOptions) {
    super("kiln:azure:SettledReferences", name, {}, options);
    this.settled = runStep(
      `${name}-settle`,
      {
        step: "settle-references",
        flags: {
          subscription: args.subscriptionId,
          "resource-group": args.resourceGroup,
          app: args.appName,
          setting: args.settings,
        },
        triggers: args.triggers,
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.registerOutputs({});
  }
}
