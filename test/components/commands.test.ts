import { spawnSync } from "node:child_process";
import { output } from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdoptedFunctionApp, referencePrincipal } from "../../components/azure/adopted-function-app.ts";
import { BackendCode } from "../../components/azure/backend-code.ts";
import { KeyCustody, type KeyCustodyArgs } from "../../components/azure/key-custody.ts";
import { SettledReferences } from "../../components/azure/settled-references.ts";
import { quote, stepLine } from "../../components/azure/step.ts";
import { only, record, recorded, SUBSCRIPTION, settled, TAGS } from "./recording.ts";

const COMMAND = "command:local:Command";
const step = (name: string) => `node "\${KILN_PROJECT_DIR:-..}"/scripts/steps/${name}.ts`;

describe("stepLine", () => {
  it("leaves out what is not set and repeats lists", () => {
    expect(stepLine("s", { a: "x", b: undefined, c: false, d: true, e: ["1", "2 3"], f: 4 })).toBe(
      `${step("s")} --a=x --d --e=1 --e='2 3' --f=4`,
    );
  });

  it("gives a shell every word as it is", () => {
    const text = fc.string({ minLength: 1, unit: "grapheme" }).filter((word) => !word.includes("\0"));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (words) => {
        const run = spawnSync("/bin/sh", ["-c", `printf '%s\\0' ${words.map(quote).join(" ")}`], {
          encoding: "utf8",
        });
        expect(run.stdout.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });
});

describe("KeyCustody", () => {
  const args: KeyCustodyArgs = {
    subscriptionId: SUBSCRIPTION,
    account: { resourceGroup: "rg", name: "oai", createdAt: "2026-01-01" },
    vault: { uri: "https://kv.vault.azure.net/", createdAt: "2026-01-02" },
    secretName: "AZURE-OPENAI-API-KEY--dev",
    lifetimeDays: 90,
    tags: TAGS,
    after: [],
  };

  it("runs key-sync with identifiers only", async () => {
    const recording = await recorded(() => {
      const custody = new KeyCustody("custody", args);
      expect(custody.secretUri).toBe("https://kv.vault.azure.net/secrets/AZURE-OPENAI-API-KEY--dev");
      expect(custody.reference).toBe(`@Microsoft.KeyVault(SecretUri=${custody.secretUri})`);
    });
    expect(only(recording, COMMAND).inputs).toEqual({
      create:
        `${step("key-sync")} --subscription=${SUBSCRIPTION} --resource-group=rg --account=oai` +
        " --vault=https://kv.vault.azure.net/ --secret=AZURE-OPENAI-API-KEY--dev --lifetime-days=90" +
        " --tag=env=dev --tag=service=openai --tag=repo=example/kiln --tag=owner=platform --tag=costCenter=42",
      triggers: ["2026-01-01", "2026-01-02"],
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
  });

  it("puts no path of a machine into the state", async () => {
    const recording = await recorded(() => new KeyCustody("custody", args));
    const { inputs } = only(recording, COMMAND);
    expect(inputs).not.toHaveProperty("dir");
    expect(JSON.stringify(inputs)).not.toContain(process.cwd());
  });

  it("names wrong fields", async () => {
    const wrong = { ...args, secretName: "A_B", lifetimeDays: 0 };
    await recorded(() => expect(() => new KeyCustody("custody", wrong)).toThrow(/secretName .*lifetimeDays/));
  });
});

describe("SettledReferences and BackendCode", () => {
  it("run their steps", async () => {
    const recording = await recorded(() => {
      const { settled: first } = new SettledReferences("references", {
        subscriptionId: SUBSCRIPTION,
        resourceGroup: "rg",
        appName: "func",
        settings: ["ONE", "TWO"],
        triggers: ["t"],
        after: [],
      });
      new BackendCode("backend", {
        appName: "func",
        source: "labs/foundry-backend",
        contentHash: "abc",
        appInstance: "its-own-identity",
        after: [first],
      });
    });
    expect(only(recording, COMMAND, "references-settle").inputs).toMatchObject({
      create: `${step("settle-references")} --subscription=${SUBSCRIPTION} --resource-group=rg --app=func --setting=ONE --setting=TWO`,
      triggers: ["t"],
    });
    const deploy = only(recording, COMMAND, "backend-deploy");
    expect(deploy.inputs).toMatchObject({
      create: `${step("deploy-backend")} --app=func --source=labs/foundry-backend --content-hash=abc`,
      triggers: ["its-own-identity"],
    });
    expect(deploy.dependsOn.some((urn) => urn.endsWith("::references-settle"))).toBe(true);
  });
});

describe("AdoptedFunctionApp", () => {
  const vaultId = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv`;
  const adopt = () =>
    new AdoptedFunctionApp("app", {
      subscriptionId: SUBSCRIPTION,
      appName: "theirs",
      resourceGroup: "rg-theirs",
      vaultId: output(vaultId),
      model: {
        endpoint: "https://o.openai.azure.com/",
        deployment: "d",
        keyReference: "@Microsoft.KeyVault(x)",
      },
      settingsAfter: [],
    });

  it("grants its identity and merges our settings; on delete it takes away ours alone", async () => {
    const recording = await record("dev", () => ({
      identity: { type: "SystemAssigned", principalId: "theirs-id" },
    }));
    adopt();
    await settled();
    expect(recording.calls).toMatchObject([
      { token: "azure-native:web:getWebApp", inputs: { name: "theirs", resourceGroupName: "rg-theirs" } },
    ]);
    expect(only(recording, "azure-native:authorization:RoleAssignment").inputs).toMatchObject({
      scope: vaultId,
      principalId: "theirs-id",
      principalType: "ServicePrincipal",
    });
    const target = `${step("adopt-settings")} --subscription=${SUBSCRIPTION} --resource-group=rg-theirs --app=theirs`;
    const { create, delete: remove } = only(recording, COMMAND).inputs as Record<string, string>;
    expect(create).toBe(
      `${target} --set=AZURE_OPENAI_ENDPOINT=https://o.openai.azure.com/ --set=AZURE_OPENAI_DEPLOYMENT=d` +
        " --set=AZURE_OPENAI_API_VERSION=2024-10-21 --set='AZURE_OPENAI_API_KEY=@Microsoft.KeyVault(x)'",
    );
    expect(remove).toBe(
      `${target} --remove=AZURE_OPENAI_ENDPOINT --remove=AZURE_OPENAI_DEPLOYMENT` +
        " --remove=AZURE_OPENAI_API_VERSION --remove=AZURE_OPENAI_API_KEY",
    );
    expect(recording.resources.filter((each) => each.type.startsWith("azure-native:web:"))).toEqual([]);
  });

  it("uses the user-assigned identity that the app names for references", () => {
    const identity = { userAssignedIdentities: { "/ID/one": { principalId: "p1", clientId: "c1" } } };
    const app = { keyVaultReferenceIdentity: "/id/ONE", identity } as unknown as Parameters<
      typeof referencePrincipal
    >[0];
    expect(referencePrincipal(app, "theirs")).toBe("p1");
  });

  it.each([
    [{}],
    [{ keyVaultReferenceIdentity: "SystemAssigned" }],
    [{ keyVaultReferenceIdentity: "/id/two", identity: { principalId: "system" } }],
  ])("refuses an app that could not read its references: %j", (app) => {
    const view = app as unknown as Parameters<typeof referencePrincipal>[0];
    expect(() => referencePrincipal(view, "theirs")).toThrow(/"theirs" has no managed identity/);
  });
});
