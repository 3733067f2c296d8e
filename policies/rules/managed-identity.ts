import { at, objectAt, type Rule, UNKNOWN } from "../model.ts";

/** A service with an identity of its own needs no key to reach another. */
export const managedIdentity: Rule = {
  name: "managed-identity",
  description: "AI accounts, web apps, container apps and ML workspaces have a managed identity.",
  severity: "high",
  types: [
    "cognitiveservices:Account",
    "web:WebApp",
    "web:WebAppSlot",
    "app:ContainerApp",
    "app:Job",
    "machinelearningservices:Workspace",
  ],
  check({ props }) {
    const type = at(props, "identity.type");
    if (type === UNKNOWN) return [];
    if (typeof type !== "string" || !/SystemAssigned|UserAssigned/i.test(type))
      return [{ property: "identity.type", message: "must be SystemAssigned or UserAssigned." }];
    const users = at(props, "identity.userAssignedIdentities");
    const named =
      users === UNKNOWN || Array.isArray(users)
        ? users
        : Object.keys(objectAt(props, "identity.userAssignedIdentities"));
    return /UserAssigned/i.test(type) && Array.isArray(named) && named.length === 0
      ? [
          {
            property: "identity.userAssignedIdentities",
            message: "must name the identity that it says it has.",
          },
        ]
      : [];
  },
};
