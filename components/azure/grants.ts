import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { all, type CustomResourceOptions, type Input, output } from "@pulumi/pulumi";
import { deterministicUuid } from "../shared/names.ts";
import { type Permission, ROLES } from "./roles.ts";

/** What an identity is, as role assignments name it. */
export type PrincipalType = "User" | "ServicePrincipal" | "Group";

/** Who gets a grant. A managed identity is a service principal. */
export interface Grantee {
  /** Object id of the identity in the directory. */
  readonly principalId: Input<string>;
  /** Always said: for an identity made a moment ago Azure cannot look it up yet and answers PrincipalNotFound. */
  readonly principalType: PrincipalType;
}

/** A grant on one resource. */
export interface GrantArgs {
  /** ARM id of the resource the grant is for; never wider than one resource. */
  readonly scope: Input<string>;
  readonly to: Grantee;
}

export { type Permission, ROLES } from "./roles.ts";

/** Lets an identity read the secrets of a vault. */
export const grantSecretsUser = grants("readSecrets");
/** Lets an identity manage the secrets of a vault. */
export const grantSecretsOfficer = grants("manageSecrets");
/** Lets an identity own the blobs of a storage account. */
export const grantBlobOwner = grants("ownBlobs");
/** Lets an identity send telemetry to an Application Insights component. */
export const grantTelemetryPublisher = grants("publishTelemetry");
/** Lets an identity read and regenerate the keys of a Cognitive Services account. */
export const grantAccountKeys = grants("manageAccountKeys");

function grants(permission: Permission) {
  return (name: string, args: GrantArgs, options?: CustomResourceOptions): RoleAssignment =>
    new RoleAssignment(
      name,
      {
        scope: args.scope,
        principalId: args.to.principalId,
        principalType: args.to.principalType,
        roleDefinitionId: output(args.scope).apply((scope) => roleDefinitionId(scope, permission)),
        roleAssignmentName: all([args.scope, args.to.principalId]).apply(([scope, principal]) =>
          grantName(scope, principal, permission),
        ),
      },
      options,
    );
}

/**
 * Name of a role assignment, a uuid. The principal is part of it: an identity made anew gets an assignment of its own, and
 * never meets RoleAssignmentUpdateNotPermitted on that of its predecessor. Pure.
 */
export function grantName(scope: string, principalId: string, permission: Permission): string {
  return deterministicUuid("role-assignment", scope, principalId, ROLES[permission]);
}

/** ARM id of a role in the subscription of the scope, the form in which Azure returns it. Pure. */
export function roleDefinitionId(scope: string, permission: Permission): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0];
  if (subscription === undefined)
    throw new Error(`A grant's scope must be an ARM id within a subscription: ${scope}`);
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${ROLES[permission]}`;
}
