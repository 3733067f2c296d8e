import type { Command } from "@pulumi/command/local/command.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { runStep } from "./step.ts";

/** Arguments of {@link BackendCode}. */
export interface BackendCodeArgs {
  readonly appName: string;
  /** Which app it is; a new one of the same name needs the code again. */
  readonly appInstance: Input<string>;
  /** Folder of the code, relative to the project, with forward slashes. */
  readonly source: string;
  /** Hash of the folder's content; a change deploys it again. */
  readonly contentHash: string;
  /** What must be done first: the settings the code starts with. */
  readonly after: readonly Resource[];
}

/** The code an app runs, deployed as a zip file by whoever runs the stack, with an identity and no publishing password. */
export class BackendCode extends ComponentResource {
  /** Done when the app runs the code. */
  readonly deployed: Command;

  constructor(name: string, args: BackendCodeArgs, options?: ComponentResourceOptions) {
    super("kiln:azure:BackendCode", name, {}, options);
    this.deployed = runStep(
      `${name}-deploy`,
      {
        step: "deploy-backend",
        flags: { app: args.appName, source: args.source, "content-hash": args.contentHash },
        triggers: [args.appInstance],
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.registerOutputs({});
  }
}
