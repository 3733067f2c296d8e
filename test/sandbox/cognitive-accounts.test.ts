import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalCloud } from "./local-cloud.ts";

const hour = 3_600_000;
const account = (extra: object = {}, properties: object = {}) => ({
  location: "eastus",
  kind: "OpenAI",
  sku: { name: "S0" },
  ...extra,
  properties: { customSubDomainName: "oai-a", ...properties },
});

let local: LocalCloud;
let url: string;

beforeEach(async () => {
  local = new LocalCloud();
  url = `${await local.makeGroup()}/providers/Microsoft.CognitiveServices/accounts/oai-a`;
});
afterEach(() => local.close());

const deletedUrl = (location = "eastus") =>
  `/providers/Microsoft.CognitiveServices/locations/${location}/resourceGroups/rg/deletedAccounts/oai-a`;

describe("creating an account", () => {
  test("is long-running and ends Succeeded with endpoint, etag and identity", async () => {
    const made = await local.arm("PUT", url, {
      body: account({ tags: { env: "dev" }, identity: { type: "SystemAssigned" } }),
    });
    expect(made.status).toBe(201);
    expect(made.headers["azure-asyncoperation"]).toMatch(/locations\/eastus\/operationStatuses\//);
    expect(made.headers["retry-after-ms"]).toBe("700");
    expect(made.body.properties.provisioningState).toBe("Accepted");

    local.pass(700);
    const { body } = await local.arm("GET", url);
    expect(body).toMatchObject({
      name: "oai-a",
      type: "Microsoft.CognitiveServices/accounts",
      kind: "OpenAI",
      sku: { name: "S0" },
      location: "eastus",
      tags: { env: "dev" },
      properties: {
        provisioningState: "Succeeded",
        endpoint: "https://oai-a.openai.azure.com/",
        customSubDomainName: "oai-a",
      },
      identity: { type: "SystemAssigned", tenantId: local.cloud.tenantId },
    });
    expect(body.etag).toMatch(/^"[0-9a-f-]+"$/);
    expect(body.properties.endpoints["OpenAI Language Model Instance API"]).toBe(body.properties.endpoint);
    expect(local.cloud.principals.byObjectId(body.identity.principalId)?.kind).toBe("ManagedIdentity");
  });

  test("never shows a key, and the keys are remembered for the leak scan", async () => {
    await local.armDone("PUT", url, { body: account() });
    const { body: keys } = await local.arm("POST", `${url}/listKeys`);
    const shown = (await local.arm("GET", url)).text;
    for (const key of [keys.key1, keys.key2]) {
      expect(key).toHaveLength(84);
      expect(shown).not.toContain(key);
      expect(local.cloud.mint.all().map((each) => each.value)).toContain(key);
    }
  });

  test("an identical PUT while it runs is the same operation; another is a conflict", async () => {
    const first = await local.arm("PUT", url, { body: account() });
    const again = await local.arm("PUT", url, { body: account() });
    expect(again.headers["azure-asyncoperation"]).toBe(first.headers["azure-asyncoperation"]);
    const other = await local.arm("PUT", url, { body: account({ tags: { a: "b" } }) });
    expect([other.status, other.body.error.code]).toEqual([409, "AccountProvisioningStateInvalid"]);
    const removal = await local.arm("DELETE", url);
    expect([removal.status, removal.body.error.code]).toEqual([409, "AccountProvisioningStateInvalid"]);
  });

  test.each([
    ["a kind that is none", { kind: "Bogus" }, {}, 400, "InvalidApiSetId"],
    ["a SKU that is none", { sku: { name: "F0" } }, {}, 400, "InvalidSkuId"],
    ["a subdomain with an underscore", {}, { customSubDomainName: "a_b" }, 400, "InvalidRequestContent"],
    ["a region that is none", { location: "mars" }, {}, 400, "LocationNotAvailableForResourceType"],
    ["restoring nothing", {}, { restore: true }, 409, "CanNotRestoreANonExistingResource"],
    [
      "an identity that is not there",
      { identity: { type: "UserAssigned", userAssignedIdentities: { "/subscriptions/x/id": {} } } },
      {},
      400,
      "FailedIdentityOperation",
    ],
  ])("%s is refused", async (_what, extra, properties, status, code) => {
    const { status: got, body } = await local.arm("PUT", url, { body: account(extra, properties) });
    expect([got, body.error.code]).toEqual([status, code]);
    expect((await local.arm("GET", url)).status).toBe(404);
    expect((await local.arm("PUT", url, { body: account() })).status).toBe(201);
  });

  test("an unentitled subscription gets no account", async () => {
    local.settings({ openAiEntitled: false });
    const { status, body } = await local.arm("PUT", url, { body: account() });
    expect([status, body.error.code]).toEqual([400, "SpecialFeatureOrQuotaIdRequired"]);
  });

  test("a subdomain belongs to one account, live or deleted", async () => {
    await local.armDone("PUT", url, { body: account() });
    const other = url.replace(/oai-a$/, "oai-b");
    const taken = await local.arm("PUT", other, { body: account() });
    expect([taken.status, taken.body.error.code]).toEqual([409, "CustomDomainInUse"]);
    await local.armDone("DELETE", url);
    expect((await local.arm("PUT", other, { body: account() })).body.error.code).toBe("CustomDomainInUse");
    const check = await local.arm("POST", "/providers/Microsoft.CognitiveServices/checkDomainAvailability", {
      body: { subdomainName: "oai-a", type: "Microsoft.CognitiveServices/accounts" },
    });
    expect(check.body.isSubdomainAvailable).toBe(false);
    local.pass(48 * hour);
    expect((await local.arm("PUT", other, { body: account() })).status).toBe(201);
  });
});

describe("changing an account", () => {
  beforeEach(() => local.armDone("PUT", url, { body: account({ tags: { a: "1" } }) }));

  test("PUT replaces, PATCH merges, and the keys stay", async () => {
    const { body: keys } = await local.arm("POST", `${url}/listKeys`);
    const patched = await local.arm("PATCH", url, { body: { properties: { disableLocalAuth: true } } });
    expect(patched.body).toMatchObject({ tags: { a: "1" }, properties: { disableLocalAuth: true } });
    const put = await local.arm("PUT", url, { body: account({ tags: { b: "2" } }) });
    expect(put.status).toBe(200);
    expect(put.body.tags).toEqual({ b: "2" });
    expect(put.body.properties.disableLocalAuth).toBeUndefined();
    expect((await local.arm("POST", `${url}/listKeys`)).body).toEqual(keys);
  });

  test("kind, location and subdomain cannot change", async () => {
    for (const [body, code] of [
      [account({ kind: "AIServices" }), "BadRequest"],
      [account({ location: "westus" }), "InvalidResourceLocation"],
      [account({}, { customSubDomainName: "oai-c" }), "BadRequest"],
    ] as const) {
      expect((await local.arm("PUT", url, { body })).body.error.code).toBe(code);
    }
  });

  test("an identity comes and goes with what is asked", async () => {
    const on = await local.arm("PATCH", url, { body: { identity: { type: "SystemAssigned" } } });
    const { principalId } = on.body.identity;
    expect((await local.arm("PATCH", url, { body: { tags: {} } })).body.identity.principalId).toBe(
      principalId,
    );
    await local.arm("PATCH", url, { body: { identity: { type: "None" } } });
    expect(local.cloud.principals.byObjectId(principalId)).toBeUndefined();
  });
});

describe("keys", () => {
  beforeEach(() => local.armDone("PUT", url, { body: account() }));

  test("regenerating one leaves the other, and both names are checked", async () => {
    const { body: before } = await local.arm("POST", `${url}/listKeys`);
    const { body: after } = await local.arm("POST", `${url}/regenerateKey`, { body: { keyName: "Key2" } });
    expect(after.key1).toBe(before.key1);
    expect(after.key2).not.toBe(before.key2);
    expect((await local.arm("POST", `${url}/regenerateKey`, { body: { keyName: "Key3" } })).status).toBe(400);
  });

  test("with local auth off there is nothing to list", async () => {
    await local.arm("PATCH", url, { body: { properties: { disableLocalAuth: true } } });
    const { status, body } = await local.arm("POST", `${url}/listKeys`);
    expect(status).toBe(400);
    expect(body.error).toEqual({
      code: "BadRequest",
      message: "Failed to list key. disableLocalAuth is set to be true",
    });
  });

  test("a reader may not list them", async () => {
    expect((await local.arm("POST", `${url}/listKeys`, { as: "reader" })).body.error.code).toBe(
      "AuthorizationFailed",
    );
  });
});

describe("deleting an account", () => {
  beforeEach(() => local.armDone("PUT", url, { body: account({ tags: { env: "dev" } }) }));

  test("keeps it for 48 hours, then lets go of everything", async () => {
    const { body: before } = await local.arm("GET", url);
    expect((await local.armDone("DELETE", url)).status).toBe(202);
    expect((await local.arm("GET", url)).status).toBe(404);
    expect((await local.arm("DELETE", url)).status).toBe(204);
    const { body } = await local.arm("GET", deletedUrl());
    expect(body.tags).toEqual({ env: "dev" });
    expect(Date.parse(body.properties.scheduledPurgeDate) - Date.parse(body.properties.deletionDate)).toBe(
      48 * hour,
    );
    const list = await local.arm("GET", "/providers/Microsoft.CognitiveServices/deletedAccounts");
    expect(list.body.value.map((each: { id: string }) => each.id)).toEqual([body.id]);
    expect((await local.arm("PUT", url, { body: account() })).body.error.code).toBe(
      "FlagMustBeSetForRestore",
    );
    local.pass(48 * hour);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
    expect((await local.armDone("PUT", url, { body: account() })).status).toBe(201);
    expect((await local.arm("GET", url)).body.properties.internalId).not.toBe(before.properties.internalId);
  });

  test("restore brings it back with its keys", async () => {
    const { body: keys } = await local.arm("POST", `${url}/listKeys`);
    await local.armDone("DELETE", url);
    await local.armDone("PUT", url, { body: account({}, { restore: true }) });
    expect((await local.arm("GET", url)).body).toMatchObject({
      tags: { env: "dev" },
      properties: { provisioningState: "Succeeded" },
    });
    expect((await local.arm("POST", `${url}/listKeys`)).body).toEqual(keys);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
  });

  test("a purge needs the right region and a role on the subscription", async () => {
    await local.armDone("DELETE", url);
    expect((await local.arm("DELETE", deletedUrl("westus"))).status).toBe(404);
    await local.grant("stranger", "Contributor", await local.makeGroup());
    local.pass(hour);
    expect((await local.arm("DELETE", deletedUrl(), { as: "stranger" })).body.error.code).toBe(
      "AuthorizationFailed",
    );
    expect((await local.armDone("DELETE", deletedUrl())).status).toBe(202);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
    expect((await local.arm("PUT", url, { body: account() })).status).toBe(201);
  });

  test("a group's deletion soft-deletes what is in it", async () => {
    await local.armDone("DELETE", await local.makeGroup());
    expect((await local.arm("GET", deletedUrl())).status).toBe(200);
  });
});

test("reads: lists, SKUs, models, availability", async () => {
  await local.armDone("PUT", url, { body: account() });
  const names = async (path: string) =>
    (await local.arm("GET", path)).body.value.map((each: { name: string }) => each.name);
  expect(await names("/providers/Microsoft.CognitiveServices/accounts")).toEqual(["oai-a"]);
  expect(await names(url.replace(/\/oai-a$/, "").toLowerCase())).toEqual(["oai-a"]);
  expect(await names(`${url}/models`)).toContain("gpt-5.1");
  expect((await local.arm("GET", `${url}/skus`)).body.value[0].sku.name).toBe("S0");
  expect(await names("/providers/Microsoft.CognitiveServices/skus")).toContain("S0");
  const models = (location: string) =>
    local.arm("GET", `/providers/Microsoft.CognitiveServices/locations/${location}/models`);
  const modelNames = (answer: { body: { value: { model: { name: string } }[] } }) =>
    answer.body.value.map(({ model }) => model.name);
  expect(modelNames(await models("eastus"))).toContain("gpt-5.1");
  expect(modelNames(await models("westeurope"))).not.toContain("gpt-5.1");
  const skus = await local.arm(
    "POST",
    "/providers/Microsoft.CognitiveServices/locations/eastus/checkSkuAvailability",
    {
      body: { skus: ["S0", "F0"], kind: "OpenAI", type: "Microsoft.CognitiveServices/accounts" },
    },
  );
  expect(skus.body.value.map((each: { skuAvailable: boolean }) => each.skuAvailable)).toEqual([true, false]);
});
