import { describe, expect, it } from "vitest";
import { azureAccountKeys } from "../../../scripts/lib/keys/azure-account-keys.ts";
import { azureAppReferences, azureAppSettings } from "../../../scripts/lib/keys/azure-app.ts";
import { azureSecretStore } from "../../../scripts/lib/keys/azure-secret-store.ts";
import { KeyMaterial } from "../../../scripts/lib/keys/key-material.ts";
import { syncKey } from "../../../scripts/lib/keys/sync.ts";
import { KEY1, KEY2, patience } from "./fakes.ts";
import { ARM_TOKEN, credential, Wire } from "./wire.ts";

const SUBSCRIPTION = "00000000-1111-2222-3333-444444444444";
const ARM = `management.azure.com/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers`;
const ACCOUNT = `${ARM}/Microsoft.CognitiveServices/accounts/oai`;
const SITE = `${ARM}/Microsoft.Web/sites/func`;
const VAULT = "kv.vault.azure.net";
const CHALLENGE = {
  status: 401,
  headers: {
    "www-authenticate":
      'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"',
  },
};
const account = { subscriptionId: SUBSCRIPTION, resourceGroup: "rg", account: "oai" };
const app = { subscriptionId: SUBSCRIPTION, resourceGroup: "rg", app: "func" };

const bundle = (value: string) => ({
  value,
  id: `https://${VAULT}/secrets/S/v7`,
  attributes: { enabled: true, created: 1_800_000_000, exp: 1_900_000_000 },
  tags: { slot: "key1" },
});
const refusal = (code: string, inner?: string) => ({
  error: { code, message: `${code}!`, ...(inner === undefined ? {} : { innererror: { code: inner } }) },
});

describe("azureAccountKeys", () => {
  it("lists and regenerates", async () => {
    const wire = new Wire()
      .on(`POST ${ACCOUNT}/listKeys`, { status: 200, body: { key1: KEY1, key2: KEY2 } })
      .on(`POST ${ACCOUNT}/regenerateKey`, { status: 200, body: { key1: KEY1, key2: "new" } });
    const keys = await azureAccountKeys(credential, account, { httpClient: wire });
    const { key1, key2 } = await keys.list();
    expect([key1.reveal(), key2.reveal()]).toEqual([KEY1, KEY2]);
    expect((await keys.regenerate("key2")).reveal()).toBe("new");
    expect(wire.requests.map(({ token, body }) => [token, body])).toEqual([
      [ARM_TOKEN, undefined],
      [ARM_TOKEN, { keyName: "Key2" }],
    ]);
  });
});

describe("azureSecretStore", () => {
  const open = (wire: Wire) => azureSecretStore(credential, `https://${VAULT}/`, "S", { httpClient: wire });

  it("reads the current version", async () => {
    const wire = new Wire().on(`GET ${VAULT}/secrets/S/`, CHALLENGE, { status: 200, body: bundle(KEY1) });
    const store = await open(wire);
    expect(store.uri).toBe(`https://${VAULT}/secrets/S`);
    const found = await store.read();
    expect([found?.value.reveal(), found?.version, found?.tags]).toEqual([KEY1, "v7", { slot: "key1" }]);
    expect(found?.expiresOn).toEqual(new Date(1_900_000_000_000));
    expect(wire.requests.at(-1)?.token).toBe("Bearer token for https://vault.azure.net/.default");
  });

  it("knows a secret that is not there, or holds nothing", async () => {
    const answers = [
      { status: 404, body: refusal("SecretNotFound") },
      { status: 200, body: bundle("") },
    ];
    const store = await open(new Wire().on(`GET ${VAULT}/secrets/S/`, CHALLENGE, ...answers));
    expect(await store.read()).toBeUndefined();
    expect(await store.read()).toBeUndefined();
  });

  it("writes a version with its labels, and changes its tags", async () => {
    const wire = new Wire()
      .on(`PUT ${VAULT}/secrets/S`, CHALLENGE, { status: 200, body: bundle(KEY2) })
      .on(`PATCH ${VAULT}/secrets/S/v7`, { status: 200, body: bundle(KEY2) });
    const store = await open(wire);
    const expiresOn = new Date(1_900_000_000_000);
    const labels = { tags: { env: "dev" }, slot: "key2", phase: "write", expiresOn } as const;
    expect(await store.write(new KeyMaterial(KEY2), labels)).toBe("v7");
    expect(wire.requests.at(-1)?.body).toMatchObject({
      value: KEY2,
      contentType: "text/plain; kind=azure-openai-api-key",
      attributes: { exp: 1_900_000_000 },
      tags: { env: "dev", slot: "key2", phase: "write" },
    });
    await store.updateTags("v7", { phase: "drained" });
    expect(wire.requests.at(-1)?.body).toMatchObject({ tags: { phase: "drained" } });
  });

  it("heals with the sync: denied, deleted, brought back, replaced", async () => {
    const denied = { status: 403, body: refusal("Forbidden", "ForbiddenByRbac") };
    const missing = { status: 404, body: refusal("SecretNotFound") };
    const wire = new Wire()
      .on(`POST ${ACCOUNT}/listKeys`, { status: 200, body: { key1: KEY1, key2: KEY2 } })
      .on(`GET ${VAULT}/secrets/S/`, CHALLENGE, denied, missing)
      .on(
        `PUT ${VAULT}/secrets/S`,
        { status: 409, body: refusal("Conflict", "ObjectIsDeletedButRecoverable") },
        { status: 409, body: refusal("Conflict", "ObjectIsBeingRecovered") },
        { status: 200, body: bundle(KEY1) },
      )
      .on(`POST ${VAULT}/deletedsecrets/S/recover`, { status: 200, body: bundle("") });
    const keys = await azureAccountKeys(credential, account, { httpClient: wire });
    const waiting = patience();
    const options = { tags: {}, lifetimeDays: 1, patience: waiting, today: new Date(0) };
    expect(await syncKey(keys, await open(wire), options)).toMatchObject({ slot: "key1", kept: false });
    expect(waiting.told).toEqual([
      expect.stringMatching(/role on the vault/),
      expect.stringMatching(/being brought back/),
    ]);
    expect(wire.requests.filter(({ place }) => place.includes("deletedsecrets"))).toHaveLength(1);
  });
});

describe("azureAppReferences", () => {
  it("reads a status, also of a reference the app does not know", async () => {
    const at = `GET ${SITE}/config/configreferences/appsettings/A`;
    const body = { properties: { status: "Resolved", details: "ok", activeVersion: "v7" } };
    const wire = new Wire().on(
      at,
      { status: 200, body },
      { status: 404, body: refusal("NotFound") },
      { status: 200, body: {} },
    );
    const references = await azureAppReferences(credential, app, { httpClient: wire });
    expect(await references.status("A")).toMatchObject({
      status: "Resolved",
      details: "ok",
      activeVersion: "v7",
    });
    expect(await references.status("A")).toBeUndefined();
    expect(await references.status("A")).toMatchObject({ status: "Initialized" });
  });

  it("refreshes by the SDK's own pipeline, with its token", async () => {
    const at = `POST ${SITE}/config/configreferences/appsettings/refresh`;
    const wire = new Wire().on(
      at,
      { status: 200 },
      { status: 409, body: refusal("Conflict") },
      { status: 400 },
    );
    const references = await azureAppReferences(credential, app, { httpClient: wire });
    await references.refresh();
    expect(wire.requests).toEqual([expect.objectContaining({ version: "2022-03-01", token: ARM_TOKEN })]);
    await expect(references.refresh()).rejects.toMatchObject({
      statusCode: 409,
      details: { error: { code: "Conflict" } },
    });
    await expect(references.refresh()).rejects.toMatchObject({ statusCode: 400 });
  });
});

describe("azureAppSettings", () => {
  it("tells whether the app has an identity", async () => {
    const wire = new Wire().on(
      `GET ${SITE}`,
      { status: 200, body: { location: "eastus", identity: { type: "SystemAssigned" } } },
      { status: 200, body: { location: "eastus", identity: { type: "None" } } },
      { status: 200, body: { location: "eastus" } },
      { status: 404, body: refusal("ResourceNotFound") },
      { status: 403, body: refusal("AuthorizationFailed") },
    );
    const settings = await azureAppSettings(credential, app, { httpClient: wire });
    const found = [];
    for (let index = 0; index < 4; index++) found.push(await settings.hasIdentity());
    expect(found).toEqual([true, false, false, undefined]);
    await expect(settings.hasIdentity()).rejects.toMatchObject({ statusCode: 403 });
  });

  it("reads and replaces all settings", async () => {
    const wire = new Wire()
      .on(
        `POST ${SITE}/config/appsettings/list`,
        { status: 200, body: { properties: { A: "1" } } },
        { status: 200, body: {} },
      )
      .on(`PUT ${SITE}/config/appsettings`, { status: 200, body: { properties: {} } });
    const settings = await azureAppSettings(credential, app, { httpClient: wire });
    expect(await settings.read()).toEqual({ A: "1" });
    expect(await settings.read()).toEqual({});
    await settings.replace({ A: "2" });
    expect(wire.requests.at(-1)?.body).toMatchObject({ properties: { A: "2" } });
  });
});
