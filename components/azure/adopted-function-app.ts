import { type GetWebAppResult, getWebAppOutput } from "@pulumi/azure-native/web/getWebApp.js";
import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { nameProblem, requireValid } from "../shared/validation.ts";
import { type ModelAccess, modelSettings } from "./app-settings.ts";
import { type Grantee, grantSecretsUser } from "./grants.ts";
import { runStep } from "./step.ts";

/** Arguments of {@link AdoptedFunctionApp}. */
export interface AdoptedFunctionAppArgs {
  readonly subscriptionId: string;
  /** Name of the existing app. */
  readonly appName: string;
  /** Resource group of the existing app. */
  readonly resourceGroup: string;
  /** ARM id of the vault whose secrets its references name. */
  readonly vaultId: Output<string>;
  readonly model: ModelAccess;
  /** What must be done before the settings are written: a reference that cannot be resolved is cached as failed. */
  readonly settingsAfter: readonly Resource[];
}

/**
 * An existing app that becomes a client of the model. It stays its owner's: of its settings only ours are written, by the
 * adopt-settings step, since Azure's own call replaces the whole dictionary; only ours are taken away again; its code,
 * plan, tags and everything else are not touched.
 */
export class AdoptedFunctionApp extends ComponentResource {
  /** Done when the app has our settings. */
  readonly settings: Resource;

  constructor(name: string, args: AdoptedFunctionAppArgs, options?: ComponentResourceOptions) {
    requireValid("AdoptedFunctionApp", [nameProblem("functionApp", "appName", args.appName)]);
    super("kiln:azure:AdoptedFunctionApp", name, {}, options);

    const app = getWebAppOutput(
      { name: args.appName, resourceGroupName: args.resourceGroup },
      { parent: this },
    );
    const to: Grantee = {
      principalId: app.apply((found) => referencePrincipal(found, args.appName)),
      principalType: "ServicePrincipal",
    };
    const grant = grantSecretsUser(`${name}-reads-secrets`, { scope: args.vaultId, to }, { parent: this });
    const target = {
      subscription: args.subscriptionId,
      "resource-group": args.resourceGroup,
      app: args.appName,
    };
    const ours = modelSettings(args.model);

    this.settings = runStep(
      `${name}-adopt-settings`,
      {
        step: "adopt-settings",
        flags: { ...target, set: Object.entries(ours).map(([key, value]) => `${key}=${value}`) },
        deleteFlags: { ...target, remove: Object.keys(ours) },
      },
      { parent: this, dependsOn: [grant, ...args.settingsAfter] },
    );
    this.registerOutputs({});
  }
}

/** What of an app tells who it is when it looks up a reference. */
export type AppIdentityView = Pick<GetWebAppResult, "identity" | "keyVaultReferenceIdentity">;

/**
 * Object id of the identity an app resolves its references with: the user-assigned one it names for that, else its
 * system-assigned one. Pure.
 * @throws when the app has no such identity.
 */
export function referencePrincipal(app: AppIdentityView, appName: string): string {
  const named = app.keyVaultReferenceIdentity;
  if (named !== undefined && named !== "" && named.toLowerCase() !== "systemassigned") {
    const assigned = Object.entries(app.identity?.userAssignedIdentities ?? {});
    const found = assigned.find(([id]) => id.toLowerCase() === named.toLowerCase())?.[1].principalId;
    if (found !== undefined) return found;
  } else if (app.identity?.principalId) {
    return app.identity.principalId;
  }
  throw new Error(
    `The Function App "${appName}" has no managed identity to read its Key Vault references with. ` +
      "Give it a system-assigned identity, or set keyVaultReferenceIdentity to one that is assigned to it.",
  );
}
