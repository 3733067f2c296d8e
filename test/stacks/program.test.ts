import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output, runtime } from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deployerType } from "../../stacks/foundry.ts";
import { program } from "../../stacks/program.ts";
import { sourceHash } from "../../stacks/source-hash.ts";
import { DEPLOYER, only, type Recording, record, settled } from "../components/recording.ts";

const CONFIG = {
  "kiln:repo": "example/kiln",
  "kiln:owner": "platform",
  "kiln:costCenter": "42",
  "kiln:location": "eastus",
};
const COMMAND = "command:local:Command";
const variables = { ...process.env };

beforeEach(() => {
  delete process.env.KILN_LOCATION;
  delete process.env.KILN_VAULT_CREATE_MODE;
});
afterEach(() => {
  Object.assign(process.env, variables);
  runtime.setAllConfig({});
});

interface Run {
  readonly recording: Recording;
  /** As a stack would show them. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

async function run(stack: string, foundry?: object): Promise<Run> {
  const recording = await record(stack, () => ({ identity: { principalId: "theirs" } }));
  runtime.setAllConfig({
    ...CONFIG,
    ...(foundry === undefined ? {} : { "kiln:foundry": JSON.stringify(foundry) }),
  });
  const made = await program();
  const outputs = await new Promise<Run["outputs"]>((done) =>
    output(made).apply((value) => done({ ...value })),
  );
  await settled();
  return { recording, outputs };
}

const typesOf = ({ recording }: Run) =>
  recording.resources
    .filter((each) => !each.type.startsWith("kiln:"))
    .map((each) => each.type.split(":").at(-1));

describe("program", () => {
  it("builds the foundry and tells what it made", async () => {
    const { recording, outputs } = await run("dev");
    const { openaiAccountName, functionAppName } = outputs;
    expect(outputs).toMatchObject({
      openaiEndpoint: `https://${String(openaiAccountName)}.openai.azure.com/`,
      deploymentName: "gpt-5-1",
      keyVaultSecretUri: expect.stringMatching(
        /^https:\/\/kv-kiln-dev-\w{4}\.vault\.azure\.net\/secrets\/AZURE-OPENAI-API-KEY--dev$/,
      ),
      resourceGroupName: "rg-kiln-dev",
      location: "eastus",
    });
    expect(functionAppName).toMatch(/^func-kiln-dev-\w{6}$/);
    expect(Object.keys(outputs)).toHaveLength(7);
    expect(typesOf({ recording, outputs }).sort()).toEqual(
      [
        ...["Account", "AppServicePlan", "Component", "Deployment", "ResourceGroup", "StorageAccount"],
        ...["Command", "Command", "Command"],
        ...["RoleAssignment", "RoleAssignment", "RoleAssignment", "RoleAssignment"],
        ...["UserAssignedIdentity", "Vault", "WebApp", "WebAppApplicationSettings", "Workspace"],
      ].sort(),
    );
  });

  it("tags everything that takes tags", async () => {
    const { recording } = await run("pr-12");
    const tags = {
      env: "pr-12",
      service: "openai",
      repo: "example/kiln",
      owner: "platform",
      costCenter: "42",
    };
    const untaggable = /RoleAssignment|WebAppApplicationSettings/;
    const azure = recording.resources.filter(
      (each) => each.type.startsWith("azure-native:") && !untaggable.test(each.type),
    );
    expect(azure).toHaveLength(10);
    for (const each of azure) expect([each.name, each.inputs.tags]).toEqual([each.name, tags]);
  });

  it("writes the settings after the grants and the key, settles, then deploys", async () => {
    const { recording } = await run("dev");
    const doneBefore = (type: string, name: string) =>
      only(recording, type, name).dependsOn.map((urn) => urn.split("::").at(-1));
    expect(doneBefore(COMMAND, "custody-key-sync")).toEqual(
      expect.arrayContaining(["openai", "deployer-manages-secrets"]),
    );
    const settings = doneBefore("azure-native:web:WebAppApplicationSettings", "app-settings");
    expect(settings).toEqual(
      expect.arrayContaining([
        "custody-key-sync",
        "identity-reads-secrets",
        "identity-owns-blobs",
        "identity-reports",
      ]),
    );
    expect(doneBefore(COMMAND, "references-settle")).toContain("app-settings");
    expect(doneBefore(COMMAND, "backend-deploy")).toContain("references-settle");
  });

  it("does the app's steps again for another app of the same name, and only those", async () => {
    const { recording } = await run("dev");
    const triggersOf = (name: string) => only(recording, COMMAND, name).inputs.triggers;
    expect(triggersOf("references-settle")).toContain("its-own-identity");
    expect(triggersOf("backend-deploy")).toEqual(["its-own-identity"]);
    expect(triggersOf("custody-key-sync")).not.toContain("its-own-identity");
  });

  it("makes a vault that nobody can purge only once the model has found room in the region", async () => {
    const dependenciesIn = async (stack: string) =>
      only((await run(stack)).recording, "azure-native:keyvault:Vault").dependsOn.join("\n");
    expect(await dependenciesIn("prod")).toMatch(/::openai-gpt-5-1$/m);
    expect(await dependenciesIn("dev")).not.toMatch(/::openai/);
  });

  it("keeps the reference without a version and everything else free of secrets", async () => {
    const { recording } = await run("dev");
    const { properties } = only(recording, "azure-native:web:WebAppApplicationSettings").inputs as {
      properties: Record<string, string>;
    };
    expect(properties.AZURE_OPENAI_API_KEY).toMatch(
      /^@Microsoft\.KeyVault\(SecretUri=https:.*\/AZURE-OPENAI-API-KEY--dev\)$/,
    );
    expect(recording.calls.map((call) => call.token)).toEqual(["azure-native:authorization:getClientConfig"]);
  });

  it("lets the deployer alone manage secrets", async () => {
    const { recording } = await run("dev");
    expect(
      only(recording, "azure-native:authorization:RoleAssignment", "deployer-manages-secrets").inputs,
    ).toMatchObject({
      principalId: DEPLOYER.objectId,
      principalType: "ServicePrincipal",
    });
  });

  it("adopts an app without making one", async () => {
    const adopted = await run("dev", {
      functionApp: { mode: "adopt", name: "theirs", resourceGroup: "rg-theirs" },
    });
    expect(adopted.outputs.functionAppName).toBe("theirs");
    for (const type of [
      "WebApp",
      "AppServicePlan",
      "StorageAccount",
      "WebAppApplicationSettings",
      "Workspace",
    ]) {
      expect(typesOf(adopted)).not.toContain(type);
    }
    expect(only(adopted.recording, COMMAND, "references-settle").dependsOn.at(0)).toMatch(
      /::app-adopt-settings$/,
    );
  });

  it("makes nothing where everything is switched off", async () => {
    const { recording, outputs } = await run("dev", { enabled: false });
    expect(outputs).toEqual({});
    expect(recording.resources).toEqual([]);
    expect(recording.calls).toEqual([]);
  });

  it("follows what steers it", async () => {
    process.env.KILN_VAULT_CREATE_MODE = "recover";
    const { recording } = await run("prod");
    expect(only(recording, "azure-native:keyvault:Vault").inputs.properties).toMatchObject({
      createMode: "recover",
      enablePurgeProtection: true,
      softDeleteRetentionInDays: 90,
    });
  });

  it("refuses a wrong configuration with one message and no stack, before anything is asked or made", async () => {
    const recording = await record("prod");
    runtime.setAllConfig({ "kiln:ownr": "x", "kiln:foundry": '{"vault":{"purgeProtection":false}}' });
    const error = await program().catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty("__pulumiRunError", true);
    expect(String(error)).toMatch(
      /has 6 problems:\n.*kiln:repo is missing.*did you mean kiln:owner\?.*Correct/s,
    );
    expect(recording).toEqual({ resources: [], calls: [] });
  });

  it("refuses a stack that is no environment", async () => {
    await record("test");
    await expect(program()).rejects.toThrow(/"test"; allowed: dev, staging, prod, pr-<1..999999>/);
  });
});

describe("deployerType", () => {
  it("takes who signed in by the Azure CLI for a person", () => {
    expect(deployerType("04B07795-8ddb-461a-bbee-02f9e1bf7b46")).toBe("User");
    expect(deployerType(DEPLOYER.clientId)).toBe("ServicePrincipal");
  });
});

describe("sourceHash", () => {
  it("depends on paths and bytes alone", () => {
    const folder = mkdtempSync(join(tmpdir(), "kiln-hash-"));
    try {
      mkdirSync(join(folder, "a/b"), { recursive: true });
      writeFileSync(join(folder, "a/b/c.txt"), "one");
      const first = sourceHash(folder);
      utimesSync(join(folder, "a/b/c.txt"), 1, 1);
      expect(sourceHash(folder)).toBe(first);
      expect(first).toMatch(/^[\da-f]{16}$/);
      writeFileSync(join(folder, "a/b/c.txt"), "two");
      expect(sourceHash(folder)).not.toBe(first);
      writeFileSync(join(folder, "a/b/c.txt"), "one");
      writeFileSync(join(folder, "d"), "");
      expect(sourceHash(folder)).not.toBe(first);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
