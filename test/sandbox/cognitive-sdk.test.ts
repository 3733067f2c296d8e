import { CognitiveServicesManagementClient } from "@azure/arm-cognitiveservices";
import { ResourceManagementClient } from "@azure/arm-resources";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestSandbox, testSandbox } from "../harness/sandbox.ts";

/** The official client, unmodified, through the front door, from an account's beginning to its purge. */
let sandbox: TestSandbox;
let client: CognitiveServicesManagementClient;

beforeAll(async () => {
  sandbox = await testSandbox({ profile: "quick" });
  const { credential, options } = sandbox.client();
  const { subscriptionId } = sandbox.sandbox.cloud;
  client = new CognitiveServicesManagementClient(credential, subscriptionId, options);
  await new ResourceManagementClient(credential, subscriptionId, options).resourceGroups.createOrUpdate(
    "rg",
    {
      location: "eastus",
    },
  );
});
afterAll(() => sandbox.close());

const account = {
  location: "eastus",
  kind: "OpenAI",
  sku: { name: "S0" },
  tags: { env: "dev" },
  identity: { type: "SystemAssigned" as const },
  properties: { customSubDomainName: "oai-sdk" },
};
const model = { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" };

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of pages) all.push(each);
  return all;
}

test("an account lives and goes", async () => {
  const made = await client.accounts.beginCreateAndWait("rg", "oai-sdk", account);
  expect(made.properties).toMatchObject({
    provisioningState: "Succeeded",
    endpoint: "https://oai-sdk.openai.azure.com/",
  });
  expect(made.identity?.principalId).toBeDefined();
  expect((await collect(client.accounts.listByResourceGroup("rg"))).map(({ name }) => name)).toEqual([
    "oai-sdk",
  ]);
  expect(await collect(client.accounts.list())).toHaveLength(1);

  const keys = await client.accounts.listKeys("rg", "oai-sdk");
  const fresh = await client.accounts.regenerateKey("rg", "oai-sdk", "Key2");
  expect([fresh.key1 === keys.key1, fresh.key2 === keys.key2]).toEqual([true, false]);

  const deployed = await client.deployments.beginCreateOrUpdateAndWait("rg", "oai-sdk", "gpt-5-1", {
    sku: { name: "GlobalStandard", capacity: 10 },
    properties: { model },
  });
  expect(deployed.properties?.provisioningState).toBe("Succeeded");
  expect((await collect(client.deployments.list("rg", "oai-sdk"))).map(({ name }) => name)).toEqual([
    "gpt-5-1",
  ]);
  const usage = (await collect(client.usages.list("eastus"))).find(
    ({ name }) => name?.value === "OpenAI.GlobalStandard.gpt-5.1",
  );
  expect(usage).toMatchObject({ currentValue: 10, limit: 1000, unit: "Count" });
  expect((await collect(client.models.list("eastus"))).map((each) => each.model?.name)).toContain("gpt-5.1");
  expect((await collect(client.accounts.listModels("rg", "oai-sdk"))).map(({ name }) => name)).toContain(
    "gpt-5.1",
  );

  await expect(client.accounts.beginDeleteAndWait("rg", "oai-sdk")).rejects.toMatchObject({
    statusCode: 409,
    code: "CannotDeleteResource",
  });
  await client.deployments.beginDeleteAndWait("rg", "oai-sdk", "gpt-5-1");
  await client.accounts.beginDeleteAndWait("rg", "oai-sdk");
  await expect(client.accounts.get("rg", "oai-sdk")).rejects.toMatchObject({ code: "ResourceNotFound" });
  await expect(client.accounts.beginCreateAndWait("rg", "oai-sdk", account)).rejects.toMatchObject({
    statusCode: 409,
    code: "FlagMustBeSetForRestore",
  });
  const [gone] = await collect(client.deletedAccounts.list());
  expect(gone).toMatchObject({ name: "oai-sdk", location: "eastus" });
  await expect(client.deletedAccounts.beginPurgeAndWait("westus", "rg", "oai-sdk")).rejects.toMatchObject({
    statusCode: 404,
  });
  await client.deletedAccounts.beginPurgeAndWait("eastus", "rg", "oai-sdk");
  expect(await collect(client.deletedAccounts.list())).toEqual([]);
});

test("what was made outlives the sandbox's process", async () => {
  await client.accounts.beginCreateAndWait("rg", "oai-stays", { ...account, properties: {} });
  const before = await client.accounts.listKeys("rg", "oai-stays");
  await sandbox.restart();
  const { credential, options } = sandbox.client();
  const again = new CognitiveServicesManagementClient(
    credential,
    sandbox.sandbox.cloud.subscriptionId,
    options,
  );
  expect(await again.accounts.listKeys("rg", "oai-stays")).toEqual(before);
});
