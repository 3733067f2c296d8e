import type { Command } from "@pulumi/command/local/command.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { TAG_NAMES, type Tags, tagProblems } from "../shared/tags.ts";
import { nameProblem, requireValid } from "../shared/validation.ts";
import { runStep } from "./step.ts";

/** Arguments of {@link GeneratedSecret}. */
export interface GeneratedSecretArgs {
  /** The vault that keeps it. */
  readonly vault: { readonly uri: string; readonly createdAt: Input<string> };
  /** Name of the secret, letters, digits and hyphens. */
  readonly secretName: string;
  /** Tags of the secret. */
  readonly tags: Tags;
  /** What must exist first: the vault, and the grant with which the deployer writes. */
  readonly after: readonly Resource[];
}

/**
 * A password that nobody has to know: made at random inside a step, straight into the vault, where there is none of that name.
 * One that is there is left alone. The stack sees the secret's name only.
 */
export class GeneratedSecret extends ComponentResource {
  readonly secretName: string;
  /** Done when the secret is there. */
  readonly made: Command;

  constructor(name: string, args: GeneratedSecretArgs, options?: ComponentResourceOptions) {
    requireValid("GeneratedSecret", [
      nameProblem("secret", "secretName", args.secretName),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:GeneratedSecret", name, {}, options);

    this.secretName = args.secretName;
    this.made = runStep(
      `${name}-make`,
      {
        step: "make-secret",
        flags: {
          vault: args.vault.uri,
          secret: args.secretName,
          tag: TAG_NAMES.map((tag) => `${tag}=${args.tags[tag]}`),
        },
        // Another vault under the same name holds none of its secrets.
        triggers: [args.vault.createdAt],
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.registerOutputs({ secretName: this.secretName });
  }
}
