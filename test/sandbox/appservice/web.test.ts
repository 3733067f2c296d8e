import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { siteExists } from "../../../sandbox/appservice/state.ts";
import { TestCloud } from "./support.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = new TestCloud();
  await cloud.foundation();
});
afterAll(() => cloud.close());

const codeOf = (answer: { body: { error: { code: string } } }) => answer.body.error.code;

describe("plans", () => {
  const plan = (name: string) => cloud.at(`Microsoft.Web/serverfarms/${name}`);
  const put = (name: string, body: object) => cloud.call("PUT", plan(name), { location: "East US", ...body });

  test("are made, changed, listed and deleted", async () => {
    const made = await put("p1", { sku: { name: "EP1" }, properties: { reserved: true }, tags: { a: "b" } });
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({
      name: "p1",
      location: "eastus",
      kind: "elastic",
      tags: { a: "b" },
      sku: { name: "EP1", tier: "ElasticPremium", size: "EP1", family: "EP", capacity: 1 },
      properties: { reserved: true, status: "Ready", provisioningState: "Succeeded", numberOfSites: 0 },
    });
    const changed = await cloud.call("PATCH", plan("p1"), {
      sku: { name: "EP2", capacity: 3 },
      tags: { c: "d" },
    });
    expect(changed.body).toMatchObject({ sku: { name: "EP2", capacity: 3 }, tags: { c: "d" } });
    const { body } = await cloud.call("GET", cloud.at("Microsoft.Web/serverfarms"));
    expect(body.value.map(({ name }: { name: string }) => name)).toEqual(["plan", "p1"]);
    const all = `/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.Web/serverfarms`;
    expect((await cloud.call("GET", all)).body.value).toHaveLength(2);
    expect((await cloud.call("DELETE", plan("p1"))).status).toBe(200);
    expect((await cloud.call("DELETE", plan("p1"))).status).toBe(204);
    expect((await cloud.call("GET", plan("p1"))).status).toBe(404);
  });

  test("are refused when they make no sense", async () => {
    expect(codeOf(await put("p2", { sku: { name: "Z9" } }))).toBe("BadRequest");
    expect(codeOf(await put("p2", { sku: { name: "B1" }, properties: { zoneRedundant: true } }))).toBe(
      "BadRequest",
    );
    expect(codeOf(await put("p_2", { sku: { name: "B1" } }))).toBe("BadRequest");
    expect(codeOf(await put("plan", { sku: { name: "B1" }, properties: { reserved: false } }))).toBe(
      "Conflict",
    );
    expect((await put("p3", { sku: { name: "Y1" } })).body).toMatchObject({ kind: "functionapp" });
  });

  test("are not deleted while they have sites", async () => {
    await cloud.putSite("on-plan");
    const refused = await cloud.call("DELETE", plan("plan"));
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toContain("on-plan");
    expect((await cloud.call("GET", `${plan("plan")}/sites`)).body.value).toHaveLength(1);
    await cloud.call("DELETE", cloud.site("on-plan"));
  });
});

describe("sites", () => {
  test("show what Azure shows, and no settings", async () => {
    const siteConfig = {
      appSettings: [{ name: "SECRET", value: "of the app" }],
      linuxFxVersion: "NODE|24",
      ftpsState: "Disabled",
    };
    const made = await cloud.putSite("shown", {
      tags: { env: "dev" },
      properties: { httpsOnly: true, siteConfig },
    });
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({
      name: "shown",
      type: "Microsoft.Web/sites",
      kind: "functionapp,linux",
      tags: { env: "dev" },
      identity: { type: "SystemAssigned", tenantId: cloud.cloud.tenantId },
      properties: {
        state: "Running",
        enabled: true,
        httpsOnly: true,
        reserved: true,
        sku: "Basic",
        defaultHostName: "shown.azurewebsites.net",
        hostNames: ["shown.azurewebsites.net"],
        enabledHostNames: ["shown.azurewebsites.net", "shown.scm.azurewebsites.net"],
        keyVaultReferenceIdentity: "SystemAssigned",
        siteConfig: { linuxFxVersion: "NODE|24", ftpsState: "Disabled" },
        provisioningState: "Succeeded",
      },
    });
    expect(made.body.properties.outboundIpAddresses.split(",")).toHaveLength(4);
    const got = await cloud.call("GET", cloud.site("SHOWN"));
    expect(got.body).toEqual(made.body);
    expect(JSON.stringify(got.body)).not.toContain("of the app");
    const web = await cloud.call("GET", `${cloud.site("shown")}/config/web`);
    expect(web.body.properties).toMatchObject({
      appSettings: null,
      linuxFxVersion: "NODE|24",
      minTlsVersion: "1.2",
    });
    const settings = await cloud.call("POST", `${cloud.site("shown")}/config/appsettings/list`);
    expect(settings.body.properties).toEqual({ SECRET: "of the app" });
    expect(siteExists(cloud.cloud, "Shown.AzureWebsites.net")).toBe(true);
    expect(siteExists(cloud.cloud, "shown.scm.azurewebsites.net:443")).toBe(true);
    expect(siteExists(cloud.cloud, "other.azurewebsites.net")).toBe(false);
    expect(siteExists(cloud.cloud, "shown.example.org")).toBe(false);
  });

  test("keep what a PUT or PATCH does not name, settings too", async () => {
    const again = await cloud.putSite("shown", { properties: { clientAffinityEnabled: true } });
    expect(again.body).toMatchObject({
      tags: { env: "dev" },
      properties: { httpsOnly: true, clientAffinityEnabled: true },
    });
    const patched = await cloud.call("PATCH", cloud.site("shown"), {
      tags: { env: "prod" },
      properties: { httpsOnly: false, siteConfig: { minTlsVersion: "1.3" } },
    });
    expect(patched.body).toMatchObject({
      tags: { env: "prod" },
      properties: { httpsOnly: false, clientAffinityEnabled: true, siteConfig: { minTlsVersion: "1.3" } },
    });
    const settings = await cloud.call("POST", `${cloud.site("shown")}/config/appsettings/list`);
    expect(settings.body.properties).toEqual({ SECRET: "of the app" });
  });

  test("are listed by group and by subscription", async () => {
    const names = async (url: string) =>
      (await cloud.call("GET", url)).body.value.map(({ name }: { name: string }) => name);
    expect(await names(cloud.at("Microsoft.Web/sites"))).toEqual(["shown"]);
    expect(await names(`/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.Web/sites`)).toEqual(
      ["shown"],
    );
  });

  test("have names that are unique in the cloud", async () => {
    const sub = `/subscriptions/${cloud.cloud.subscriptionId}`;
    await cloud.call("PUT", `${sub}/resourceGroups/other`, { location: "eastus" });
    const elsewhere = await cloud.call(
      "PUT",
      `${sub}/resourceGroups/other/providers/Microsoft.Web/sites/Shown`,
      {
        location: "eastus",
        properties: { serverFarmId: cloud.at("Microsoft.Web/serverfarms/plan") },
      },
    );
    expect(elsewhere.status).toBe(409);
    expect(elsewhere.body.error.message).toContain("already exists");
    const check = async (name: string) =>
      (
        await cloud.call("POST", `${sub}/providers/Microsoft.Web/checknameavailability`, {
          name,
          type: "Microsoft.Web/sites",
        })
      ).body;
    expect(await check("shown")).toMatchObject({ nameAvailable: false, reason: "AlreadyExists" });
    expect(await check("-")).toMatchObject({ nameAvailable: false, reason: "Invalid" });
    expect(await check("free")).toMatchObject({ nameAvailable: true });
  });

  test("are refused without plan, with bad names, elsewhere, and for readers", async () => {
    const put = (name: string, body: object) => cloud.call("PUT", cloud.site(name), body);
    const serverFarmId = cloud.at("Microsoft.Web/serverfarms/plan");
    expect((await put("x1", { location: "eastus" })).status).toBe(400);
    expect(
      (await put("x1", { location: "eastus", properties: { serverFarmId: `${serverFarmId}x` } })).status,
    ).toBe(404);
    expect((await put("x_1", { location: "eastus", properties: { serverFarmId } })).status).toBe(400);
    expect((await put("x1", { location: "mars", properties: { serverFarmId } })).status).toBe(400);
    expect((await put("shown", { location: "westus", properties: { serverFarmId } })).status).toBe(409);
    const bad = { location: "eastus", properties: { serverFarmId, siteConfig: { ftpsState: "Maybe" } } };
    expect((await put("x1", bad)).body.error.message).toContain("ftpsState");
    expect((await cloud.call("PUT", cloud.site("x1"), {}, "reader")).status).toBe(403);
    expect(
      (await cloud.call("POST", `${cloud.site("shown")}/config/appsettings/list`, {}, "reader")).status,
    ).toBe(403);
    expect((await cloud.call("GET", cloud.site("shown"), undefined, "reader")).status).toBe(200);
  });

  test("have identities that come and go", async () => {
    const { body } = await cloud.putSite("ident");
    const { principalId } = body.identity;
    expect(cloud.cloud.principals.byObjectId(principalId)).toBeDefined();
    expect((await cloud.putSite("ident")).body.identity.principalId).toBe(principalId);
    const id = cloud.at("Microsoft.ManagedIdentity/userAssignedIdentities/id-x");
    const set = (identity: object) => cloud.call("PATCH", cloud.site("ident"), { identity });
    expect((await set({ type: "UserAssigned", userAssignedIdentities: { [id]: {} } })).status).toBe(400);
    expect((await set({ type: "UserAssigned" })).status).toBe(400);
    expect((await set({ type: "Nonsense" })).status).toBe(400);
    const user = await cloud.call("PUT", id, { location: "eastus" });
    const both = await set({ type: "SystemAssigned, UserAssigned", userAssignedIdentities: { [id]: {} } });
    expect(both.body.identity).toEqual({
      type: "SystemAssigned, UserAssigned",
      principalId,
      tenantId: cloud.cloud.tenantId,
      userAssignedIdentities: {
        [id]: {
          principalId: user.body.properties.principalId,
          clientId: user.body.properties.clientId,
        },
      },
    });
    const system = await set({ type: "SystemAssigned", userAssignedIdentities: { [id]: null } });
    expect(system.body.identity).not.toHaveProperty("userAssignedIdentities");
    expect((await set({ type: "None" })).body).not.toHaveProperty("identity");
    expect(cloud.cloud.principals.byObjectId(principalId)).toBeUndefined();
    const made = (await set({ type: "SystemAssigned" })).body.identity.principalId;
    await cloud.call("DELETE", cloud.site("ident"));
    expect(cloud.cloud.principals.byObjectId(made)).toBeUndefined();
  });

  test("take their time: polled, repeated, and closed to others meanwhile", async () => {
    cloud.cloud.changeSettings({ timings: { siteCreate: 60_000 } });
    const first = await cloud.putSite("slow");
    expect(first.status).toBe(202);
    expect(first.headers).toMatchObject({
      "azure-asyncoperation": expect.any(String),
      "retry-after": expect.any(String),
    });
    const again = await cloud.putSite("slow");
    expect(again.headers["azure-asyncoperation"]).toBe(first.headers["azure-asyncoperation"]);
    expect((await cloud.putSite("slow", { tags: { other: "1" } })).status).toBe(409);
    expect((await cloud.call("PATCH", cloud.site("slow"), {})).status).toBe(409);
    expect((await cloud.call("DELETE", cloud.site("slow"))).status).toBe(409);
    expect((await cloud.call("GET", cloud.site("slow"))).body.properties.provisioningState).toBe(
      "InProgress",
    );
    const poll =
      String(first.headers["azure-asyncoperation"])
        .replace("https://management.azure.com", "")
        .split("?")[0] ?? "";
    expect((await cloud.call("GET", poll)).body.status).toBe("InProgress");
    cloud.cloud.clock.advance(60_000);
    expect((await cloud.call("GET", poll)).body.status).toBe("Succeeded");
    expect((await cloud.call("GET", cloud.site("slow"))).body.properties.provisioningState).toBe("Succeeded");
    cloud.cloud.changeSettings({ profile: "instant" });
  });

  test("go, with an empty plan if asked, and with their group", async () => {
    const lone = cloud.at("Microsoft.Web/serverfarms/lone");
    await cloud.call("PUT", lone, { location: "eastus", sku: { name: "B1" } });
    await cloud.putSite("leaving", { properties: { serverFarmId: lone } });
    expect((await cloud.call("DELETE", `${cloud.site("leaving")}?deleteEmptyServerFarm=true`)).status).toBe(
      200,
    );
    expect((await cloud.call("GET", lone)).status).toBe(404);
    expect((await cloud.call("DELETE", cloud.site("leaving"))).status).toBe(204);
    const group = `/subscriptions/${cloud.cloud.subscriptionId}/resourceGroups/doomed`;
    await cloud.call("PUT", group, { location: "eastus" });
    await cloud.call("PUT", `${group}/providers/Microsoft.Web/sites/doomed`, {
      location: "eastus",
      properties: { serverFarmId: cloud.at("Microsoft.Web/serverfarms/plan") },
    });
    await cloud.call("DELETE", group);
    expect(siteExists(cloud.cloud, "doomed.azurewebsites.net")).toBe(false);
  });
});

describe("configuration", () => {
  const config = (rest: string) => `${cloud.site("conf")}/config/${rest}`;
  beforeAll(() => cloud.putSite("conf"));

  test("app settings are replaced whole", async () => {
    const put = await cloud.settings({ A: "1", B: "2" }, "conf");
    expect(put.body).toMatchObject({ name: "appsettings", properties: { A: "1", B: "2" } });
    await cloud.settings({ B: "3" }, "conf");
    expect((await cloud.call("POST", config("appsettings/list"))).body.properties).toEqual({ B: "3" });
    const loose = await cloud.call("PUT", config("appsettings"), { properties: { N: 1, T: true, E: null } });
    expect(loose.body.properties).toEqual({ N: "1", T: "true", E: "" });
    expect((await cloud.settings({ "no spaces": "1" }, "conf")).status).toBe(400);
    expect((await cloud.call("PUT", config("appsettings"), { properties: { A: {} } })).status).toBe(400);
    expect((await cloud.call("PUT", config("appsettings"), {})).body.properties).toEqual({});
  });

  test("config/web is replaced by PUT and merged by PATCH", async () => {
    await cloud.call("PUT", config("web"), { properties: { alwaysOn: true, appCommandLine: "x" } });
    const patched = await cloud.call("PATCH", config("web"), { properties: { http20Enabled: true } });
    expect(patched.body.properties).toMatchObject({
      alwaysOn: true,
      appCommandLine: "x",
      http20Enabled: true,
    });
    const put = await cloud.call("PUT", config("web"), {
      properties: { keyVaultReferenceIdentity: "SystemAssigned", appSettings: [{ name: "Q", value: "1" }] },
    });
    expect(put.body.properties).toMatchObject({ alwaysOn: false, appCommandLine: "" });
    expect((await cloud.call("POST", config("appsettings/list"))).body.properties).toEqual({ Q: "1" });
    expect((await cloud.call("GET", config("").slice(0, -1))).body.value).toHaveLength(1);
    expect((await cloud.call("PATCH", config("web"), { properties: { minTlsVersion: "9" } })).status).toBe(
      400,
    );
  });

  test("connection strings, metadata and slot names are kept", async () => {
    const strings = { DB: { value: "Server=x", type: "SQLAzure" } };
    await cloud.call("PUT", config("connectionstrings"), { properties: strings });
    expect((await cloud.call("POST", config("connectionstrings/list"))).body.properties).toEqual(strings);
    const siteConfig = {
      connectionStrings: [{ name: "C", connectionString: "v", type: "Custom" }],
      metadata: [{ name: "M", value: "1" }],
    };
    await cloud.call("PATCH", cloud.site("conf"), { properties: { siteConfig } });
    expect((await cloud.call("POST", config("connectionstrings/list"))).body.properties).toEqual({
      C: { value: "v", type: "Custom" },
    });
    expect((await cloud.call("POST", config("metadata/list"))).body.properties).toEqual({ M: "1" });
    expect((await cloud.call("PUT", config("metadata"), { properties: { X: "y" } })).body.properties).toEqual(
      {
        X: "y",
      },
    );
    const names = { appSettingNames: ["A"] };
    await cloud.call("PUT", config("slotConfigNames"), { properties: names });
    expect((await cloud.call("GET", config("slotConfigNames"))).body.properties).toEqual(names);
    expect((await cloud.call("POST", config("azurestorageaccounts/list"))).body.properties).toEqual({});
  });

  test("a function app has keys, remembered as secrets, and its instances", async () => {
    const keys = await cloud.call("POST", `${cloud.site("conf")}/host/default/listkeys`);
    expect((await cloud.call("POST", `${cloud.site("conf")}/host/default/listkeys`)).body).toEqual(keys.body);
    expect(cloud.cloud.mint.all().some(({ value }) => value === keys.body.masterKey)).toBe(true);
    expect((await cloud.call("POST", `${cloud.site("conf")}/syncfunctiontriggers`)).status).toBe(204);
    expect((await cloud.call("GET", `${cloud.site("conf")}/functions`)).body.value).toEqual([]);
    expect((await cloud.call("GET", `${cloud.site("conf")}/functions/none`)).status).toBe(404);
    expect((await cloud.call("GET", `${cloud.site("conf")}/instances`)).body.value).toHaveLength(1);
    await cloud.call("POST", `${cloud.site("conf")}/stop`);
    expect((await cloud.call("GET", `${cloud.site("conf")}/instances`)).body.value).toEqual([]);
    expect((await cloud.call("GET", cloud.site("conf"))).body.properties.state).toBe("Stopped");
  });

  test("of no site is 404, and what is not served is, too", async () => {
    expect((await cloud.settings({}, "absent")).body.error.code).toBe("ResourceNotFound");
    expect((await cloud.call("GET", config("nothing"))).status).toBe(404);
  });
});
