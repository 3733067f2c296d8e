import { Component } from "@pulumi/azure-native/applicationinsights/component.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { nameProblem, rangeProblem, requireValid } from "../shared/validation.ts";

/** Arguments of {@link Telemetry}. */
export interface TelemetryArgs {
  /** Name of the Log Analytics workspace, 4 to 63 letters, digits and hyphens. */
  readonly workspaceName: string;
  /** Name of the Application Insights component, 1 to 255 characters. */
  readonly componentName: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  /** Days that logs are kept, 30 to 730. */
  readonly retentionDays: number;
}

/**
 * Logs and telemetry of one environment. Nothing is taken without an identity: with local authentication off the
 * connection string is an address, not a key.
 */
export class Telemetry extends ComponentResource {
  readonly workspaceId: Output<string>;
  readonly componentId: Output<string>;
  /** Where telemetry is sent. Of no use without an identity that may publish. */
  readonly connectionString: Output<string>;

  constructor(name: string, args: TelemetryArgs, options?: ComponentResourceOptions) {
    requireValid("Telemetry", [
      nameProblem("logWorkspace", "workspaceName", args.workspaceName),
      nameProblem("appInsights", "componentName", args.componentName),
      rangeProblem("retentionDays", args.retentionDays, 30, 730, "days"),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:Telemetry", name, {}, options);

    const { resourceGroupName, location, tags } = args;
    const workspace = new Workspace(
      `${name}-logs`,
      {
        workspaceName: args.workspaceName,
        resourceGroupName,
        location,
        tags,
        sku: { name: "PerGB2018" },
        retentionInDays: args.retentionDays,
        features: { disableLocalAuth: true },
      },
      { parent: this },
    );
    const component = new Component(
      `${name}-insights`,
      {
        resourceName: args.componentName,
        resourceGroupName,
        location,
        tags,
        kind: "web",
        applicationType: "web",
        ingestionMode: "LogAnalytics",
        workspaceResourceId: workspace.id,
        disableLocalAuth: true,
      },
      { parent: this },
    );

    this.workspaceId = workspace.id;
    this.componentId = component.id;
    this.connectionString = component.connectionString;
    this.registerOutputs({ workspaceId: this.workspaceId, componentId: this.componentId });
  }
}
