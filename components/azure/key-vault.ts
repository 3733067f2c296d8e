import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import type { keyvault } from "@pulumi/azure-native/types/input.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type Transform, transformed } from "../shared/transform.ts";
import { type FieldProblem, nameProblem, rangeProblem, requireValid } from "../shared/validation.ts";

/** What a caller may change of the vault beyond its arguments. */
export type VaultAdjustments = Pick<
  keyvault.VaultPropertiesArgs,
  "publicNetworkAccess" | "networkAcls" | "enabledForDeployment" | "enabledForTemplateDeployment"
>;

/** Arguments of {@link KeyVault}. */
export interface KeyVaultArgs {
  /** Name of the vault, unique in the world, 3 to 24 letters, digits and hyphens. A deleted vault holds its name. */
  readonly vaultName: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  /** Directory whose identities the vault knows. */
  readonly tenantId: Input<string>;
  readonly tags: Tags;
  /** Days during which a deleted vault or secret can be brought back, 7 to 90. Fixed once the vault exists. */
  readonly softDeleteRetentionDays: number;
  /** Whether nobody can purge it before that. Azure takes this switch in one direction only. */
  readonly purgeProtection: boolean;
  /** `recover` brings back the soft-deleted vault of this name. Only looked at when the vault is made. @default "default" */
  readonly createMode?: "default" | "recover";
  /** What must be made first. @default nothing but what the arguments come from */
  readonly after?: readonly Resource[];
  readonly transform?: { readonly vault?: Transform<VaultAdjustments> };
}

/** A Key Vault that grants access by role only and never forgets a secret at once. */
export class KeyVault extends ComponentResource {
  readonly vaultId: Output<string>;
  readonly vaultName: Output<string>;
  /** `https://<name>.vault.azure.net/` */
  readonly vaultUri: string;
  /** When this very vault was made. Another vault under the same name holds none of its secrets. */
  readonly createdAt: Output<string>;

  constructor(name: string, args: KeyVaultArgs, options?: ComponentResourceOptions) {
    requireValid("KeyVault", keyVaultProblems(args));
    super("kiln:azure:KeyVault", name, {}, options);

    const vault = new Vault(
      name,
      {
        vaultName: args.vaultName,
        resourceGroupName: args.resourceGroupName,
        location: args.location,
        tags: args.tags,
        properties: vaultProperties(args),
      },
      // How the vault came to be says nothing about what it should be: a recovered vault must not differ from a new one.
      { parent: this, ignoreChanges: ["properties.createMode"], dependsOn: [...(args.after ?? [])] },
    );

    this.vaultId = vault.id;
    this.vaultName = vault.name;
    this.vaultUri = `https://${args.vaultName}.vault.azure.net/`;
    this.createdAt = vault.systemData.apply((data) => data?.createdAt ?? "");
    this.registerOutputs({ vaultName: this.vaultName, vaultUri: this.vaultUri });
  }
}

/** The vault's properties: secure defaults, the caller's, the non-negotiable. Pure. */
export function vaultProperties(args: KeyVaultArgs): keyvault.VaultPropertiesArgs {
  return {
    ...transformed<VaultAdjustments>(
      {
        publicNetworkAccess: "Enabled",
        networkAcls: { bypass: "AzureServices", defaultAction: "Allow" },
        enabledForDeployment: false,
        enabledForTemplateDeployment: false,
      },
      args.transform?.vault,
    ),
    tenantId: args.tenantId,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    enableSoftDelete: true,
    softDeleteRetentionInDays: args.softDeleteRetentionDays,
    // Azure refuses an explicit false on a vault that once had true; the absence of it means "as it is".
    ...(args.purgeProtection ? { enablePurgeProtection: true } : {}),
    ...(args.createMode === "recover" ? { createMode: "recover" } : {}),
  };
}

/** Everything that is wrong with the arguments. Pure. */
export function keyVaultProblems(args: KeyVaultArgs): FieldProblem[] {
  return [
    nameProblem("vault", "vaultName", args.vaultName),
    rangeProblem("softDeleteRetentionDays", args.softDeleteRetentionDays, 7, 90, "days"),
    ...tagProblems(args.tags),
  ].filter((problem) => problem !== undefined);
}
