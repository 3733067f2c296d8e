import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveSecretFor } from "../../sandbox/keyvault/reference.ts";
import { type Ask, LocalCloud } from "./local-cloud.ts";

let local: LocalCloud;
let url: string;

const ask = (method: string, path: string, options: Ask = {}) => local.vault("kv-one", method, path, options);
const set = (name: string, value: string, rest: object = {}) =>
  ask("PUT", `/secrets/${name}`, { body: { value, ...rest } });
const inner = (answer: {
  status: number;
  body: { error: { code: string; innererror?: { code: string } } };
}) => [answer.status, answer.body.error.code, answer.body.error.innererror?.code];

async function makeVault(properties: object = {}): Promise<void> {
  await local.armDone("PUT", url, {
    body: {
      location: "eastus",
      properties: {
        tenantId: local.cloud.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
        ...properties,
      },
    },
  });
  await local.grant("owner", "Key Vault Administrator", url);
  local.pass(1000);
}

beforeEach(async () => {
  local = new LocalCloud();
  url = `${await local.makeGroup()}/providers/Microsoft.KeyVault/vaults/kv-one`;
});
afterEach(() => local.close());

describe("who may read", () => {
  beforeEach(() => makeVault());

  test("without a token there is the challenge that clients need", async () => {
    const { status, headers, body } = await ask("GET", "/secrets/x/?api-version=7.4", { as: null });
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${local.cloud.tenantId}", resource="https://vault.azure.net"`,
    );
    expect(body.error.message).toBe("AKV10000: Request is missing a Bearer or PoP token.");
    const arm = await local.cloud.tokens.issue(local.principal("owner"), "https://management.azure.com");
    const wrong = await ask("GET", "/secrets/x", { as: null, headers: { authorization: `Bearer ${arm}` } });
    expect([wrong.status, wrong.body.error.message]).toEqual([401, expect.stringContaining("AKV10022")]);
    const dead = await local.cloud.tokens.issue(local.principal("owner"), "https://vault.azure.net", -5);
    expect(
      (await ask("GET", "/secrets/x", { as: null, headers: { authorization: `Bearer ${dead}` } })).status,
    ).toBe(401);
  });

  test("a role, after its propagation, and only for what it grants", async () => {
    await set("one", "value of one");
    const refused = await ask("GET", "/secrets/one", { as: "contributor" });
    expect(inner(refused)).toEqual([403, "Forbidden", "ForbiddenByRbac"]);
    expect(refused.body.error.message).toContain(
      "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
    );
    await local.grant("stranger", "Key Vault Secrets User", url);
    expect(inner(await ask("GET", "/secrets/one", { as: "stranger" }))[2]).toBe("ForbiddenByRbac");
    local.pass(1000);
    expect((await ask("GET", "/secrets/one", { as: "stranger" })).body.value).toBe("value of one");
    expect((await ask("GET", "/secrets", { as: "stranger" })).status).toBe(200);
    expect((await ask("PUT", "/secrets/one", { as: "stranger", body: { value: "x" } })).status).toBe(403);
    expect((await ask("DELETE", "/secrets/one", { as: "stranger" })).status).toBe(403);
  });

  test("a role taken away closes it again", async () => {
    await set("one", "value of one");
    const given = await local.grant("stranger", "Key Vault Secrets User", url);
    local.pass(1000);
    expect((await ask("GET", "/secrets/one", { as: "stranger" })).status).toBe(200);
    await local.arm("DELETE", given.body.id);
    expect((await ask("GET", "/secrets/one", { as: "stranger" })).status).toBe(403);
  });

  test("nobody from the public network when that is closed", async () => {
    await local.arm("PATCH", url, { body: { properties: { networkAcls: { defaultAction: "Deny" } } } });
    expect(inner(await ask("GET", "/secrets"))[2]).toBe("ForbiddenByFirewall");
    await local.arm("PATCH", url, { body: { properties: { publicNetworkAccess: "disabled" } } });
    expect(inner(await ask("GET", "/secrets"))[2]).toBe("ForbiddenByConnection");
  });
});

test("without RBAC the vault's access policies decide, at once", async () => {
  await makeVault({ enableRbacAuthorization: false });
  expect(inner(await set("one", "value of one"))).toEqual([403, "Forbidden", "AccessDenied"]);
  const policy = {
    tenantId: local.cloud.tenantId,
    objectId: local.principal("owner").objectId,
    permissions: { secrets: ["Set", "get"] },
  };
  await local.arm("PUT", `${url}/accessPolicies/add`, { body: { properties: { accessPolicies: [policy] } } });
  expect((await set("one", "value of one")).status).toBe(200);
  expect((await ask("GET", "/secrets/one")).body.value).toBe("value of one");
  expect((await ask("GET", "/secrets")).body.error.message).toContain(
    "does not have secrets list permission",
  );
});

describe("versions", () => {
  beforeEach(() => makeVault());

  test("the newest is current, the older ones stay", async () => {
    const first = await set("My-Secret", "first value", { contentType: "text/plain", tags: { a: "1" } });
    expect(first.body).toMatchObject({
      value: "first value",
      contentType: "text/plain",
      tags: { a: "1" },
      attributes: { enabled: true, recoveryLevel: "Recoverable+Purgeable", recoverableDays: 90 },
    });
    expect(first.body.id).toMatch(/^https:\/\/kv-one\.vault\.azure\.net\/secrets\/My-Secret\/[0-9a-f]{32}$/);
    const second = await set("my-secret", "second value");
    for (const path of ["/secrets/MY-SECRET", "/secrets/my-secret/", "/secrets/my-secret/?api-version=7.4"]) {
      expect((await ask("GET", path)).body.value).toBe("second value");
    }
    const version = first.body.id.split("/").at(-1);
    expect((await ask("GET", `/secrets/my-secret/${version}`)).body.value).toBe("first value");
    const versions = await ask("GET", "/secrets/my-secret/versions");
    expect(versions.body.value.map((each: { id: string }) => each.id)).toEqual([
      first.body.id,
      second.body.id,
    ]);
    expect(versions.text).not.toContain("first value");
    const list = await ask("GET", "/secrets");
    expect(list.body.value.map((each: { id: string }) => each.id)).toEqual([
      "https://kv-one.vault.azure.net/secrets/My-Secret",
    ]);
    for (const value of ["first value", "second value"]) {
      expect(local.cloud.mint.all()).toContainEqual(expect.objectContaining({ value, kind: "vault-secret" }));
    }
  });

  test("attributes change without a new version; a disabled one is not given out", async () => {
    await set("one", "value of one", { attributes: { nbf: 5, exp: 10 } });
    const version = (await ask("GET", "/secrets/one")).body.id.split("/").at(-1);
    const changed = await ask("PATCH", `/secrets/one/${version}`, {
      body: { attributes: { enabled: false }, tags: { b: "2" } },
    });
    expect(changed.body).toMatchObject({ tags: { b: "2" }, attributes: { enabled: false, nbf: 5, exp: 10 } });
    expect(changed.body.value).toBeUndefined();
    expect(inner(await ask("GET", "/secrets/one"))).toEqual([403, "Forbidden", "SecretDisabled"]);
    await ask("PATCH", "/secrets/one/", { body: { attributes: { enabled: true } } });
    expect((await ask("GET", "/secrets/one")).body.value).toBe("value of one");
    expect((await ask("PATCH", "/secrets/none", { body: {} })).status).toBe(404);
  });

  test("what is not there is told as Azure does", async () => {
    const missing = await ask("GET", "/secrets/none");
    expect([missing.status, missing.body.error.code]).toEqual([404, "SecretNotFound"]);
    expect(missing.body.error.message).toMatch(
      /^A secret with \(name\/id\) none was not found in this key vault/,
    );
    await set("one", "value of one");
    expect((await ask("GET", "/secrets/one/00000000000000000000000000000000")).status).toBe(404);
    expect((await ask("GET", "/keys/one")).status).toBe(404);
  });

  test.each([
    ["an underscore in the name", "PUT", "/secrets/AZURE_KEY", { value: "x" }],
    ["no value", "PUT", "/secrets/one", {}],
    ["too long a value", "PUT", "/secrets/one", { value: "x".repeat(25_001) }],
    [
      "too many tags",
      "PUT",
      "/secrets/one",
      { value: "x", tags: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [n, ""])) },
    ],
    ["an end before the beginning", "PUT", "/secrets/one", { value: "x", attributes: { nbf: 10, exp: 5 } }],
    ["a version of the API that is none", "GET", "/secrets/one?api-version=6.0", undefined],
    ["an empty version of the API", "GET", "/secrets/one?api-version=", undefined],
    ["a page too large", "GET", "/secrets?maxresults=26", undefined],
    ["a page token of somebody else's", "GET", "/secrets?$skiptoken=abc", undefined],
  ])("%s is refused", async (_what, method, path, body) => {
    const answer = await ask(method, path, { body });
    expect([answer.status, answer.body.error.code]).toEqual([400, "BadParameter"]);
  });

  test("lists come in pages, every secret once", async () => {
    const names = Array.from({ length: 30 }, (_, n) => `s${String(n).padStart(2, "0")}`);
    for (const name of names) await set(name, "some value");
    const seen: string[] = [];
    let next: string | null = "/secrets?maxresults=7";
    while (next !== null) {
      const { body } = await ask("GET", next);
      expect(body.value.length).toBeLessThanOrEqual(7);
      seen.push(...body.value.map((each: { id: string }) => each.id.split("/").at(-1)));
      next = body.nextLink?.replace("https://kv-one.vault.azure.net", "") ?? null;
    }
    expect(seen).toEqual(names);
    expect((await ask("GET", "/secrets")).body.value).toHaveLength(25);
  });

  test("only letters, digits and dashes make a name", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20 }), async (name) => {
        const { status } = await ask("PUT", `/secrets/${encodeURIComponent(name)}`, { body: { value: "v" } });
        const legal = /^[0-9a-zA-Z-]+$/.test(name);
        expect(status === 200).toBe(legal);
      }),
      { numRuns: 60 },
    );
  });
});

describe("deleting", () => {
  const day = 86_400_000;
  beforeEach(async () => {
    await makeVault({ softDeleteRetentionInDays: 7 });
    await set("one", "value of one", { tags: { a: "1" } });
  });

  test("holds the name through every stage", async () => {
    const gone = await ask("DELETE", "/secrets/one");
    expect(gone.body).toMatchObject({
      recoveryId: "https://kv-one.vault.azure.net/deletedsecrets/one",
      tags: { a: "1" },
      attributes: { recoveryLevel: "CustomizedRecoverable+Purgeable", recoverableDays: 7 },
    });
    expect(gone.body.scheduledPurgeDate - gone.body.deletedDate).toBe((7 * day) / 1000);
    expect((await ask("GET", "/secrets/one")).status).toBe(404);
    expect((await ask("GET", "/deletedsecrets/one")).body.error.message).toBe(
      "Deleted Secret not found: one",
    );
    expect(inner(await set("one", "new value"))).toEqual([409, "Conflict", "ObjectIsBeingDeleted"]);
    expect(inner(await ask("DELETE", "/deletedsecrets/one"))[2]).toBe("ObjectIsBeingDeleted");
    local.pass(100);
    expect((await ask("GET", "/deletedsecrets/one")).status).toBe(200);
    expect((await ask("GET", "/deletedsecrets")).body.value[0].id).toBe(
      "https://kv-one.vault.azure.net/secrets/one",
    );
    expect(inner(await set("one", "new value"))).toEqual([409, "Conflict", "ObjectIsDeletedButRecoverable"]);
    expect(inner(await ask("DELETE", "/secrets/one"))[2]).toBe("ObjectIsDeletedButRecoverable");
  });

  test("recovered: readable first, writable later", async () => {
    await ask("DELETE", "/secrets/one");
    local.pass(100);
    expect((await ask("POST", "/deletedsecrets/one/recover")).status).toBe(200);
    expect((await ask("GET", "/secrets/one")).status).toBe(404);
    local.pass(100);
    expect((await ask("GET", "/secrets/one")).body).toMatchObject({
      value: "value of one",
      tags: { a: "1" },
    });
    expect(inner(await set("one", "new value"))).toEqual([409, "Conflict", "ObjectIsBeingRecovered"]);
    local.pass(100);
    expect((await set("one", "new value")).status).toBe(200);
    expect((await ask("GET", "/secrets/one/versions")).body.value).toHaveLength(2);
    expect((await ask("POST", "/deletedsecrets/one/recover")).status).toBe(404);
  });

  test("purged: gone for readers at once, for writers a little later", async () => {
    await ask("DELETE", "/secrets/one");
    local.pass(100);
    expect((await ask("DELETE", "/deletedsecrets/one")).status).toBe(204);
    expect((await ask("GET", "/deletedsecrets/one")).status).toBe(404);
    expect(inner(await set("one", "new value"))).toEqual([409, "Conflict", "ObjectIsBeingDeleted"]);
    local.pass(200);
    expect((await set("one", "new value")).status).toBe(200);
    expect((await ask("GET", "/secrets/one/versions")).body.value).toHaveLength(1);
  });

  test("purge protection forbids the purge; the retention ends all the same", async () => {
    await local.arm("PATCH", url, { body: { properties: { enablePurgeProtection: true } } });
    await ask("DELETE", "/secrets/one");
    local.pass(100);
    expect(inner(await ask("DELETE", "/deletedsecrets/one"))[0]).toBe(403);
    local.pass(7 * day);
    expect((await ask("GET", "/deletedsecrets/one")).status).toBe(404);
    expect((await set("one", "new value")).status).toBe(200);
  });

  test("a backup brings every version back, and shows none of them", async () => {
    await set("one", "another value");
    const { body } = await ask("POST", "/secrets/one/backup");
    expect(Buffer.from(body.value, "base64url").toString("latin1")).not.toContain("value of one");
    expect((await ask("POST", "/secrets/restore", { body })).status).toBe(409);
    await ask("DELETE", "/secrets/one");
    local.pass(100);
    await ask("DELETE", "/deletedsecrets/one");
    local.pass(200);
    expect((await ask("POST", "/secrets/restore", { body })).status).toBe(200);
    expect((await ask("GET", "/secrets/one")).body.value).toBe("another value");
    expect((await ask("GET", "/secrets/one/versions")).body.value).toHaveLength(2);
    expect((await ask("POST", "/secrets/restore", { body: { value: "forged" } })).status).toBe(400);
  });
});

describe("a reference", () => {
  const uri = "https://kv-one.vault.azure.net/secrets/one";
  const resolve = (secretUri: string, principalObjectId = local.principal("owner").objectId) =>
    resolveSecretFor(local.cloud, { principalObjectId, secretUri });

  beforeEach(async () => {
    await makeVault();
    await set("one", "value of one");
  });

  test("resolves to the newest version, or to the one it names", async () => {
    const old = (await ask("GET", "/secrets/one")).body.id as string;
    await set("one", "newer value");
    expect(resolve(uri)).toMatchObject({ status: "Resolved", value: "newer value" });
    expect(resolve(`${uri}/`)).toMatchObject({ status: "Resolved", value: "newer value" });
    expect(resolve(old)).toEqual({
      status: "Resolved",
      value: "value of one",
      version: old.split("/").at(-1),
    });
  });

  test("says why it does not", async () => {
    expect(resolve("kv-one/one").status).toBe("InvalidSyntax");
    expect(resolve(uri.replace("kv-one", "kv-two")).status).toBe("VaultNotFound");
    expect(resolve(`${uri}-not`).status).toBe("SecretNotFound");
    expect(resolve(`${uri}/${"0".repeat(32)}`).status).toBe("SecretVersionNotFound");
    expect(resolve(uri, local.principal("stranger").objectId)).toMatchObject({
      status: "AccessToKeyVaultDenied",
      detail: expect.stringContaining("ForbiddenByRbac"),
    });
    expect(resolve(uri, "00000000-0000-0000-0000-000000000000").status).toBe("AccessToKeyVaultDenied");
    await ask("PATCH", "/secrets/one", { body: { attributes: { enabled: false } } });
    expect(resolve(uri).status).toBe("OtherReasons");
    await local.arm("DELETE", url);
    expect(resolve(uri).status).toBe("VaultNotFound");
  });
});
