import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCloud } from "./appservice/support.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = new TestCloud();
  await cloud.foundation();
});
afterAll(() => cloud.close());

const at = (name: string) => cloud.at(`Microsoft.Storage/storageAccounts/${name}`);
const body = (more: object = {}) => ({
  location: "eastus",
  sku: { name: "Standard_LRS" },
  kind: "StorageV2",
  ...more,
});

test("an account is made, shown, changed and deleted", async () => {
  const made = await cloud.call("PUT", at("stone"), body({ properties: { allowSharedKeyAccess: false } }));
  expect(made.status).toBe(200);
  expect(made.body).toMatchObject({
    sku: { name: "Standard_LRS", tier: "Standard" },
    kind: "StorageV2",
    properties: {
      allowSharedKeyAccess: false,
      provisioningState: "Succeeded",
      primaryEndpoints: { blob: "https://stone.blob.core.windows.net/" },
      supportsHttpsTrafficOnly: true,
    },
  });
  const again = await cloud.call("PUT", at("stone"), body({ properties: { minimumTlsVersion: "TLS1_2" } }));
  expect(again.body.properties).toMatchObject({ allowSharedKeyAccess: false, minimumTlsVersion: "TLS1_2" });
  const patched = await cloud.call("PATCH", at("stone"), {
    tags: { a: "b" },
    sku: { name: "Standard_GRS" },
    properties: { accessTier: "Cool" },
  });
  expect(patched.body).toMatchObject({
    tags: { a: "b" },
    sku: { name: "Standard_GRS" },
    properties: { accessTier: "Cool", minimumTlsVersion: "TLS1_2" },
  });
  expect((await cloud.call("GET", at("stone"))).body).toEqual(patched.body);
  expect((await cloud.call("GET", at("").slice(0, -1))).body.value).toHaveLength(1);
  const all = `/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.Storage/storageAccounts`;
  expect((await cloud.call("GET", all)).body.value).toHaveLength(1);
  expect((await cloud.call("DELETE", at("stone"))).status).toBe(200);
  expect((await cloud.call("DELETE", at("stone"))).status).toBe(204);
});

test("making one takes its time: 202, polled by Location, closed to others meanwhile", async () => {
  cloud.cloud.changeSettings({ timings: { storageCreate: 60_000 } });
  const first = await cloud.call("PUT", at("stslow"), body());
  expect(first.status).toBe(202);
  expect(first.body).toBe("");
  const location =
    String(first.headers.location).replace("https://management.azure.com", "").split("?")[0] ?? "";
  expect((await cloud.call("GET", location)).status).toBe(202);
  expect((await cloud.call("PUT", at("stslow"), body())).headers.location).toBe(first.headers.location);
  expect((await cloud.call("PUT", at("stslow"), body({ tags: { a: "b" } }))).status).toBe(409);
  expect((await cloud.call("PATCH", at("stslow"), {})).status).toBe(409);
  expect((await cloud.call("DELETE", at("stslow"))).status).toBe(409);
  cloud.cloud.clock.advance(60_000);
  const done = await cloud.call("GET", location);
  expect(done.status).toBe(200);
  expect(done.body.name).toBe("stslow");
  cloud.cloud.changeSettings({ profile: "instant" });
});

test("names are unique in the cloud and well-formed", async () => {
  await cloud.call("PUT", at("sttaken"), body());
  const sub = `/subscriptions/${cloud.cloud.subscriptionId}`;
  await cloud.call("PUT", `${sub}/resourceGroups/other`, { location: "eastus" });
  const other = `${sub}/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/sttaken`;
  expect((await cloud.call("PUT", other, body())).body.error.code).toBe("StorageAccountAlreadyTaken");
  expect((await cloud.call("PUT", at("St-Bad"), body())).body.error.code).toBe("AccountNameInvalid");
  expect((await cloud.call("PUT", at("stx"), body({ sku: { name: "Best" } }))).status).toBe(400);
  expect((await cloud.call("PUT", at("sttaken"), body({ kind: "FileStorage" }))).status).toBe(409);
  expect((await cloud.call("PUT", at("sttaken"), body({ location: "westus" }))).status).toBe(409);
  const check = async (name: string) =>
    (
      await cloud.call("POST", `${sub}/providers/Microsoft.Storage/checkNameAvailability`, {
        name,
        type: "Microsoft.Storage/storageAccounts",
      })
    ).body;
  expect(await check("sttaken")).toMatchObject({ nameAvailable: false, reason: "AlreadyExists" });
  expect(await check("A")).toMatchObject({ nameAvailable: false, reason: "AccountNameInvalid" });
  expect(await check("stfree")).toEqual({ nameAvailable: true });
});

test("keys are minted, remembered, and made anew one at a time", async () => {
  await cloud.call("PUT", at("stkeys"), body());
  const { keys } = (await cloud.call("POST", `${at("stkeys")}/listKeys`)).body;
  expect(keys.map(({ keyName }: { keyName: string }) => keyName)).toEqual(["key1", "key2"]);
  expect(cloud.cloud.mint.all().some(({ value }) => value === keys[0].value)).toBe(true);
  const made = await cloud.call("POST", `${at("stkeys")}/regenerateKey`, { keyName: "key1" });
  expect(made.body.keys[0].value).not.toBe(keys[0].value);
  expect(made.body.keys[1].value).toBe(keys[1].value);
  expect((await cloud.call("POST", `${at("stkeys")}/regenerateKey`, { keyName: "key3" })).status).toBe(400);
  expect((await cloud.call("POST", `${at("stkeys")}/listKeys`, {}, "reader")).status).toBe(403);
  expect(JSON.stringify((await cloud.call("GET", at("stkeys"))).body)).not.toContain(keys[1].value);
});

test("the blob service has properties from the start", async () => {
  await cloud.call("PUT", at("stblob"), body());
  const service = `${at("stblob")}/blobServices/default`;
  expect((await cloud.call("GET", service)).body.properties.deleteRetentionPolicy.enabled).toBe(false);
  const put = await cloud.call("PUT", service, {
    properties: { deleteRetentionPolicy: { enabled: true, days: 7 }, isVersioningEnabled: true },
  });
  expect(put.body.properties).toMatchObject({
    isVersioningEnabled: true,
    deleteRetentionPolicy: { days: 7 },
  });
  expect((await cloud.call("GET", `${at("stblob")}/blobServices`)).body.value[0]).toEqual(put.body);
  expect(
    (await cloud.call("PUT", service, { properties: { deleteRetentionPolicy: { days: 0 } } })).status,
  ).toBe(400);
});
