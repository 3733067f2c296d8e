import { mustBe, type Rule } from "../model.ts";

const RESOURCE_SCOPE =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+(?:\/[^/]+\/[^/]+)+\/?$/i;

/** A grant ends where the work ends: at a resource. */
export const rbacScope: Rule = {
  name: "rbac-scope",
  description: "Role assignments reach no further than one resource.",
  severity: "high",
  types: ["authorization:RoleAssignment", "authorization:PimRoleEligibilitySchedule"],
  check: ({ props }) =>
    mustBe(
      props,
      "scope",
      (value) => typeof value === "string" && RESOURCE_SCOPE.test(value),
      "must be the id of one resource, not a group, a subscription or a management group.",
    ),
};
