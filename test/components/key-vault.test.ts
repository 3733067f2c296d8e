import { describe, expect, it } from "vitest";
import {
  KeyVault,
  type KeyVaultArgs,
  keyVaultProblems,
  vaultProperties,
} from "../../components/azure/key-vault.ts";
import { only, recorded, TAGS } from "./recording.ts";

const args: KeyVaultArgs = {
  vaultName: "kv-kiln-dev-abcd",
  resourceGroupName: "rg-kiln-dev",
  location: "eastus",
  tenantId: "tenant",
  tags: TAGS,
  softDeleteRetentionDays: 7,
  purgeProtection: false,
};

describe("KeyVault", () => {
  it("registers a vault that grants access by role only", async () => {
    const recording = await recorded(() => new KeyVault("vault", args));
    expect(only(recording, "kiln:azure:KeyVault").name).toBe("vault");
    const vault = only(recording, "azure-native:keyvault:Vault");
    expect(vault.name).toBe("vault");
    expect(vault.inputs).toMatchObject({
      vaultName: "kv-kiln-dev-abcd",
      resourceGroupName: "rg-kiln-dev",
      location: "eastus",
      tags: TAGS,
      properties: {
        tenantId: "tenant",
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 7,
      },
    });
    expect(vault.ignoreChanges).toEqual(["properties.createMode"]);
    expect(recording.resources).toHaveLength(2);
  });

  it("sends no purge protection where it is off, and no create mode where the vault is new", () => {
    const properties = vaultProperties(args);
    expect(properties).not.toHaveProperty("enablePurgeProtection");
    expect(properties).not.toHaveProperty("createMode");
    expect(properties).not.toHaveProperty("accessPolicies");
  });

  it("sends both where they are asked for", () => {
    const properties = vaultProperties({ ...args, purgeProtection: true, createMode: "recover" });
    expect(properties).toMatchObject({ enablePurgeProtection: true, createMode: "recover" });
  });

  it("lets a caller narrow the network and not widen the access", () => {
    const vault = () => ({
      publicNetworkAccess: "Disabled",
      // A caller that gets around the types.
      enableRbacAuthorization: false,
    });
    const properties = vaultProperties({ ...args, transform: { vault } });
    expect(properties).toMatchObject({ publicNetworkAccess: "Disabled", enableRbacAuthorization: true });
    expect(properties).not.toHaveProperty("networkAcls");
  });

  it("names every wrong field before anything is registered", async () => {
    const wrong = { ...args, vaultName: "1", softDeleteRetentionDays: 6.5, tags: { ...TAGS, owner: " " } };
    expect(keyVaultProblems(wrong).map((problem) => problem.field)).toEqual([
      "vaultName",
      "softDeleteRetentionDays",
      "tags.owner",
    ]);
    const recording = await recorded(() =>
      expect(() => new KeyVault("vault", wrong)).toThrow(/vaultName .*; soft/),
    );
    expect(recording.resources).toEqual([]);
  });
});
