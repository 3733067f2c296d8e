import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resourceTypes } from "../../sandbox/providers/catalogue.ts";
import { plainMap, Secret, type ValueMap } from "../../sandbox/providers/values.ts";
import { type TestSandbox, testSandbox } from "../harness/sandbox.ts";
import { ProviderClient } from "./providers-client.ts";

/*
 * Every type of the table against the services of the sandbox, through the front door, with inputs as the SDK sends
 * them: it is made, shows no drift, is found by its id with the inputs it was made of, changes, and goes.
 */

let sandbox: TestSandbox;
let azure: ProviderClient;
let objectId: unknown;
beforeAll(async () => {
  sandbox = await testSandbox();
  const clientId = sandbox.sandbox.cloud.principals.byName("owner")?.clientId ?? "";
  const { body } = await sandbox.control("POST", "/providers", { clientId, projectDir: sandbox.dataDir });
  azure = new ProviderClient((body as { azureNative: number }).azureNative, "azure-native");
  const subscription = sandbox.sandbox.cloud.subscriptionId;
  objectId = (await azure.invoke("azure-native:authorization:getClientConfig", {})).result.objectId;
  // To delete a secret takes a role at the vault itself.
  await azure.create("azure-native:authorization:RoleAssignment", {
    scope: `/subscriptions/${subscription}`,
    roleAssignmentName: "44444444-4444-4444-8444-444444444444",
    principalId: String(objectId),
    principalType: "ServicePrincipal",
    roleDefinitionId: `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7`,
  });
});
afterAll(async () => {
  azure.close();
  await sandbox.close();
});

/** Types whose translation stands, and whose service in the sandbox does not. */
const withoutService = ["storage:BlobContainer"];

const tags = { env: "dev" };
const location = "eastus2";
const at = { resourceGroupName: "rg", location };

interface Case {
  readonly token: string;
  readonly inputs: ValueMap;
  /** An in-place change. */
  readonly change?: ValueMap;
  /** Inputs that no GET shows, which an import therefore cannot find. */
  readonly unseen?: readonly string[];
}

/** In the order of their making; ids of others as the service spells them. */
function cases(ids: ReadonlyMap<string, string>, outputs: ReadonlyMap<string, ValueMap>): Case[] {
  const id = (token: string) => ids.get(token) ?? `no ${token}`;
  const subscription = sandbox.sandbox.cloud.subscriptionId;
  const identity = {
    type: "UserAssigned",
    userAssignedIdentities: [id("managedidentity:UserAssignedIdentity")],
  };
  return [
    { token: "resources:ResourceGroup", inputs: { ...at, tags }, change: { tags: { env: "x" } } },
    {
      token: "managedidentity:UserAssignedIdentity",
      inputs: { ...at, resourceName: "id-app", tags },
      change: { tags: { env: "x" } },
    },
    {
      token: "managedidentity:FederatedIdentityCredential",
      inputs: {
        resourceGroupName: "rg",
        resourceName: "id-app",
        federatedIdentityCredentialResourceName: "github",
        issuer: "https://token.actions.githubusercontent.com",
        subject: "repo:o/r:environment:dev",
        audiences: ["api://AzureADTokenExchange"],
      },
      change: { subject: "repo:o/r:environment:prod" },
    },
    {
      token: "cognitiveservices:Account",
      inputs: {
        ...at,
        accountName: "oai-rt",
        tags,
        kind: "OpenAI",
        sku: { name: "S0" },
        identity: { type: "SystemAssigned" },
        properties: {
          publicNetworkAccess: "Enabled",
          networkAcls: { defaultAction: "Allow" },
          customSubDomainName: "oai-rt",
          disableLocalAuth: false,
        },
      },
      change: { tags: { env: "x" } },
    },
    {
      token: "cognitiveservices:Deployment",
      inputs: {
        resourceGroupName: "rg",
        accountName: "oai-rt",
        deploymentName: "gpt-5-1",
        tags,
        sku: { name: "GlobalStandard", capacity: 1 },
        properties: {
          model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" },
          versionUpgradeOption: "OnceCurrentVersionExpired",
        },
      },
      change: { sku: { name: "GlobalStandard", capacity: 2 } },
    },
    {
      token: "keyvault:Vault",
      inputs: {
        ...at,
        vaultName: "kv-rt",
        tags,
        properties: {
          tenantId: sandbox.sandbox.cloud.tenantId,
          sku: { family: "A", name: "standard" },
          publicNetworkAccess: "Enabled",
          networkAcls: { bypass: "AzureServices", defaultAction: "Allow" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          enabledForDeployment: false,
          enabledForDiskEncryption: false,
          enabledForTemplateDeployment: false,
          softDeleteRetentionInDays: 7,
        },
      },
      change: { tags: { env: "x" } },
    },
    {
      token: "keyvault:Secret",
      inputs: {
        resourceGroupName: "rg",
        vaultName: "kv-rt",
        secretName: "note",
        tags,
        properties: { value: new Secret("not a key at all"), contentType: "text/plain" },
      },
      change: { properties: { value: new Secret("another text"), contentType: "text/html" } },
      unseen: ["properties.value"],
    },
    {
      token: "authorization:RoleAssignment",
      inputs: {
        scope: id("keyvault:Vault"),
        roleAssignmentName: "33333333-3333-4333-8333-333333333333",
        principalId: outputs.get("managedidentity:UserAssignedIdentity")?.principalId ?? "",
        principalType: "ServicePrincipal",
        roleDefinitionId: `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6`,
      },
    },
    {
      token: "operationalinsights:Workspace",
      inputs: {
        ...at,
        workspaceName: "log-rt",
        tags,
        sku: { name: "PerGB2018" },
        retentionInDays: 30,
        features: { disableLocalAuth: true },
      },
      change: { retentionInDays: 60 },
    },
    {
      token: "applicationinsights:Component",
      inputs: {
        ...at,
        resourceName: "appi-rt",
        tags,
        kind: "web",
        applicationType: "web",
        flowType: "Bluefield",
        requestSource: "rest",
        ingestionMode: "LogAnalytics",
        publicNetworkAccessForIngestion: "Enabled",
        publicNetworkAccessForQuery: "Enabled",
        workspaceResourceId: id("operationalinsights:Workspace"),
        disableLocalAuth: true,
      },
      change: { tags: { env: "x" } },
    },
    {
      token: "storage:StorageAccount",
      inputs: {
        ...at,
        accountName: "stroundtrip",
        tags,
        kind: "StorageV2",
        sku: { name: "Standard_LRS" },
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
        networkRuleSet: { bypass: "AzureServices", defaultAction: "Allow" },
      },
      change: { tags: { env: "x" } },
    },
    {
      token: "storage:BlobContainer",
      inputs: {
        resourceGroupName: "rg",
        accountName: "stroundtrip",
        containerName: "data",
        publicAccess: "None",
      },
      change: { metadata: { a: "b" } },
    },
    {
      token: "web:AppServicePlan",
      inputs: { ...at, name: "plan-rt", tags, kind: "linux", reserved: true, sku: { name: "B1" } },
      change: { tags: { env: "x" } },
    },
    {
      token: "web:WebApp",
      inputs: {
        ...at,
        name: "func-rt",
        tags,
        kind: "functionapp,linux",
        reserved: true,
        hyperV: false,
        isXenon: false,
        scmSiteAlsoStopped: false,
        clientAffinityEnabled: false,
        serverFarmId: id("web:AppServicePlan"),
        identity,
        keyVaultReferenceIdentity: id("managedidentity:UserAssignedIdentity"),
        httpsOnly: true,
        publicNetworkAccess: "Enabled",
        siteConfig: {
          alwaysOn: true,
          healthCheckPath: "/api/health",
          linuxFxVersion: "NODE|24",
          ftpsState: "Disabled",
          minTlsVersion: "1.2",
          scmMinTlsVersion: "1.2",
          http20Enabled: true,
          localMySqlEnabled: false,
          netFrameworkVersion: "v4.6",
          remoteDebuggingEnabled: false,
        },
      },
      change: { tags: { env: "x" } },
    },
    {
      token: "web:WebAppApplicationSettings",
      inputs: { resourceGroupName: "rg", name: "func-rt", properties: { A: "1" } },
      change: { properties: { B: "2" } },
    },
    {
      token: "web:WebAppConnectionStrings",
      inputs: {
        resourceGroupName: "rg",
        name: "func-rt",
        properties: { db: { type: "Custom", value: "Server=x" } },
      },
      change: { properties: {} },
    },
    {
      token: "web:WebAppMetadata",
      inputs: { resourceGroupName: "rg", name: "func-rt", properties: { CURRENT_STACK: "node" } },
      change: { properties: {} },
    },
    {
      token: "web:WebAppFtpAllowed",
      inputs: { resourceGroupName: "rg", name: "func-rt", allow: false },
      change: { allow: true },
    },
    {
      token: "web:WebAppScmAllowed",
      inputs: { resourceGroupName: "rg", name: "func-rt", allow: false },
      change: { allow: true },
    },
  ];
}

describe("every type of the table", () => {
  const ids = new Map<string, string>();
  const outputs = new Map<string, ValueMap>();
  const find = (token: string): Case => {
    const found = cases(ids, outputs).find((each) => each.token === token);
    if (found === undefined) throw new Error(`there is no case for ${token}`);
    return found;
  };
  const order = resourceTypes()
    .map((type) => type.token)
    .filter((token) => !withoutService.includes(token));

  test.each(withoutService)("%s has no service in the sandbox yet, which an up says", async (token) => {
    const making = azure.create(`azure-native:${token}`, find(token).inputs);
    await expect(making).rejects.toThrow(
      /Status=404 Code="InvalidResourceType" Message="The sandbox has nothing at PUT/,
    );
  });

  test.each(order)("%s is made, and shows neither drift nor a difference", async (token) => {
    const { inputs } = find(token);
    const type = `azure-native:${token}`;
    expect(await azure.check(type, inputs)).toEqual({ inputs, failures: [] });
    const made = await azure.create(type, inputs);
    ids.set(token, made.id);
    outputs.set(token, made.outputs);
    const read = await azure.read(type, made.id, { inputs, outputs: made.outputs });
    expect(read).toEqual({ id: made.id, outputs: made.outputs, inputs });
  });

  test.each(order)("%s is found by its id as it was made", async (token) => {
    const { inputs, unseen = [] } = find(token);
    const type = `azure-native:${token}`;
    const found = await azure.read(type, ids.get(token) ?? "");
    const { details } = await azure.diff(type, found.inputs, plainMap(inputs), found.outputs);
    expect(details).toEqual(Object.fromEntries(unseen.map((path) => [path, "ADD"])));
  });

  test.each(order)("%s changes in place", async (token) => {
    const { inputs, change } = find(token);
    if (change === undefined) return;
    const type = `azure-native:${token}`;
    const news = { ...inputs, ...change };
    expect((await azure.diff(type, inputs, news)).replaces).toEqual([]);
    const id = ids.get(token) ?? "";
    const changed = await azure.update(type, id, { inputs, outputs: outputs.get(token) ?? {} }, news);
    const read = await azure.read(type, id, { inputs: news, outputs: changed });
    expect(read.inputs).toEqual(news);
    expect(plainMap(changed)).not.toEqual(plainMap(outputs.get(token) ?? {}));
  });

  test.each([...order].reverse())("%s goes", async (token) => {
    const type = `azure-native:${token}`;
    const id = ids.get(token) ?? "";
    await azure.delete(type, id, { inputs: find(token).inputs, outputs: outputs.get(token) ?? {} });
    const isPartOfSite = /WebApp./.test(token);
    if (!isPartOfSite) expect((await azure.read(type, id)).id).toBe("");
  });
});

test("the provider's own identity is the session's", () => {
  const owner = sandbox.sandbox.cloud.principals.byName("owner");
  expect(objectId).toBe(owner?.objectId);
});
