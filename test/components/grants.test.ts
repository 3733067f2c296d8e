import { describe, expect, it } from "vitest";
import { AppIdentity } from "../../components/azure/app-identity.ts";
import {
  grantAccountKeys,
  grantName,
  grantSecretsOfficer,
  ROLES,
  roleDefinitionId,
} from "../../components/azure/grants.ts";
import { only, recorded, SUBSCRIPTION, TAGS } from "./recording.ts";

const scope = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv`;
const type = "azure-native:authorization:RoleAssignment";

describe("grants", () => {
  it("say what the grantee is, name the role in full, and have a name of their own making", async () => {
    const to = { principalId: "me", principalType: "User" } as const;
    const recording = await recorded(() => grantSecretsOfficer("grant", { scope, to }));
    expect(only(recording, type).inputs).toEqual({
      scope,
      principalId: "me",
      principalType: "User",
      roleDefinitionId: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7`,
      roleAssignmentName: grantName(scope, "me", "manageSecrets"),
    });
  });

  it("take one row of the table each", async () => {
    const to = { principalId: "me", principalType: "Group" } as const;
    const recording = await recorded(() => grantAccountKeys("grant", { scope, to }));
    expect(only(recording, type).inputs.roleDefinitionId).toBe(roleDefinitionId(scope, "manageAccountKeys"));
    expect(new Set(Object.values(ROLES)).size).toBe(Object.keys(ROLES).length);
  });

  it("get another name for another identity, scope or role", () => {
    const names = [
      grantName(scope, "a", "readSecrets"),
      grantName(scope, "b", "readSecrets"),
      grantName(`${scope}2`, "a", "readSecrets"),
      grantName(scope, "a", "manageSecrets"),
    ];
    expect(new Set(names).size).toBe(4);
    expect(grantName(scope.toUpperCase(), "A", "readSecrets")).toBe(names[0]);
  });

  it("refuse a scope outside a subscription", () => {
    expect(() => roleDefinitionId("/providers/x", "readSecrets")).toThrow(/ARM id within a subscription/);
  });
});

describe("AppIdentity", () => {
  const args = { identityName: "id-kiln-dev", resourceGroupName: "rg", location: "eastus", tags: TAGS };

  it("is granted what it may do, on one resource each", async () => {
    const may = { readSecretsOf: scope, ownBlobsOf: `${scope}/blobs`, reportTo: `${scope}/insights` };
    const recording = await recorded(() => new AppIdentity("identity", { ...args, may }));
    expect(only(recording, "azure-native:managedidentity:UserAssignedIdentity").inputs).toMatchObject({
      resourceName: "id-kiln-dev",
      tags: TAGS,
    });
    const grants = recording.resources.filter((each) => each.type === type);
    expect(
      grants.map(({ name, inputs }) => [name, inputs.scope, inputs.principalId, inputs.principalType]),
    ).toEqual([
      ["identity-reads-secrets", scope, "principal", "ServicePrincipal"],
      ["identity-owns-blobs", `${scope}/blobs`, "principal", "ServicePrincipal"],
      ["identity-reports", `${scope}/insights`, "principal", "ServicePrincipal"],
    ]);
  });

  it("is granted nothing that is not asked for", async () => {
    const recording = await recorded(() => {
      expect(new AppIdentity("identity", { ...args, may: {} }).grants).toEqual([]);
    });
    expect(recording.resources.filter((each) => each.type === type)).toEqual([]);
  });

  it("refuses a bad name", async () => {
    await recorded(() => {
      expect(() => new AppIdentity("identity", { ...args, identityName: "x", may: {} })).toThrow(
        /identityName/,
      );
    });
  });
});
