import { Account } from "@pulumi/azure-native/cognitiveservices/account.js";
import { Deployment } from "@pulumi/azure-native/cognitiveservices/deployment.js";
import type { cognitiveservices } from "@pulumi/azure-native/types/input.js";
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

/** One model served by the account. */
export interface ModelDeployment {
  /** Name of the deployment, which is part of the address clients call. 2 to 64 characters. */
  readonly name: string;
  /** The model in Azure's catalogue. Whether the region has it, the cloud decides. */
  readonly model: { readonly name: string; readonly version: string };
  readonly sku: {
    /** GlobalStandard, DataZoneStandard, Standard… */
    readonly name: string;
    /** Thousands of tokens per minute, 1 to 10,000. Counts against the region's quota. */
    readonly capacity: number;
  };
}

/** What a caller may change of the account beyond its arguments. */
export type AccountAdjustments = Pick<
  cognitiveservices.AccountPropertiesArgs,
  "publicNetworkAccess" | "networkAcls" | "restrictOutboundNetworkAccess" | "allowedFqdnList"
>;

/** What a caller may change of a deployment beyond its arguments. */
export type DeploymentAdjustments = Pick<
  cognitiveservices.DeploymentPropertiesArgs,
  "raiPolicyName" | "versionUpgradeOption" | "spilloverDeploymentName"
>;

/** Arguments of {@link OpenAiAccount}. */
export interface OpenAiAccountArgs {
  /** Name of the account, 2 to 64 letters, digits and hyphens. A deleted account holds its name for 48 hours. */
  readonly accountName: string;
  /** Subdomain of openai.azure.com, unique in the world. @default accountName */
  readonly customSubdomain?: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  /** Models to serve. They are made one after the other, in this order. */
  readonly deployments: readonly ModelDeployment[];
  readonly transform?: {
    readonly account?: Transform<AccountAdjustments>;
    readonly deployment?: Transform<DeploymentAdjustments>;
  };
}

/**
 * An Azure OpenAI account and its model deployments. Its keys are read by nobody here: they never pass through Pulumi.
 *
 * Deployments hang on one another, in making as in deleting: Azure answers 409 RequestConflict to a second operation on
 * the same account, and providers do not retry it.
 */
export class OpenAiAccount extends ComponentResource {
  /** `https://<subdomain>.openai.azure.com/` */
  readonly endpoint: string;
  readonly accountId: Output<string>;
  readonly accountName: Output<string>;
  /** When this very account was made. Another account under the same name has other keys. */
  readonly createdAt: Output<string>;
  /** The account itself: what to wait for before reading its keys. */
  readonly account: Resource;
  /** The model deployments: what to wait for before calling a model. */
  readonly deployments: readonly Resource[];

  constructor(name: string, args: OpenAiAccountArgs, options?: ComponentResourceOptions) {
    requireValid("OpenAiAccount", openAiAccountProblems(args));
    super("kiln:azure:OpenAiAccount", name, {}, options);

    const account = this.#account(name, args);
    const deployments = this.#deployments(name, args, account);

    this.endpoint = `https://${subdomainOf(args)}.openai.azure.com/`;
    this.accountId = account.id;
    this.accountName = account.name;
    this.createdAt = account.systemData.apply((data) => data?.createdAt ?? "");
    this.account = account;
    this.deployments = deployments;
    this.registerOutputs({ endpoint: this.endpoint, accountName: this.accountName });
  }

  #account(name: string, args: OpenAiAccountArgs): Account {
    return new Account(
      name,
      {
        accountName: args.accountName,
        resourceGroupName: args.resourceGroupName,
        location: args.location,
        tags: args.tags,
        kind: "OpenAI",
        sku: { name: "S0" },
        identity: { type: "SystemAssigned" },
        properties: {
          ...transformed<AccountAdjustments>(
            { publicNetworkAccess: "Enabled", networkAcls: { defaultAction: "Allow" } },
            args.transform?.account,
          ),
          customSubDomainName: subdomainOf(args),
          // Keys are what this account hands out; who may see them is settled by key custody and rotation.
          disableLocalAuth: false,
        },
      },
      { parent: this },
    );
  }

  #deployments(name: string, args: OpenAiAccountArgs, account: Account): Deployment[] {
    const made: Deployment[] = [];
    for (const { name: deploymentName, model, sku } of args.deployments) {
      const deployment = new Deployment(
        `${name}-${deploymentName}`,
        {
          deploymentName,
          accountName: account.name,
          resourceGroupName: args.resourceGroupName,
          tags: args.tags,
          sku: { name: sku.name, capacity: sku.capacity },
          properties: {
            ...transformed<DeploymentAdjustments>(
              { versionUpgradeOption: "OnceCurrentVersionExpired" },
              args.transform?.deployment,
            ),
            model: { format: "OpenAI", name: model.name, version: model.version },
          },
        },
        { parent: this, dependsOn: made.slice(-1) },
      );
      made.push(deployment);
    }
    return made;
  }
}

/** Everything that is wrong with the arguments. Pure. */
export function openAiAccountProblems(args: OpenAiAccountArgs): FieldProblem[] {
  const names = args.deployments.map((deployment) => deployment.name);
  return [
    nameProblem("openaiAccount", "accountName", args.accountName),
    nameProblem("customSubdomain", "customSubdomain", subdomainOf(args)),
    ...tagProblems(args.tags),
    ...args.deployments.flatMap((deployment, index) => [
      nameProblem("modelDeployment", `deployments[${index}].name`, deployment.name),
      rangeProblem(
        `deployments[${index}].sku.capacity`,
        deployment.sku.capacity,
        1,
        10_000,
        "thousand tokens",
      ),
      names.indexOf(deployment.name) < index
        ? { field: `deployments[${index}].name`, message: `repeats "${deployment.name}"` }
        : undefined,
    ]),
  ].filter((problem) => problem !== undefined);
}

function subdomainOf(args: OpenAiAccountArgs): string {
  return args.customSubdomain ?? args.accountName;
}
