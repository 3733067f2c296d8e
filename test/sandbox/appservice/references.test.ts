import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningCloud, TestCloud, testApp, until } from "./support.ts";

const day = 24 * 60 * 60 * 1000;
const reference = (secret = "key", vault = "kv-test") =>
  `@Microsoft.KeyVault(SecretUri=https://${vault}.vault.azure.net/secrets/${secret})`;

describe("the state of a reference", () => {
  let cloud: TestCloud;
  let principalId: string;
  beforeAll(async () => {
    cloud = new TestCloud();
    await cloud.foundation();
    await cloud.putVault("kv-test");
    principalId = (await cloud.putSite()).body.identity.principalId;
  });
  afterAll(() => cloud.close());

  const statusOf = async (value: string): Promise<string> => {
    await cloud.settings({ KEY: value });
    return (await cloud.references()).KEY.status;
  };

  test("names what is wrong", async () => {
    await cloud.putSecret("kv-test", "key", "first");
    expect(await statusOf(reference())).toBe("AccessToKeyVaultDenied");
    await cloud.grantReading("kv-test", principalId);
    expect(await statusOf(reference())).toBe("Resolved");
    expect(await statusOf(reference("key", "kv-absent"))).toBe("VaultNotFound");
    expect(await statusOf(reference("absent"))).toBe("SecretNotFound");
    expect(await statusOf(reference(`key/${"0".repeat(32)}`))).toBe("SecretVersionNotFound");
    expect(await statusOf("@Microsoft.KeyVault(SecretUri=nonsense)")).toBe("InvalidSyntax");
  });

  test("shows everything but the value, by both syntaxes and with a version", async () => {
    const version = await cloud.putSecret("kv-test", "key", "the value itself");
    await cloud.settings({
      BY_URI: reference(),
      BY_NAME: "@Microsoft.KeyVault(VaultName=kv-test;SecretName=key)",
      PINNED: `@Microsoft.KeyVault(VaultName=kv-test;SecretName=key;SecretVersion=${version})`,
      PLAIN: "text",
    });
    const shown = await cloud.references();
    expect(Object.keys(shown)).toEqual(["BY_URI", "BY_NAME", "PINNED"]);
    expect(shown.BY_URI).toEqual({
      reference: reference(),
      status: "Resolved",
      details: "Reference has been successfully resolved.",
      vaultName: "kv-test",
      secretName: "key",
      activeVersion: version,
      identityType: { type: "SystemAssigned" },
      source: "KeyVault",
    });
    expect(shown.PINNED).toMatchObject({ secretVersion: version, activeVersion: version });
    expect(JSON.stringify(shown)).not.toContain("the value itself");
    const one = await cloud.call("GET", `${cloud.site()}/config/configreferences/appsettings/by_name`);
    expect(one.body).toMatchObject({ name: "BY_NAME", properties: { status: "Resolved" } });
    const none = await cloud.call("GET", `${cloud.site()}/config/configreferences/appsettings/PLAIN`);
    expect(none.status).toBe(404);
  });

  test("is cached for a day, success and failure alike, and fetched again on refresh", async () => {
    await cloud.settings({ KEY: reference("late") });
    expect((await cloud.references()).KEY.status).toBe("SecretNotFound");
    const first = await cloud.putSecret("kv-test", "late", "1");
    expect((await cloud.references()).KEY.status).toBe("SecretNotFound");
    cloud.reopen();
    expect((await cloud.references()).KEY.status).toBe("SecretNotFound");
    cloud.cloud.clock.advance(day);
    expect((await cloud.references()).KEY).toMatchObject({ status: "Resolved", activeVersion: first });
    const second = await cloud.putSecret("kv-test", "late", "2");
    expect((await cloud.references()).KEY.activeVersion).toBe(first);
    const { status, body } = await cloud.call(
      "POST",
      `${cloud.site()}/config/configreferences/appsettings/refresh`,
    );
    expect(status).toBe(200);
    expect(body.value[0].properties.activeVersion).toBe(second);
    expect((await cloud.references()).KEY.activeVersion).toBe(second);
  });

  test("depends on the identity that the site reads with", async () => {
    const id = cloud.at("Microsoft.ManagedIdentity/userAssignedIdentities/id-app");
    const identity = await cloud.call("PUT", id, { location: "eastus" });
    await cloud.settings({ KEY: reference() });
    const use = (body: object) => cloud.call("PATCH", cloud.site(), body);
    await use({ properties: { keyVaultReferenceIdentity: id } });
    expect((await cloud.references()).KEY.status).toBe("MSINotEnabled");
    await use({ identity: { type: "UserAssigned", userAssignedIdentities: { [id]: {} } } });
    expect((await cloud.references()).KEY.status).toBe("AccessToKeyVaultDenied");
    await cloud.grantReading("kv-test", identity.body.properties.principalId);
    await cloud.call("POST", `${cloud.site()}/config/configreferences/appsettings/refresh`);
    expect((await cloud.references()).KEY).toMatchObject({
      status: "Resolved",
      identityType: { type: "UserAssigned", userAssignedIdentities: { [id]: {} } },
    });
    await use({ properties: { keyVaultReferenceIdentity: "SystemAssigned" } });
    expect((await cloud.references()).KEY.status).toBe("MSINotEnabled");
  });

  test("is Initialized until the site is made", async () => {
    cloud.cloud.changeSettings({ timings: { siteCreate: 60_000 } });
    const siteConfig = { appSettings: [{ name: "KEY", value: reference() }] };
    const made = await cloud.putSite("young", { properties: { siteConfig } });
    expect(made.status).toBe(202);
    expect((await cloud.references("young")).KEY.status).toBe("Initialized");
    cloud.cloud.clock.advance(60_000);
    expect((await cloud.references("young")).KEY.status).toBe("AccessToKeyVaultDenied");
  });
});

describe("what the app gets of a reference", () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await new RunningCloud().start();
    await cloud.putVault("kv-test");
    const { body } = await cloud.putSite();
    await cloud.grantReading("kv-test", body.identity.principalId);
    await cloud.putSecret("kv-test", "key", "first");
    await cloud.deploy(testApp());
  });
  afterAll(() => cloud.end());

  const key = async () => (await cloud.visit("/api/key")).body;

  test("the secret, or the literal reference when it failed", async () => {
    await cloud.settings({ KEY: reference() });
    await until("the secret is served", async () => (await key()) === "first");
    await cloud.settings({ KEY: reference("absent") });
    await until("the literal is served", async () => (await key()) === reference("absent"));
  });

  test("the old secret until a refresh or a day is over; then the new one, by another process", async () => {
    await cloud.settings({ KEY: reference() });
    await until("the first is served", async () => (await key()) === "first");
    await cloud.putSecret("kv-test", "key", "second");
    expect(await key()).toBe("first");
    await cloud.call("POST", `${cloud.site()}/config/configreferences/appsettings/refresh`);
    await until("the second is served", async () => (await key()) === "second");
    await cloud.putSecret("kv-test", "key", "third");
    cloud.cloud.clock.advance(day - 60_000);
    expect(await key()).toBe("second");
    cloud.cloud.clock.advance(60_000);
    await until("the third is served", async () => (await key()) === "third");
    const before = (await cloud.visit("/api/pid")).body;
    await cloud.call("POST", `${cloud.site()}/config/configreferences/appsettings/refresh`);
    await cloud.settings({ KEY: reference() });
    expect((await cloud.visit("/api/pid")).body).toBe(before);
  });

  test("a clock that runs fast brings the day about by itself", async () => {
    await cloud.putSecret("kv-test", "key", "fourth");
    cloud.cloud.clock.setScale(day / 500);
    await until("the fourth is served", async () => (await key()) === "fourth");
    cloud.cloud.clock.setScale(1);
    await cloud.putSecret("kv-test", "key", "fifth");
    await cloud.restart();
    expect(await key()).toBe("fourth");
    expect(cloud.runtime.counters("app").notOk).toBe(0);
  });

  test("connection strings, by their prefix", async () => {
    await cloud.call("PUT", `${cloud.site()}/config/connectionstrings`, {
      properties: {
        DB: { value: "Server=x", type: "SQLAzure" },
        OTHER: { value: reference(), type: "Custom" },
      },
    });
    await until("they are there", async () => (await cloud.visit("/api/env")).body.includes("Server=x"));
    expect(JSON.parse((await cloud.visit("/api/env")).body)).toMatchObject({
      SQLAZURECONNSTR_DB: "Server=x",
      CUSTOMCONNSTR_OTHER: "fifth",
    });
  });
});
