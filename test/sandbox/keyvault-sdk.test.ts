import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { ResourceManagementClient } from "@azure/arm-resources";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestSandbox, testSandbox } from "../harness/sandbox.ts";

/** The official clients, unmodified, through the front door. */
let sandbox: TestSandbox;
let vaults: KeyVaultManagementClient;
let secrets: SecretClient;

const officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of pages) all.push(each);
  return all;
}

const vault = (extra: object = {}) => ({
  location: "eastus",
  properties: {
    tenantId: sandbox.sandbox.cloud.tenantId,
    sku: { family: "A" as const, name: "standard" as const },
    enableRbacAuthorization: true,
    softDeleteRetentionInDays: 7,
    ...extra,
  },
});

function grantOfficer(): void {
  const { cloud } = sandbox.sandbox;
  cloud.rbac.assignments.put("given", {
    scope: `/subscriptions/${cloud.subscriptionId}/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-sdk`,
    name: "given",
    principalId: cloud.principals.byName("owner")?.objectId ?? "",
    principalType: "ServicePrincipal",
    roleDefinitionId: officer,
    createdAt: 0,
    createdBy: "test",
  });
}

beforeAll(async () => {
  sandbox = await testSandbox({ profile: "quick" });
  const { credential, options } = sandbox.client();
  const { subscriptionId } = sandbox.sandbox.cloud;
  vaults = new KeyVaultManagementClient(credential, subscriptionId, options);
  secrets = new SecretClient("https://kv-sdk.vault.azure.net", credential, options);
  await new ResourceManagementClient(credential, subscriptionId, options).resourceGroups.createOrUpdate(
    "rg",
    {
      location: "eastus",
    },
  );
});
afterAll(() => sandbox.close());

test("a vault and its secrets live and go", async () => {
  const made = await vaults.vaults.beginCreateOrUpdateAndWait("rg", "kv-sdk", vault());
  expect(made.properties).toMatchObject({
    vaultUri: "https://kv-sdk.vault.azure.net/",
    provisioningState: "Succeeded",
  });
  expect(await collect(vaults.vaults.listByResourceGroup("rg"))).toHaveLength(1);

  await expect(secrets.setSecret("one", "value of one")).rejects.toMatchObject({
    statusCode: 403,
    code: "Forbidden",
  });
  grantOfficer();
  const first = await secrets.setSecret("one", "value of one", {
    tags: { phase: "prepare" },
    contentType: "text/plain",
  });
  await secrets.setSecret("one", "newer value", { expiresOn: new Date("2030-01-01T00:00:00Z") });
  expect(await secrets.getSecret("one")).toMatchObject({
    value: "newer value",
    properties: { enabled: true, expiresOn: new Date("2030-01-01T00:00:00Z"), recoverableDays: 7 },
  });
  const version = first.properties.version ?? "";
  expect((await secrets.getSecret("one", { version })).value).toBe("value of one");
  await secrets.updateSecretProperties("one", version, { tags: { phase: "drained" } });
  const versions = await collect(secrets.listPropertiesOfSecretVersions("one"));
  expect(versions.find((each) => each.version === version)?.tags).toEqual({ phase: "drained" });
  for (let n = 0; n < 30; n += 1) await secrets.setSecret(`many-${n}`, "some value");
  expect(await collect(secrets.listPropertiesOfSecrets())).toHaveLength(31);

  await (await secrets.beginDeleteSecret("one", { intervalInMs: 20 })).pollUntilDone();
  expect((await collect(secrets.listDeletedSecrets())).map(({ name }) => name)).toEqual(["one"]);
  await (await secrets.beginRecoverDeletedSecret("one", { intervalInMs: 20 })).pollUntilDone();
  expect((await secrets.getSecret("one")).value).toBe("newer value");
  const backup = await secrets.backupSecret("many-1");
  await (await secrets.beginDeleteSecret("many-1", { intervalInMs: 20 })).pollUntilDone();
  await secrets.purgeDeletedSecret("many-1");
  await expect(secrets.getDeletedSecret("many-1")).rejects.toMatchObject({ statusCode: 404 });
  sandbox.sandbox.cloud.clock.advance(1000);
  expect(backup).toBeDefined();
  if (backup !== undefined) await secrets.restoreSecretBackup(backup);
  expect((await secrets.getSecret("many-1")).value).toBe("some value");

  await vaults.vaults.delete("rg", "kv-sdk");
  const [gone] = await collect(vaults.vaults.listDeleted());
  expect(gone?.properties?.vaultId).toBe(made.id);
  // Its name does not resolve any more: the proxy refuses the connection, which is no answer of a vault.
  const { credential, options } = sandbox.client();
  const lone = new SecretClient("https://kv-sdk.vault.azure.net", credential, {
    ...options,
    retryOptions: { maxRetries: 0 },
  });
  await expect(lone.getSecret("one")).rejects.not.toHaveProperty("statusCode", 404);
  await expect(vaults.vaults.beginCreateOrUpdateAndWait("rg", "kv-sdk", vault())).rejects.toMatchObject({
    statusCode: 409,
    code: "ConflictError",
  });
  await vaults.vaults.beginCreateOrUpdateAndWait("rg", "kv-sdk", vault({ createMode: "recover" }));
  grantOfficer();
  expect((await secrets.getSecret("one")).value).toBe("newer value");
  await vaults.vaults.delete("rg", "kv-sdk");
  await vaults.vaults.beginPurgeDeletedAndWait("kv-sdk", "eastus");
  expect(await collect(vaults.vaults.listDeleted())).toEqual([]);
});
