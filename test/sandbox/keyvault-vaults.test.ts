import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { vaultExists } from "../../sandbox/keyvault/state.ts";
import { LocalCloud } from "./local-cloud.ts";

const day = 86_400_000;

let local: LocalCloud;
let url: string;

const vault = (properties: object = {}, extra: object = {}) => ({
  location: "eastus",
  ...extra,
  properties: {
    tenantId: local.cloud.tenantId,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    softDeleteRetentionInDays: 7,
    ...properties,
  },
});

beforeEach(async () => {
  local = new LocalCloud();
  url = `${await local.makeGroup()}/providers/Microsoft.KeyVault/vaults/kv-one`;
});
afterEach(() => local.close());

const deletedUrl = (location = "eastus") =>
  `/providers/Microsoft.KeyVault/locations/${location}/deletedVaults/kv-one`;
const code = (answer: { body: { error: { code: string } } }) => answer.body.error.code;

describe("creating a vault", () => {
  test("takes until its name resolves", async () => {
    const made = await local.arm("PUT", url, { body: vault({}, { tags: { env: "dev" } }) });
    expect([made.status, made.body.properties.provisioningState]).toEqual([201, "RegisteringDns"]);
    expect(vaultExists(local.cloud, "kv-one.vault.azure.net")).toBe(false);
    local.pass(300);
    const { body } = await local.arm("GET", url);
    expect(body).toMatchObject({
      name: "kv-one",
      location: "eastus",
      tags: { env: "dev" },
      properties: {
        provisioningState: "Succeeded",
        vaultUri: "https://kv-one.vault.azure.net/",
        sku: { family: "A", name: "standard" },
        enableSoftDelete: true,
        softDeleteRetentionInDays: 7,
        accessPolicies: [],
      },
    });
    expect(body.properties.enablePurgeProtection).toBeUndefined();
    expect(vaultExists(local.cloud, "KV-One.vault.azure.net:443")).toBe(true);
  });

  test.each([
    ["another tenant", { tenantId: "00000000-0000-0000-0000-000000000000" }],
    ["no tenant", { tenantId: null }],
    ["no SKU", { sku: null }],
    ["a SKU that is none", { sku: { family: "A", name: "gold" } }],
    ["too short a retention", { softDeleteRetentionInDays: 6 }],
    ["too long a retention", { softDeleteRetentionInDays: 91 }],
    ["no soft delete", { enableSoftDelete: false }],
    ["purge protection said to be off", { enablePurgeProtection: false }],
    [
      "a policy for another tenant",
      { accessPolicies: [{ tenantId: "other", objectId: "o", permissions: { secrets: ["get"] } }] },
    ],
  ])("%s is refused", async (_what, properties) => {
    const answer = await local.arm("PUT", url, { body: vault(properties) });
    expect([answer.status, code(answer)]).toEqual([400, "BadRequest"]);
    expect((await local.arm("GET", url)).status).toBe(404);
  });

  test.each(["ab", "1vault", "a--b", "vault-", "a".repeat(25), "kv_one"])(
    "the name %s is refused",
    async (name) => {
      expect(code(await local.arm("PUT", url.replace("kv-one", name), { body: vault() }))).toBe(
        "VaultNameNotValid",
      );
      const check = await local.arm("POST", "/providers/Microsoft.KeyVault/checkNameAvailability", {
        body: { name, type: "Microsoft.KeyVault/vaults" },
      });
      expect(check.body.reason).toBe("AccountNameInvalid");
    },
  );

  test("a name is one vault's, everywhere", async () => {
    const available = async () =>
      (
        await local.arm("POST", "/providers/Microsoft.KeyVault/checkNameAvailability", {
          body: { name: "KV-one", type: "Microsoft.KeyVault/vaults" },
        })
      ).body;
    expect(await available()).toEqual({ nameAvailable: true });
    await local.armDone("PUT", url, { body: vault() });
    expect((await available()).reason).toBe("AlreadyExists");
    const elsewhere = `${await local.makeGroup("other")}/providers/Microsoft.KeyVault/vaults/kv-one`;
    const taken = await local.arm("PUT", elsewhere, { body: vault() });
    expect([taken.status, code(taken)]).toEqual([409, "VaultAlreadyExists"]);
  });
});

describe("changing a vault", () => {
  beforeEach(() => local.armDone("PUT", url, { body: vault({ enablePurgeProtection: true }) }));

  test("PUT replaces and PATCH merges, but protection and retention stay", async () => {
    const patched = await local.arm("PATCH", url, {
      body: { tags: { a: "1" }, properties: { enabledForDeployment: true } },
    });
    expect(patched.body).toMatchObject({ tags: { a: "1" }, properties: { enabledForDeployment: true } });
    const put = await local.arm("PUT", url, { body: vault() });
    expect(put.body.properties).toMatchObject({ enabledForDeployment: false, enablePurgeProtection: true });
    expect(put.body.tags).toEqual({});
    for (const properties of [{ enablePurgeProtection: false }, { softDeleteRetentionInDays: 8 }]) {
      expect(code(await local.arm("PATCH", url, { body: { properties } }))).toBe("BadRequest");
    }
    expect(code(await local.arm("PUT", url, { body: vault({}, { location: "westus" }) }))).toBe(
      "InvalidResourceLocation",
    );
  });

  test("access policies are added, replaced and removed one principal at a time", async () => {
    const policy = (objectId: string, secrets: string[]) => ({
      tenantId: local.cloud.tenantId,
      objectId,
      permissions: { secrets },
    });
    const change = async (kind: string, ...accessPolicies: object[]) =>
      (await local.arm("PUT", `${url}/accessPolicies/${kind}`, { body: { properties: { accessPolicies } } }))
        .body;
    const held = async () =>
      Object.fromEntries(
        (await local.arm("GET", url)).body.properties.accessPolicies.map(
          (each: { objectId: string; permissions: { secrets: string[] } }) => [
            each.objectId,
            each.permissions.secrets,
          ],
        ),
      );
    await change("add", policy("one", ["get"]), policy("two", ["list"]));
    await change("add", policy("one", ["set"]));
    expect(await held()).toEqual({ one: ["get", "set"], two: ["list"] });
    await change("replace", policy("one", ["list"]));
    expect(await held()).toEqual({ one: ["list"], two: ["list"] });
    await change("remove", policy("two", ["list"]));
    expect(await held()).toEqual({ one: ["list"] });
    expect((await change("swap", policy("one", []))).error.code).toBe("BadRequest");
  });
});

describe("deleting a vault", () => {
  beforeEach(async () => {
    await local.armDone("PUT", url, { body: vault({}, { tags: { env: "dev" } }) });
    await local.grant("owner", "Key Vault Secrets Officer", url);
    local.pass(1000);
    await local.vault("kv-one", "PUT", "/secrets/s", { body: { value: "long enough" } });
  });

  test("keeps it, with its name, until the retention is over", async () => {
    expect((await local.arm("DELETE", url)).status).toBe(200);
    expect((await local.arm("DELETE", url)).status).toBe(204);
    expect(vaultExists(local.cloud, "kv-one.vault.azure.net")).toBe(false);
    const { body } = await local.arm("GET", deletedUrl());
    expect(body.properties).toMatchObject({ vaultId: url, location: "eastus", tags: { env: "dev" } });
    expect(Date.parse(body.properties.scheduledPurgeDate) - Date.parse(body.properties.deletionDate)).toBe(
      7 * day,
    );
    expect((await local.arm("GET", "/providers/Microsoft.KeyVault/deletedVaults")).body.value).toEqual([
      body,
    ]);
    expect((await local.arm("GET", deletedUrl("westus"))).status).toBe(404);
    const blocked = await local.arm("PUT", url, { body: vault() });
    expect([blocked.status, code(blocked)]).toEqual([409, "ConflictError"]);
    expect(blocked.body.error.message).toMatch(/^A vault with the same name already exists in deleted state/);
    local.pass(7 * day);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
    await local.armDone("PUT", url, { body: vault() });
    await local.grant("owner", "Key Vault Secrets Officer", url);
    local.pass(1000);
    expect((await local.vault("kv-one", "GET", "/secrets/s")).status).toBe(404);
  });

  test("recovering brings it back with its secrets, not with its role assignments", async () => {
    await local.arm("DELETE", url);
    const recover = (extra: object = {}) =>
      local.armDone("PUT", url, { body: vault({ createMode: "recover" }, extra) });
    expect(code(await recover({ location: "westus" }))).toBe("DeletedVaultNotFound");
    expect((await recover()).status).toBe(201);
    expect((await local.arm("GET", url)).body).toMatchObject({
      tags: { env: "dev" },
      properties: { provisioningState: "Succeeded" },
    });
    expect((await local.vault("kv-one", "GET", "/secrets/s")).body.error.innererror.code).toBe(
      "ForbiddenByRbac",
    );
    await local.grant("owner", "Key Vault Secrets User", url);
    local.pass(1000);
    expect((await local.vault("kv-one", "GET", "/secrets/s")).body.value).toBe("long enough");
  });

  test("recovering what was never deleted, or elsewhere, is refused", async () => {
    const fresh = url.replace("kv-one", "kv-two");
    expect(code(await local.arm("PUT", fresh, { body: vault({ createMode: "recover" }) }))).toBe(
      "DeletedVaultNotFound",
    );
    await local.arm("DELETE", url);
    const elsewhere = `${await local.makeGroup("other")}/providers/Microsoft.KeyVault/vaults/kv-one`;
    expect(code(await local.arm("PUT", elsewhere, { body: vault({ createMode: "recover" }) }))).toBe(
      "ConflictError",
    );
  });

  test("purging is long-running and frees the name", async () => {
    await local.arm("DELETE", url);
    expect((await local.arm("POST", `${deletedUrl("westus")}/purge`)).status).toBe(404);
    const purge = await local.arm("POST", `${deletedUrl()}/purge`);
    expect(purge.status).toBe(202);
    expect(purge.headers.location).toMatch(/operationResults/);
    expect(code(await local.arm("PUT", url, { body: vault() }))).toBe("ConflictError");
    local.pass(300);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
    expect((await local.arm("PUT", url, { body: vault() })).status).toBe(201);
  });

  test("purge protection forbids the purge, not the end of the retention", async () => {
    await local.arm("PATCH", url, { body: { properties: { enablePurgeProtection: true } } });
    await local.arm("DELETE", url);
    const { status, body } = await local.arm("POST", `${deletedUrl()}/purge`);
    expect([status, body.error]).toEqual([
      405,
      { code: "MethodNotAllowed", message: "Operation 'DeletedVaultPurge' is not allowed." },
    ]);
    expect((await local.arm("GET", deletedUrl())).body.properties.purgeProtectionEnabled).toBe(true);
    local.pass(7 * day);
    expect((await local.arm("GET", deletedUrl())).status).toBe(404);
  });

  test("a role on the group is not enough for a purge", async () => {
    await local.grant("stranger", "Contributor", await local.makeGroup());
    local.pass(1000);
    expect((await local.arm("DELETE", url, { as: "stranger" })).status).toBe(200);
    expect(code(await local.arm("POST", `${deletedUrl()}/purge`, { as: "stranger" }))).toBe(
      "AuthorizationFailed",
    );
  });

  test("a group's deletion soft-deletes it", async () => {
    await local.armDone("DELETE", await local.makeGroup());
    expect((await local.arm("GET", deletedUrl())).status).toBe(200);
  });
});

test("secrets as ARM resources take a value in and never give one out", async () => {
  await local.armDone("PUT", url, { body: vault() });
  const secret = `${url}/secrets/one`;
  const properties = {
    value: "a well-kept secret",
    contentType: "text/plain",
    attributes: { enabled: true },
  };
  const made = await local.arm("PUT", secret, { body: { tags: { a: "1" }, properties } });
  expect(made.status).toBe(201);
  const again = await local.arm("PATCH", secret, { body: { properties: { contentType: "text/x" } } });
  const read = await local.arm("GET", secret);
  expect(read.body).toEqual(again.body);
  expect(read.body.properties).toMatchObject({
    contentType: "text/x",
    secretUri: "https://kv-one.vault.azure.net/secrets/one",
    attributes: { enabled: true },
  });
  expect((await local.arm("GET", `${url}/secrets`)).body.value).toEqual([read.body]);
  for (const { text } of [made, again, read]) expect(text).not.toContain("well-kept");
  expect(local.cloud.mint.all().map((each) => each.value)).toContain("a well-kept secret");
  const next = await local.arm("PUT", secret, { body: { properties: { value: "another secret" } } });
  expect(next.status).toBe(200);
  expect(next.body.properties.secretUriWithVersion).not.toBe(read.body.properties.secretUriWithVersion);
  expect((await local.arm("GET", `${url}/secrets/two`)).status).toBe(404);
  expect((await local.arm("PUT", `${url}/secrets/a_b`, { body: { properties } })).status).toBe(400);
});

test("of managed HSMs there are none", async () => {
  const provider = "/providers/Microsoft.KeyVault";
  for (const path of [
    `${provider}/managedHSMs`,
    `${provider}/deletedManagedHSMs`,
    `/resourceGroups/rg${provider}/managedHSMs`,
  ]) {
    expect((await local.arm("GET", path)).body).toEqual({ value: [] });
  }
  for (const path of [
    `/resourceGroups/rg${provider}/managedHSMs/x`,
    `${provider}/locations/eastus/deletedManagedHSMs/x`,
  ]) {
    expect((await local.arm("GET", path)).status).toBe(404);
  }
});
