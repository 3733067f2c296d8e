import { describe, expect, it } from "vitest";
import { modelSettings } from "../../components/azure/app-settings.ts";
import { AppStorage } from "../../components/azure/app-storage.ts";
import { FunctionApp, type FunctionAppArgs, siteConfig } from "../../components/azure/function-app.ts";
import { Telemetry } from "../../components/azure/telemetry.ts";
import { only, recorded, TAGS } from "./recording.ts";

const place = { resourceGroupName: "rg", location: "eastus", tags: TAGS };
const model = {
  endpoint: "https://o.openai.azure.com/",
  deployment: "gpt-5-1",
  keyReference: "@Microsoft.KeyVault(x)",
};
const args: FunctionAppArgs = {
  ...place,
  appName: "func-kiln-dev",
  planName: "plan-kiln-dev",
  planSku: "B1",
  identityId: "/identities/id",
  model,
  host: { clientId: "client", storageAccount: "st", telemetry: "IngestionEndpoint=https://in.example/" },
  settingsAfter: [],
};

describe("FunctionApp", () => {
  it("registers plan, app and settings", async () => {
    const recording = await recorded(() => new FunctionApp("app", args));
    expect(recording.resources.map((each) => each.name).sort()).toEqual([
      "app",
      "app",
      "app-plan",
      "app-settings",
    ]);
    expect(only(recording, "azure-native:web:AppServicePlan").inputs).toMatchObject({
      name: "plan-kiln-dev",
      kind: "linux",
      reserved: true,
      sku: { name: "B1" },
    });
  });

  it("hardens the app", async () => {
    const recording = await recorded(() => new FunctionApp("app", args));
    expect(only(recording, "azure-native:web:WebApp").inputs).toMatchObject({
      kind: "functionapp,linux",
      identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: ["/identities/id"] },
      keyVaultReferenceIdentity: "/identities/id",
      httpsOnly: true,
      siteConfig: {
        alwaysOn: true,
        linuxFxVersion: "NODE|24",
        ftpsState: "Disabled",
        minTlsVersion: "1.2",
        http20Enabled: true,
        remoteDebuggingEnabled: false,
      },
    });
  });

  it("has settings that reach everything by identity or reference", async () => {
    const recording = await recorded(() => new FunctionApp("app", args));
    expect(only(recording, "azure-native:web:WebAppApplicationSettings").inputs).toMatchObject({
      name: "func-kiln-dev",
      properties: {
        FUNCTIONS_EXTENSION_VERSION: "~4",
        FUNCTIONS_WORKER_RUNTIME: "custom",
        WEBSITE_RUN_FROM_PACKAGE: "1",
        AzureWebJobsStorage__accountName: "st",
        AzureWebJobsStorage__credential: "managedidentity",
        AzureWebJobsStorage__clientId: "client",
        APPLICATIONINSIGHTS_CONNECTION_STRING: "IngestionEndpoint=https://in.example/",
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "Authorization=AAD;ClientId=client",
        ...modelSettings(model),
      },
    });
  });

  it("lets a caller change the site, not its hardening", () => {
    const transform = () => ({ alwaysOn: false, minTlsVersion: "1.0", ftpsState: "AllAllowed" });
    expect(siteConfig(transform)).toMatchObject({
      alwaysOn: false,
      minTlsVersion: "1.2",
      ftpsState: "Disabled",
    });
  });

  it("names wrong fields", async () => {
    const wrong = { ...args, appName: "-", planName: "" };
    await recorded(() => expect(() => new FunctionApp("app", wrong)).toThrow(/appName .*planName/));
  });
});

describe("modelSettings", () => {
  it("hold the reference and never a key", () => {
    expect(modelSettings(model)).toEqual({
      AZURE_OPENAI_ENDPOINT: "https://o.openai.azure.com/",
      AZURE_OPENAI_DEPLOYMENT: "gpt-5-1",
      AZURE_OPENAI_API_VERSION: "2024-10-21",
      AZURE_OPENAI_API_KEY: "@Microsoft.KeyVault(x)",
    });
  });
});

describe("AppStorage", () => {
  it("has no shared keys and no public blobs, whatever the caller transforms", async () => {
    const account = () => ({ sku: { name: "Standard_ZRS" }, allowSharedKeyAccess: true });
    const recording = await recorded(
      () => new AppStorage("storage", { ...place, accountName: "stkiln", transform: { account } }),
    );
    expect(only(recording, "azure-native:storage:StorageAccount").inputs).toMatchObject({
      accountName: "stkiln",
      sku: { name: "Standard_ZRS" },
      kind: "StorageV2",
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: "TLS1_2",
    });
  });

  it("refuses a bad name", async () => {
    await recorded(() =>
      expect(() => new AppStorage("s", { ...place, accountName: "st-x" })).toThrow(/accountName/),
    );
  });
});

describe("Telemetry", () => {
  const telemetry = { ...place, workspaceName: "log-kiln", componentName: "appi-kiln", retentionDays: 30 };

  it("takes nothing without an identity", async () => {
    const recording = await recorded(() => new Telemetry("telemetry", telemetry));
    expect(only(recording, "azure-native:operationalinsights:Workspace").inputs).toMatchObject({
      retentionInDays: 30,
      features: { disableLocalAuth: true },
    });
    expect(only(recording, "azure-native:applicationinsights:Component").inputs).toMatchObject({
      disableLocalAuth: true,
      ingestionMode: "LogAnalytics",
      workspaceResourceId: expect.stringContaining("telemetry-logs"),
    });
  });

  it("names wrong fields", async () => {
    const wrong = { ...telemetry, workspaceName: "l", retentionDays: 7 };
    await recorded(() => expect(() => new Telemetry("t", wrong)).toThrow(/workspaceName .*retentionDays/));
  });
});
