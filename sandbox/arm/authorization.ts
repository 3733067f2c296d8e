import { z } from "zod";
import type { Cloud } from "../core/cloud.ts";
import { CloudError } from "../core/errors.ts";
import { type RoleAssignment, type RoleDefinition, roleDefinitions } from "../core/rbac.ts";
import { type ArmModule, parseBody } from "./http.ts";
import { scopeOf } from "./scoped.ts";

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const bodySchema = z.object({
  properties: z.object({
    roleDefinitionId: z.string().min(1),
    principalId: z.string().min(1),
    principalType: z.enum(["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"]).optional(),
    description: z.string().optional(),
    condition: z.string().optional(),
    conditionVersion: z.literal("2.0").optional(),
  }),
});

type Route = { Params: { name: string }; Querystring: { $filter?: string } };

/**
 * Role definitions and assignments at any scope. The paths are the inner ones that `scoped.ts` makes of
 * `{scope}/providers/Microsoft.Authorization/…`.
 */
export const authorization: ArmModule = (arm, cloud) => {
  const { assignments } = cloud.rbac;
  const all = () => [...cloud.rbac.standing(), ...assignments.values()];
  const standing = (scope: string, name: string) =>
    cloud.rbac.standing().find((each) => each.scope === scope && each.name === name.toLowerCase());

  arm.put<Route>("/-scoped/roleassignments/:name", async (request, reply) => {
    const scope = normalScope(scopeOf(request));
    const name = requireGuid(request.params.name);
    requireScope(cloud, scope);
    const { properties } = parseBody(bodySchema, request.body);
    const definition = requireDefinition(properties.roleDefinitionId);
    const wanted = {
      scope,
      name,
      principalId: properties.principalId.toLowerCase(),
      principalType: properties.principalType ?? "ServicePrincipal",
      roleDefinitionId: definition.id,
      ...said(properties),
    };
    const existing = assignments.get(key(scope, name));
    if (existing !== undefined) {
      if (
        existing.principalId !== wanted.principalId ||
        existing.roleDefinitionId !== wanted.roleDefinitionId
      ) {
        throw new CloudError(
          400,
          "RoleAssignmentUpdateNotPermitted",
          "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        );
      }
      const { description: _old, condition: _was, conditionVersion: _of, ...kept } = existing;
      const changed = { ...kept, ...said(properties) };
      assignments.put(key(scope, name), changed);
      return show(cloud, changed);
    }
    requirePrincipal(cloud, wanted.principalId, properties.principalType);
    const same = all().find(
      (each) =>
        each.scope === scope &&
        each.principalId === wanted.principalId &&
        each.roleDefinitionId === wanted.roleDefinitionId,
    );
    if (same !== undefined) {
      throw new CloudError(
        409,
        "RoleAssignmentExists",
        `The role assignment already exists. The ID of the existing role assignment is ${same.name.replaceAll("-", "")}.`,
      );
    }
    const made = { ...wanted, createdAt: cloud.clock.now(), createdBy: request.caller.objectId };
    assignments.put(key(scope, name), made);
    return reply.code(201).send(show(cloud, made));
  });

  arm.get<Route>("/-scoped/roleassignments/:name", async (request) => {
    const scope = normalScope(scopeOf(request));
    const { name } = request.params;
    const found = assignments.get(key(scope, name)) ?? standing(scope, name);
    if (found === undefined) {
      throw new CloudError(404, "RoleAssignmentNotFound", `The role assignment '${name}' is not found.`);
    }
    return show(cloud, found);
  });

  arm.delete<Route>("/-scoped/roleassignments/:name", async (request, reply) => {
    const scope = normalScope(scopeOf(request));
    if (standing(scope, request.params.name) !== undefined) {
      throw new CloudError(
        409,
        "StandingRoleAssignment",
        "The sandbox's own principals keep the role that they have on its subscription.",
      );
    }
    const at = key(scope, request.params.name);
    const found = assignments.get(at);
    if (found === undefined) return reply.code(204).send();
    assignments.delete(at);
    return show(cloud, found);
  });

  arm.get<Route>("/-scoped/roleassignments", async (request) => {
    const scope = normalScope(scopeOf(request));
    const filter = request.query.$filter ?? "";
    const principal = /(?:principalId|assignedTo)\s*(?:eq\s*|\(\s*)'([^']+)'/i
      .exec(filter)?.[1]
      ?.toLowerCase();
    const here = all().filter((each) => {
      const above = scope === each.scope || scope.startsWith(`${each.scope}/`);
      const below = each.scope.startsWith(`${scope}/`);
      return /atScope\(\)/i.test(filter) ? above : above || below;
    });
    const wanted = here.filter((each) => principal === undefined || each.principalId === principal);
    return { value: wanted.map((each) => show(cloud, each)) };
  });

  arm.get<Route>("/-scoped/roledefinitions", async (request) => {
    const name = /roleName\s+eq\s+'([^']+)'/i.exec(request.query.$filter ?? "")?.[1]?.toLowerCase();
    const wanted = roleDefinitions.filter((each) => name === undefined || each.name.toLowerCase() === name);
    return { value: wanted.map((each) => showDefinition(cloud, each)) };
  });

  arm.get<Route>("/-scoped/roledefinitions/:name", async (request) =>
    showDefinition(cloud, requireDefinition(request.params.name)),
  );
};

/** The parts of an assignment that may be left out, and changed. */
function said(from: {
  readonly description?: string | undefined;
  readonly condition?: string | undefined;
  readonly conditionVersion?: string | undefined;
}): Pick<RoleAssignment, "description" | "condition" | "conditionVersion"> {
  const { description, condition, conditionVersion } = from;
  return {
    ...(description === undefined ? {} : { description }),
    ...(condition === undefined ? {} : { condition, conditionVersion: conditionVersion ?? "2.0" }),
  };
}

function key(scope: string, name: string): string {
  return `${scope}/${name.toLowerCase()}`;
}

function normalScope(scope: string): string {
  return scope.toLowerCase().replace(/\/+$/, "");
}

function requireGuid(name: string): string {
  if (!guid.test(name)) {
    throw new CloudError(
      400,
      "InvalidRoleAssignmentId",
      `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
    );
  }
  return name.toLowerCase();
}

function requireScope(cloud: Cloud, scope: string): void {
  if (scope === `/subscriptions/${cloud.subscriptionId}`) return;
  // A container of blobs, or a key or secret of a vault, is a scope that the sandbox has no resource for.
  const data =
    /^(?<of>.*\/storageaccounts\/[^/]+)\/blobservices\/default\/containers\/[^/]+$|^(?<vault>.*\/vaults\/[^/]+)\/(?:keys|secrets)\/[^/]+$/;
  const { of, vault } = data.exec(scope)?.groups ?? {};
  cloud.resources.require(of ?? vault ?? scope);
}

function requireDefinition(id: string): RoleDefinition {
  const name = id.split("/").at(-1)?.toLowerCase();
  const found = roleDefinitions.find((each) => each.id === name);
  if (found === undefined) {
    throw new CloudError(
      400,
      "RoleDefinitionDoesNotExist",
      `The specified role definition with ID '${name}' does not exist.`,
    );
  }
  return found;
}

/** Without `principalType` the directory is asked, and a fresh identity has not reached it yet. */
function requirePrincipal(cloud: Cloud, objectId: string, principalType: string | undefined): void {
  const principal = cloud.principals.byObjectId(objectId);
  const replicated = principal !== undefined && principal.knownFrom <= cloud.clock.now();
  if (replicated || (principal !== undefined && principalType !== undefined)) return;
  throw new CloudError(
    400,
    "PrincipalNotFound",
    `Principal ${objectId.replaceAll("-", "")} does not exist in the directory ${cloud.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.`,
  );
}

function show(cloud: Cloud, assignment: RoleAssignment): object {
  // Scopes are kept in lower case; shown is the case in which the resource was made.
  const scope = cloud.resources.get(assignment.scope)?.id ?? assignment.scope;
  const definitions = `/subscriptions/${cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions`;
  return {
    id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${assignment.name}`,
    type: "Microsoft.Authorization/roleAssignments",
    name: assignment.name,
    properties: {
      roleDefinitionId: `${definitions}/${assignment.roleDefinitionId}`,
      principalId: assignment.principalId,
      principalType: assignment.principalType,
      scope,
      ...said(assignment),
      createdOn: cloud.clock.iso(assignment.createdAt),
      updatedOn: cloud.clock.iso(assignment.createdAt),
      createdBy: assignment.createdBy,
      updatedBy: assignment.createdBy,
    },
  };
}

function showDefinition(cloud: Cloud, definition: RoleDefinition): object {
  const { actions, notActions, dataActions, notDataActions } = definition;
  return {
    id: `/subscriptions/${cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${definition.id}`,
    type: "Microsoft.Authorization/roleDefinitions",
    name: definition.id,
    properties: {
      roleName: definition.name,
      type: "BuiltInRole",
      description: definition.description,
      assignableScopes: ["/"],
      permissions: [{ actions, notActions, dataActions, notDataActions }],
    },
  };
}
