import { StorageAccount, type StorageAccountArgs } from "@pulumi/azure-native/storage/storageAccount.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type Transform, transformed } from "../shared/transform.ts";
import { nameProblem, requireValid } from "../shared/validation.ts";

/** What a caller may change of the storage account beyond its arguments. */
export type StorageAdjustments = Pick<StorageAccountArgs, "sku" | "publicNetworkAccess" | "networkRuleSet">;

/** Arguments of {@link AppStorage}. */
export interface AppStorageArgs {
  /** Name of the account, unique in the world, 3 to 24 of a-z and 0-9. */
  readonly accountName: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  readonly transform?: { readonly account?: Transform<StorageAdjustments> };
}

/** The storage a Functions host keeps its own state in. It has no shared keys: only identities get in. */
export class AppStorage extends ComponentResource {
  readonly accountId: Output<string>;
  readonly accountName: Output<string>;

  constructor(name: string, args: AppStorageArgs, options?: ComponentResourceOptions) {
    requireValid("AppStorage", [
      nameProblem("storageAccount", "accountName", args.accountName),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:AppStorage", name, {}, options);

    const account = new StorageAccount(
      name,
      {
        ...transformed<StorageAdjustments>(
          { sku: { name: "Standard_LRS" }, publicNetworkAccess: "Enabled" },
          args.transform?.account,
        ),
        accountName: args.accountName,
        resourceGroupName: args.resourceGroupName,
        location: args.location,
        tags: args.tags,
        kind: "StorageV2",
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        defaultToOAuthAuthentication: true,
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
      },
      { parent: this },
    );

    this.accountId = account.id;
    this.accountName = account.name;
    this.registerOutputs({ accountId: this.accountId, accountName: this.accountName });
  }
}
