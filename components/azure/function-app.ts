import type { web } from "@pulumi/azure-native/types/input.js";
import { AppServicePlan } from "@pulumi/azure-native/web/appServicePlan.js";
import { WebApp } from "@pulumi/azure-native/web/webApp.js";
import { WebAppApplicationSettings } from "@pulumi/azure-native/web/webAppApplicationSettings.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type Transform, transformed } from "../shared/transform.ts";
import { nameProblem, requireValid } from "../shared/validation.ts";
import { type HostAccess, hostSettings, type ModelAccess, modelSettings } from "./app-settings.ts";

/** What a caller may change of the site's configuration beyond its arguments. */
export type SiteAdjustments = Pick<
  web.SiteConfigArgs,
  "alwaysOn" | "cors" | "healthCheckPath" | "ipSecurityRestrictions" | "numberOfWorkers"
>;

/** Arguments of {@link FunctionApp}. */
export interface FunctionAppArgs {
  /** Name of the app, unique in the world, 2 to 60 letters, digits and hyphens. */
  readonly appName: string;
  /** Name of its plan, 1 to 60 letters, digits and hyphens. */
  readonly planName: string;
  /** Size of the plan, one that can keep an app always on: B1, P0v3, P1v3… */
  readonly planSku: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  /** ARM id of the user-assigned identity the app runs as and resolves its references with. */
  readonly identityId: Input<string>;
  readonly model: ModelAccess;
  readonly host: HostAccess;
  /** What must be done before the settings are written: a reference that cannot be resolved is cached as failed. */
  readonly settingsAfter: readonly Resource[];
  readonly transform?: { readonly siteConfig?: Transform<SiteAdjustments> };
}

/** A Linux Function App on a plan of its own, whose only way to a secret is a Key Vault reference. */
export class FunctionApp extends ComponentResource {
  readonly appId: Output<string>;
  readonly appName: Output<string>;
  /**
   * Which app this is: the id of its own, system-assigned identity, which Azure makes anew with each app. Another app under the
   * same name has none of the code, and has read no secret: what was put into the old one went with it.
   */
  readonly instance: Output<string>;
  /** Done when the app has its settings. */
  readonly settings: Resource;

  constructor(name: string, args: FunctionAppArgs, options?: ComponentResourceOptions) {
    requireValid("FunctionApp", [
      nameProblem("functionApp", "appName", args.appName),
      nameProblem("plan", "planName", args.planName),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:FunctionApp", name, {}, options);

    const plan = this.#plan(name, args);
    const app = this.#app(name, args, plan);
    const settings = this.#settings(name, args, app);

    this.appId = app.id;
    this.appName = app.name;
    this.instance = app.identity.apply((identity) => identity?.principalId ?? "");
    this.settings = settings;
    this.registerOutputs({ appId: this.appId, appName: this.appName });
  }

  #plan(name: string, args: FunctionAppArgs): AppServicePlan {
    const { resourceGroupName, location, tags } = args;
    return new AppServicePlan(
      `${name}-plan`,
      {
        name: args.planName,
        resourceGroupName,
        location,
        tags,
        kind: "linux",
        // Azure's word for Linux.
        reserved: true,
        sku: { name: args.planSku },
      },
      { parent: this },
    );
  }

  #app(name: string, args: FunctionAppArgs, plan: AppServicePlan): WebApp {
    const { resourceGroupName, location, tags, identityId } = args;
    return new WebApp(
      name,
      {
        name: args.appName,
        resourceGroupName,
        location,
        tags,
        kind: "functionapp,linux",
        reserved: true,
        serverFarmId: plan.id,
        // It works as the identity it is given. The one of its own has no grants: it tells this app from the next.
        identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: [identityId] },
        keyVaultReferenceIdentity: identityId,
        httpsOnly: true,
        clientAffinityEnabled: false,
        publicNetworkAccess: "Enabled",
        siteConfig: siteConfig(args.transform?.siteConfig),
      },
      { parent: this },
    );
  }

  #settings(name: string, args: FunctionAppArgs, app: WebApp): WebAppApplicationSettings {
    return new WebAppApplicationSettings(
      `${name}-settings`,
      {
        name: app.name,
        resourceGroupName: args.resourceGroupName,
        properties: { ...hostSettings(args.host), ...modelSettings(args.model) },
      },
      { parent: this, dependsOn: [...args.settingsAfter] },
    );
  }
}

/** The site's configuration: defaults, the caller's, the non-negotiable. Pure. */
export function siteConfig(transform?: Transform<SiteAdjustments>): web.SiteConfigArgs {
  return {
    ...transformed<SiteAdjustments>({ alwaysOn: true, healthCheckPath: "/api/health" }, transform),
    linuxFxVersion: "NODE|24",
    ftpsState: "Disabled",
    minTlsVersion: "1.2",
    scmMinTlsVersion: "1.2",
    http20Enabled: true,
    remoteDebuggingEnabled: false,
  };
}
