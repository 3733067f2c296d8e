import { azureType, type Props, type Rule, UNKNOWN, type Value, type Violation } from "../model.ts";

/** Built-in roles that can give themselves any other (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles). */
const ALL_POWERFUL = new Map([
  ["8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"],
  ["18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"],
  ["f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"],
]);

/** No one is given the power to give power, by a built-in role or by a custom one that is an owner by another name. */
export const rbacNoOwner: Rule = {
  name: "rbac-no-owner",
  description: "No grant of Owner or of a role that can grant roles, built in or custom.",
  severity: "critical",
  types: [
    "authorization:RoleAssignment",
    "authorization:PimRoleEligibilitySchedule",
    "authorization:RoleDefinition",
  ],
  check: ({ type, props }) =>
    azureType(type) === "authorization:RoleDefinition" ? ownersPowers(props) : ownersRole(props),
};

function ownersRole(props: Props): Violation[] {
  const id = props.roleDefinitionId;
  const role =
    typeof id === "string" ? ALL_POWERFUL.get(id.split("/").at(-1)?.toLowerCase() ?? "") : undefined;
  return role === undefined
    ? []
    : [
        {
          property: "roleDefinitionId",
          message: `${role} can grant any role. Grant the role that the work needs.`,
        },
      ];
}

function ownersPowers(props: Props): Violation[] {
  const permissions = props.permissions;
  if (!Array.isArray(permissions)) return [];
  return permissions.flatMap((permission: Value, index) => {
    if (permission === UNKNOWN || typeof permission !== "object" || permission === null) return [];
    const { actions, notActions } = permission as Props;
    const without = Array.isArray(notActions)
      ? notActions.filter((action) => typeof action === "string")
      : [];
    const powerful = (Array.isArray(actions) ? actions : []).some(
      (action: Value) =>
        typeof action === "string" && grantsRoles(action) && !without.some((not) => grantsRoles(not)),
    );
    return powerful
      ? [
          {
            property: `permissions[${index}].actions`,
            message: "a custom owner: the role can grant roles. List the actions it needs.",
          },
        ]
      : [];
  });
}

/** Whether an action, wildcards included, covers the writing of role assignments. */
function grantsRoles(action: string): boolean {
  const pattern = action
    .toLowerCase()
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*");
  return new RegExp(`^${pattern}$`).test("microsoft.authorization/roleassignments/write");
}
