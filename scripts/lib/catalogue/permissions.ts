import type { Explanation } from "./explanation.ts";

const elsewhere = "It would be the same in every region, so no other is tried.";

/** Who may not, or not yet. */
export const permissionErrors: readonly Explanation[] = [
  {
    codes: ["AuthorizationFailed", "LinkedAuthorizationFailed", "RoleAssignmentPermissionDenied"],
    what: "the one who is signed in may not do this",
    why: "It lacks a role for the action on that scope. A role granted a moment ago takes up to 10 minutes.",
    consequence: elsewhere,
    next: "Have the role granted: Contributor and Role Based Access Control Administrator on the subscription are enough.",
  },
  {
    codes: ["RequestDisallowedByPolicy"],
    what: "a policy of the organization forbids it",
    why: "An Azure Policy on the subscription or above it denies such a resource, or its region ({region}).",
    consequence: "Kiln does not work around a policy: no other region is tried.",
    next: "Read the policy's name in the message. If it is about the region, take that region out of kiln:location and kiln:fallbackLocations; else change the resource or ask for an exemption.",
  },
  {
    codes: ["ForbiddenByFirewall"],
    what: "the vault's firewall refuses this machine",
    why: "The vault takes requests only from networks that it names.",
    consequence: "The key can be neither read nor written from here. Waiting does not help.",
    next: "Run it from an allowed network, or have this one's address added to the vault.",
  },
  {
    codes: ["Forbidden", "ForbiddenByRbac"],
    what: "the data plane of the vault refuses the one who is signed in",
    why: "It lacks Key Vault Secrets Officer on the vault, or the grant has not spread yet (up to 10 minutes, 30 at worst).",
    consequence: "The key was not written; everything else stays as it is.",
    next: "Wait a few minutes and run it again.",
  },
  {
    codes: ["PrincipalNotFound"],
    transient: true,
    what: "a role was to be given to someone whom the directory does not know",
    why: "A new identity takes a while to be known everywhere, or it was deleted.",
    consequence: "Kiln tries again by itself a few times. The grant was not made.",
    next: "Run it again in a minute.",
  },
  {
    codes: ["RoleAssignmentUpdateNotPermitted"],
    what: "a grant is there that was made to someone else",
    why: "An identity was made anew under its old name, and the old one's grant still has the id.",
    consequence:
      "A grant cannot be turned over to another: until the old one is gone the app may not read its key.",
    next: "Delete the role assignment that the message names (`az role assignment delete --ids …`), then run it again.",
  },
  {
    codes: ["RoleAssignmentExists"],
    what: "the grant exists already, under another id",
    why: "The state was lost, or someone gave the role by hand.",
    consequence: "Kiln does not take over a grant that is not on record.",
    next: "Delete that role assignment (the message has its id), then run it again.",
  },
  {
    codes: [
      "ExpiredAuthenticationToken",
      "InvalidAuthenticationToken",
      "InvalidAuthenticationTokenAudience",
      "InvalidAuthenticationTokenTenant",
      "AuthenticationFailed",
      "Unauthorized",
    ],
    what: "the sign-in does not hold any more",
    why: "The access token has expired or is not for this cloud.",
    consequence: "Nothing more was changed.",
    next: "Sign in again (`az login`), or start the sandbox anew, then run it again.",
  },
  {
    codes: ["SubscriptionNotFound", "InvalidSubscriptionId"],
    what: "there is no such subscription for the one who is signed in",
    why: "Its id is wrong, it belongs to another tenant, or nobody gave a role on it.",
    consequence: "Nothing was touched.",
    next: "Check AZURE_SUBSCRIPTION_ID against `az account list`.",
  },
  {
    codes: ["MissingSubscriptionRegistration"],
    what: "the subscription has never used one of the services",
    why: "A subscription has to be registered for each service once.",
    consequence: elsewhere,
    next: "Register it (`az provider register --namespace …`, the message names it), wait until it is done, then run it again.",
  },
  {
    codes: ["ReadOnlyDisabledSubscription"],
    what: "the subscription is switched off",
    why: "It has expired, reached its spending limit, or was disabled.",
    consequence: "Nothing can be made, changed or deleted in it.",
    next: "Have it switched on again, then run it again.",
  },
];
