import type { Command } from "@pulumi/command/local/command.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { keyVaultReference } from "../shared/names.ts";
import { TAG_NAMES, type Tags, tagProblems } from "../shared/tags.ts";
import { nameProblem, rangeProblem, requireValid } from "../shared/validation.ts";
import { runStep } from "./step.ts";

/** Arguments of {@link KeyCustody}. */
export interface KeyCustodyArgs {
  readonly subscriptionId: string;
  /** The account whose active key is kept. */
  readonly account: {
    readonly resourceGroup: string;
    readonly name: string;
    readonly createdAt: Input<string>;
  };
  /** The vault that keeps it. */
  readonly vault: { readonly uri: string; readonly createdAt: Input<string> };
  /** Name of the secret, letters, digits and hyphens. */
  readonly secretName: string;
  /** Days after which the secret counts as expired unless rotated, 1 to 730. */
  readonly lifetimeDays: number;
  /** Tags of the secret. */
  readonly tags: Tags;
  /** What must exist first: account, vault, and the grant with which the deployer writes. */
  readonly after: readonly Resource[];
}

/**
 * Keeps the account's active key in the vault. The key goes from one to the other inside the key-sync step, by SDK; the
 * stack sees the slot's name and the secret's address, never the key: not in state, outputs, logs or arguments. A
 * secret that equals one of the account's live keys is left alone, so that an `up` never undoes a rotation.
 */
export class KeyCustody extends ComponentResource {
  /** Address of the secret, without a version. */
  readonly secretUri: string;
  /** What an app setting holds to get the secret. */
  readonly reference: string;
  /** Done when the secret is written. */
  readonly sync: Command;

  constructor(name: string, args: KeyCustodyArgs, options?: ComponentResourceOptions) {
    requireValid("KeyCustody", [
      nameProblem("secret", "secretName", args.secretName),
      rangeProblem("lifetimeDays", args.lifetimeDays, 1, 730, "days"),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:KeyCustody", name, {}, options);

    this.secretUri = new URL(`secrets/${args.secretName}`, args.vault.uri).href;
    this.reference = keyVaultReference(this.secretUri);
    this.sync = runStep(
      `${name}-key-sync`,
      {
        step: "key-sync",
        flags: {
          subscription: args.subscriptionId,
          "resource-group": args.account.resourceGroup,
          account: args.account.name,
          vault: args.vault.uri,
          secret: args.secretName,
          "lifetime-days": args.lifetimeDays,
          tag: TAG_NAMES.map((tag) => `${tag}=${args.tags[tag]}`),
        },
        // The same name does not mean the same thing: another account has other keys, another vault no secret.
        triggers: [args.account.createdAt, args.vault.createdAt],
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.registerOutputs({ secretUri: this.secretUri });
  }
}
