import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalCloud } from "./local-cloud.ts";

let local: LocalCloud;
let group: string;
let url: string;

const deployment = (capacity = 10, model: object = {}, sku = "GlobalStandard") => ({
  sku: { name: sku, capacity },
  properties: { model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13", ...model } },
});

async function makeAccount(name: string, location = "eastus"): Promise<string> {
  const made = `${group}/providers/Microsoft.CognitiveServices/accounts/${name}`;
  await local.armDone("PUT", made, {
    body: { location, kind: "OpenAI", sku: { name: "S0" }, properties: { customSubDomainName: name } },
  });
  return made;
}

async function usage(name = "OpenAI.GlobalStandard.gpt-5.1", location = "eastus") {
  const { body } = await local.arm(
    "GET",
    `/providers/Microsoft.CognitiveServices/locations/${location}/usages`,
  );
  return body.value.find((each: { name: { value: string } }) => each.name.value === name);
}

beforeEach(async () => {
  local = new LocalCloud();
  group = await local.makeGroup();
  url = await makeAccount("oai-a");
});
afterEach(() => local.close());

describe("a deployment", () => {
  test("is long-running and then shows model, SKU and limits", async () => {
    const made = await local.arm("PUT", `${url}/deployments/gpt-5-1`, { body: deployment() });
    expect(made.status).toBe(201);
    expect(made.body.properties.provisioningState).toBe("Accepted");
    local.pass(300);
    const { body } = await local.arm("GET", `${url}/deployments/gpt-5-1`);
    expect(body).toMatchObject({
      name: "gpt-5-1",
      type: "Microsoft.CognitiveServices/accounts/deployments",
      sku: { name: "GlobalStandard", capacity: 10 },
      properties: {
        model: { format: "OpenAI", name: "gpt-5.1", version: "2025-11-13" },
        provisioningState: "Succeeded",
        rateLimits: [{ key: "token", renewalPeriod: 60, count: 10_000 }],
      },
    });
    expect((await local.arm("GET", `${url}/deployments`)).body.value).toEqual([body]);
  });

  test("the account works on one at a time, on create and on delete", async () => {
    const first = await local.arm("PUT", `${url}/deployments/a1`, { body: deployment() });
    const again = await local.arm("PUT", `${url}/deployments/a1`, { body: deployment() });
    expect(again.headers["azure-asyncoperation"]).toBe(first.headers["azure-asyncoperation"]);
    const busy = await local.arm("PUT", `${url}/deployments/a2`, { body: deployment() });
    expect([busy.status, busy.body.error.code]).toEqual([409, "RequestConflict"]);
    expect(busy.body.error.message).toContain("Another operation is being performed on the parent resource");
    expect((await local.arm("DELETE", `${url}/deployments/a1`)).body.error.code).toBe("RequestConflict");
    expect((await local.arm("DELETE", url)).body.error.code).toBe("RequestConflict");
    local.pass(300);
    await local.armDone("PUT", `${url}/deployments/a2`, { body: deployment() });
    await local.arm("DELETE", `${url}/deployments/a1`);
    expect((await local.arm("DELETE", `${url}/deployments/a2`)).body.error.code).toBe("RequestConflict");
    expect((await local.arm("DELETE", `${url}/deployments/a1`)).status).toBe(202);
    local.pass(200);
    expect((await local.arm("DELETE", `${url}/deployments/a1`)).status).toBe(204);
  });

  test("takes a capacity that comes as text, and the default where none comes", async () => {
    const { sku: _sku, ...rest } = deployment();
    const text = { ...rest, sku: { name: "GlobalStandard", capacity: "7" } };
    expect((await local.armDone("PUT", `${url}/deployments/d1`, { body: text })).body.sku.capacity).toBe(7);
    const none = await local.armDone("PUT", `${url}/deployments/d2`, { body: rest });
    expect(none.body.sku).toEqual({ name: "Standard", capacity: 10 });
  });

  test("waits until the account has settled", async () => {
    local.settings({ timings: { accountSettle: 100 } });
    const young = `${group}/providers/Microsoft.CognitiveServices/accounts/oai-young`;
    const body = { location: "eastus", kind: "OpenAI", sku: { name: "S0" } };
    await local.arm("PUT", young, { body });
    const attempt = () => local.arm("PUT", `${young}/deployments/d1`, { body: deployment() });
    expect((await attempt()).body.error.message).toMatch(/in state Accepted$/);
    local.pass(700);
    expect((await local.arm("GET", young)).body.properties.provisioningState).toBe("Succeeded");
    expect((await attempt()).body.error.code).toBe("AccountProvisioningStateInvalid");
    local.pass(100);
    expect((await attempt()).status).toBe(201);
  });

  test.each([
    ["an unknown model", deployment(1, { name: "gpt-9" }), "DeploymentModelNotSupported"],
    ["an unknown version", deployment(1, { version: "1999-01-01" }), "DeploymentModelNotSupported"],
    ["another format", deployment(1, { format: "Mistral" }), "DeploymentModelNotSupported"],
    [
      "a deprecated model",
      deployment(1, { name: "gpt-35-turbo", version: "0613" }, "Standard"),
      "ServiceModelDeprecated",
    ],
    ["a SKU the model lacks", deployment(1, {}, "ProvisionedManaged"), "InvalidResourceProperties"],
    ["no capacity to speak of", deployment(0), "InvalidRequestContent"],
    ["a body without model", { properties: {} }, "InvalidRequestContent"],
    ["more than there is", deployment(1001), "InsufficientQuota"],
  ])("%s is refused", async (_what, body, code) => {
    const answer = await local.arm("PUT", `${url}/deployments/d1`, { body });
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    expect((await usage()).currentValue).toBe(0);
  });

  test("a region without the model, and one without its regional SKU", async () => {
    const there = await makeAccount("oai-we", "westeurope");
    const answer = await local.arm("PUT", `${there}/deployments/d1`, { body: deployment() });
    expect(answer.body.error.code).toBe("DeploymentModelNotSupported");
    const japan = await makeAccount("oai-jp", "japaneast");
    const regional = await local.arm("PUT", `${japan}/deployments/d1`, {
      body: deployment(1, {}, "Standard"),
    });
    expect(regional.body.error.code).toBe("InvalidResourceProperties");
  });

  test("of a live account keeps it from being deleted", async () => {
    await local.armDone("PUT", `${url}/deployments/d1`, { body: deployment() });
    const { status, body } = await local.arm("DELETE", url);
    expect([status, body.error.code]).toEqual([409, "CannotDeleteResource"]);
    expect(body.error.message).toContain("accounts/oai-a/deployments/d1");
  });
});

describe("quota", () => {
  test("is told in Azure's words", async () => {
    local.settings({ quota: { "OpenAI.GlobalStandard.gpt-5.1": { eastus: 15 } } });
    await local.armDone("PUT", `${url}/deployments/d1`, { body: deployment(10) });
    const { body } = await local.arm("PUT", `${url}/deployments/d2`, { body: deployment(10) });
    expect(body.error).toEqual({
      code: "InsufficientQuota",
      message:
        "This operation require 10 new capacity in quota Tokens Per Minute (thousands) - gpt-5.1 - GlobalStandard, which is bigger than the current available capacity 5. The current quota usage is 10 and the quota limit is 15 for quota Tokens Per Minute (thousands) - gpt-5.1 - GlobalStandard.",
    });
    expect(await usage()).toEqual({
      name: {
        value: "OpenAI.GlobalStandard.gpt-5.1",
        localizedValue: "Tokens Per Minute (thousands) - gpt-5.1 - GlobalStandard",
      },
      unit: "Count",
      currentValue: 10,
      limit: 15,
    });
    expect((await usage(undefined, "westus")).limit).toBe(1000);
    const own = await local.arm("GET", `${url}/usages`);
    expect(own.body.value.filter((each: { currentValue: number }) => each.currentValue > 0)).toHaveLength(1);
  });

  test("growing a deployment needs only what it grows by", async () => {
    local.settings({ quota: { "OpenAI.GlobalStandard.gpt-5.1": { eastus: 15 } } });
    await local.armDone("PUT", `${url}/deployments/d1`, { body: deployment(10) });
    expect((await local.armDone("PUT", `${url}/deployments/d1`, { body: deployment(15) })).status).toBe(200);
    expect((await local.arm("PUT", `${url}/deployments/d1`, { body: deployment(16) })).status).toBe(400);
    await local.armDone("PATCH", `${url}/deployments/d1`, { body: { sku: { capacity: 3 } } });
    expect((await usage()).currentValue).toBe(3);
  });

  test("is held by a deleted account until its purge, and restored with it", async () => {
    await local.armDone("PUT", `${url}/deployments/d1`, { body: deployment(10) });
    await local.armDone("DELETE", group);
    expect((await usage()).currentValue).toBe(10);
    await local.makeGroup();
    const body = { location: "eastus", kind: "OpenAI", sku: { name: "S0" }, properties: { restore: true } };
    await local.armDone("PUT", url, { body });
    expect((await local.arm("GET", `${url}/deployments/d1`)).body.sku.capacity).toBe(10);
    expect((await usage()).currentValue).toBe(10);
    await local.armDone("DELETE", `${url}/deployments/d1`);
    expect((await usage()).currentValue).toBe(0);
    await local.armDone("PUT", `${url}/deployments/d2`, { body: deployment(7) });
    await local.armDone("DELETE", group);
    await local.armDone(
      "DELETE",
      "/providers/Microsoft.CognitiveServices/locations/eastus/resourceGroups/rg/deletedAccounts/oai-a",
    );
    expect((await usage()).currentValue).toBe(0);
  });

  test("accounts are counted too", async () => {
    local.settings({ quota: { "OpenAI.S0.AccountCount": { eastus: 1 } } });
    const { body } = await local.arm("PUT", url.replace("oai-a", "oai-b"), {
      body: { location: "eastus", kind: "OpenAI", sku: { name: "S0" } },
    });
    expect(body.error.code).toBe("InsufficientQuota");
  });

  type Step = { account: number; name: number; capacity: number; what: "put" | "delete" };
  const step: fc.Arbitrary<Step> = fc.record({
    account: fc.integer({ min: 0, max: 1 }),
    name: fc.integer({ min: 0, max: 3 }),
    capacity: fc.integer({ min: 1, max: 12 }),
    what: fc.constantFrom("put", "delete"),
  });

  test("whatever happens, the sum of the deployments is what is used, and never more than the limit", async () => {
    const limit = 20;
    local.settings({ profile: "instant", quota: { "OpenAI.GlobalStandard.gpt-5.1": { eastus: limit } } });
    const accounts = [url, await makeAccount("oai-b")];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        for (const { account, name, capacity, what } of steps) {
          const target = `${accounts[account]}/deployments/d${name}`;
          await local.arm(what === "put" ? "PUT" : "DELETE", target, {
            ...(what === "put" ? { body: deployment(capacity) } : {}),
          });
          const lists = await Promise.all(accounts.map((each) => local.arm("GET", `${each}/deployments`)));
          const sum = lists
            .flatMap(({ body }) => body.value as { sku: { capacity: number } }[])
            .reduce((total, { sku }) => total + sku.capacity, 0);
          const { currentValue } = await usage();
          expect(currentValue).toBe(sum);
          expect(sum).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 25 },
    );
  });
});
