import type { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { type Tags, tagProblems } from "../shared/tags.ts";
import { nameProblem, requireValid } from "../shared/validation.ts";
import { type Grantee, grantBlobOwner, grantSecretsUser, grantTelemetryPublisher } from "./grants.ts";

/** Arguments of {@link AppIdentity}. */
export interface AppIdentityArgs {
  /** Name of the identity, 3 to 128 letters, digits, _ and -. */
  readonly identityName: string;
  readonly resourceGroupName: Input<string>;
  /** Azure region in its short form. */
  readonly location: string;
  readonly tags: Tags;
  /** What the app may do, one grant each; absent means no. */
  readonly may: {
    /** ARM id of the vault whose secrets it reads. */
    readonly readSecretsOf?: Input<string>;
    /** ARM id of the storage account that is the host's own. */
    readonly ownBlobsOf?: Input<string>;
    /** ARM id of the Application Insights component it reports to. */
    readonly reportTo?: Input<string>;
  };
}

/**
 * The identity an app runs as, with its grants. User-assigned, so that it and its grants exist, and have had time to take
 * effect, before the app first looks at a secret.
 */
export class AppIdentity extends ComponentResource {
  /** ARM id of the identity. */
  readonly identityId: Output<string>;
  /** The id an app names the identity by when it asks for a token. */
  readonly clientId: Output<string>;
  /** The identity as grants name it. */
  readonly grantee: Grantee;
  /** Its grants: what to wait for before the app relies on one. */
  readonly grants: readonly RoleAssignment[];

  constructor(name: string, args: AppIdentityArgs, options?: ComponentResourceOptions) {
    requireValid("AppIdentity", [
      nameProblem("identity", "identityName", args.identityName),
      ...tagProblems(args.tags),
    ]);
    super("kiln:azure:AppIdentity", name, {}, options);

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

    this.identityId = identity.id;
    this.clientId = identity.clientId;
    this.grantee = { principalId: identity.principalId, principalType: "ServicePrincipal" };
    this.grants = this.#grants(name, args.may);
    this.registerOutputs({ identityId: this.identityId, clientId: this.clientId });
  }

  #grants(name: string, may: AppIdentityArgs["may"]): RoleAssignment[] {
    const to = this.grantee;
    const options = { parent: this };
    const made: RoleAssignment[] = [];
    if (may.readSecretsOf !== undefined) {
      made.push(grantSecretsUser(`${name}-reads-secrets`, { scope: may.readSecretsOf, to }, options));
    }
    if (may.ownBlobsOf !== undefined) {
      made.push(grantBlobOwner(`${name}-owns-blobs`, { scope: may.ownBlobsOf, to }, options));
    }
    if (may.reportTo !== undefined) {
      made.push(grantTelemetryPublisher(`${name}-reports`, { scope: may.reportTo, to }, options));
    }
    return made;
  }
}
