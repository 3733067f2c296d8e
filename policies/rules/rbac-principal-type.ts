import { mustBe, type Rule } from "../model.ts";

/** Without it, Azure looks the principal up and fails for one that was made a moment ago (`PrincipalNotFound`). */
export const rbacPrincipalType: Rule = {
  name: "rbac-principal-type",
  description: "Role assignments name the type of their principal.",
  severity: "medium",
  types: ["authorization:RoleAssignment"],
  check: ({ props }) =>
    mustBe(
      props,
      "principalType",
      (value) => typeof value === "string" && value !== "",
      "must be set: Azure may not find a principal that was just created.",
    ),
};
