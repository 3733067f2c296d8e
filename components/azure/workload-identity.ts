import type { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  interpolate,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { AUDIENCE } from "../shared/federation.ts";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { type FieldProblem, nameProblem, requireValid } from "../shared/validation.ts";
import { grantSecretsUser } from "./grants.ts";

/** Arguments of {@link WorkloadIdentity}. */
export interface WorkloadIdentityArgs {
  /** Name of the identity, 3 to 128 letters, digits, _ and -. */
  readonly identityName: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  /** The one service account that may become the identity. */
  readonly trusts: {
    /** Who signs the cluster's tokens, an https address. */
    readonly issuer: string;
    readonly namespace: string;
    readonly serviceAccount: string;
  };
  /** The secrets that it may read, and no others of the vault. */
  readonly reads: {
    /** ARM id of the vault. */
    readonly vaultId: Input<string>;
    /** Names of secrets, each once. */
    readonly secrets: readonly string[];
  };
}

/**
 * An identity that a service account of a cluster becomes, without a secret: Entra takes the account's token for it. It may read
 * single secrets of a vault, one grant for each.
 */
export class WorkloadIdentity extends ComponentResource {
  /** The id by which the service account names it. */
  readonly clientId: Output<string>;
  /** Its trust and its grants: what to wait for before the account reads a secret. */
  readonly ready: readonly Resource[];

  constructor(name: string, args: WorkloadIdentityArgs, options?: ComponentResourceOptions) {
    requireValid("WorkloadIdentity", workloadIdentityProblems(args));
    super("kiln:azure:WorkloadIdentity", name, {}, options);

    const identity = new UserAssignedIdentity(
      name,
      {
        resourceName: args.identityName,
        resourceGroupName: args.resourceGroupName,
        location: args.location,
        tags: args.tags,
      },
      { parent: this },
    );
    const { issuer, namespace, serviceAccount } = args.trusts;
    const trust = new FederatedIdentityCredential(
      `${name}-trust`,
      {
        resourceGroupName: args.resourceGroupName,
        resourceName: identity.name,
        federatedIdentityCredentialResourceName: serviceAccount,
        issuer,
        subject: `system:serviceaccount:${namespace}:${serviceAccount}`,
        audiences: [AUDIENCE],
      },
      { parent: this },
    );
    const grants = args.reads.secrets.map(
      (secret): RoleAssignment =>
        grantSecretsUser(
          `${name}-reads-${secret}`,
          {
            scope: interpolate`${args.reads.vaultId}/secrets/${secret}`,
            to: { principalId: identity.principalId, principalType: "ServicePrincipal" },
          },
          { parent: this },
        ),
    );

    this.clientId = identity.clientId;
    this.ready = [trust, ...grants];
    this.registerOutputs({ clientId: this.clientId });
  }
}

/** Everything that is wrong with the arguments. Pure. */
export function workloadIdentityProblems(args: WorkloadIdentityArgs): FieldProblem[] {
  const { trusts, reads } = args;
  return [
    nameProblem("identity", "identityName", args.identityName),
    ...tagProblems(args.tags),
    // Tokens are compared letter by letter, and only https is taken.
    /^https:\/\/\S+$/.test(trusts.issuer)
      ? undefined
      : { field: "trusts.issuer", message: `"${trusts.issuer}" is no https address` },
    ...reads.secrets.map((secret, at) => nameProblem("secret", `reads.secrets[${at}]`, secret)),
    reads.secrets.length === 0 ? { field: "reads.secrets", message: "are none" } : undefined,
    new Set(reads.secrets).size < reads.secrets.length
      ? { field: "reads.secrets", message: "name a secret twice" }
      : undefined,
  ].filter((problem) => problem !== undefined);
}
