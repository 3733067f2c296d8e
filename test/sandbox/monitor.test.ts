import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCloud } from "./appservice/support.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = new TestCloud();
  await cloud.foundation();
});
afterAll(() => cloud.close());

const workspace = (name: string) => cloud.at(`Microsoft.OperationalInsights/workspaces/${name}`);
const component = (name: string) => cloud.at(`Microsoft.Insights/components/${name}`);
const put = (name: string, more: object = {}) =>
  cloud.call("PUT", workspace(name), { location: "eastus", ...more });

describe("workspaces", () => {
  test("are made, changed and listed", async () => {
    const made = await put("log-one", { properties: { retentionInDays: 60 }, tags: { a: "b" } });
    expect(made.status).toBe(201);
    expect(made.body.properties).toMatchObject({
      retentionInDays: 60,
      sku: { name: "PerGB2018" },
      provisioningState: "Succeeded",
      customerId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const again = await put("log-one", { properties: { customerId: "mine" } });
    expect(again.status).toBe(200);
    expect(again.body.properties.customerId).toBe(made.body.properties.customerId);
    expect(again.body.tags).toEqual({ a: "b" });
    const patched = await cloud.call("PATCH", workspace("log-one"), {
      tags: { c: "d" },
      properties: { retentionInDays: 90 },
    });
    expect(patched.body).toMatchObject({ tags: { c: "d" }, properties: { retentionInDays: 90 } });
    expect((await cloud.call("GET", workspace("log-one"))).body).toEqual(patched.body);
    expect((await cloud.call("GET", workspace("").slice(0, -1))).body.value).toHaveLength(1);
    const all = `/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.OperationalInsights/workspaces`;
    expect((await cloud.call("GET", all)).body.value).toHaveLength(1);
    expect((await put("-")).status).toBe(400);
    expect((await put("log-one", { location: "westus" })).status).toBe(409);
    expect((await put("log-two", { properties: { retentionInDays: 9999 } })).status).toBe(400);
  });

  test("have shared keys, remembered as secrets", async () => {
    const keys = (await cloud.call("POST", `${workspace("log-one")}/sharedKeys`)).body;
    expect(cloud.cloud.mint.all().some(({ value }) => value === keys.primarySharedKey)).toBe(true);
    expect(keys.secondarySharedKey).not.toBe(keys.primarySharedKey);
  });

  test("come back for 14 days after they were deleted, unless by force", async () => {
    const deleted = async (scope: string) =>
      (await cloud.call("GET", scope)).body.value.map(({ name }: { name: string }) => name);
    const inGroup = cloud.at("Microsoft.OperationalInsights/deletedWorkspaces");
    const id = (await put("log-soft")).body.properties.customerId;
    expect((await cloud.call("DELETE", workspace("log-soft"))).status).toBe(200);
    expect((await cloud.call("GET", workspace("log-soft"))).status).toBe(404);
    expect(await deleted(inGroup)).toEqual(["log-soft"]);
    expect((await put("log-soft", { location: "westus" })).status).toBe(409);
    expect((await put("log-soft")).body.properties.customerId).toBe(id);
    expect(await deleted(inGroup)).toEqual([]);
    await cloud.call("DELETE", workspace("log-soft"));
    expect((await cloud.call("DELETE", `${workspace("log-soft")}?force=true`)).status).toBe(200);
    expect((await cloud.call("DELETE", `${workspace("log-soft")}?force=true`)).status).toBe(204);
    const second = (await put("log-soft")).body.properties.customerId;
    expect(second).not.toBe(id);
    await cloud.call("DELETE", workspace("log-soft"));
    cloud.cloud.clock.advance(14 * 24 * 60 * 60 * 1000);
    const all = `/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.OperationalInsights/deletedWorkspaces`;
    expect(await deleted(all)).toEqual([]);
    expect((await put("log-soft", { location: "westus" })).body.properties.customerId).not.toBe(second);
  });
});

describe("components", () => {
  const body = (more: object = {}) => ({
    location: "eastus",
    kind: "web",
    ...more,
    properties: {
      Application_Type: "web",
      WorkspaceResourceId: workspace("log-one"),
      ...(more as { properties?: object }).properties,
    },
  });

  test("are made with what telemetry is sent by, and keep it", async () => {
    const made = await cloud.call("PUT", component("appi"), body({ properties: { DisableLocalAuth: true } }));
    expect(made.status).toBe(200);
    const { InstrumentationKey, ConnectionString, AppId } = made.body.properties;
    expect(ConnectionString).toContain(
      `InstrumentationKey=${InstrumentationKey};IngestionEndpoint=https://eastus-`,
    );
    expect(ConnectionString).toContain(`ApplicationId=${AppId}`);
    const again = await cloud.call("PUT", component("appi"), body({ properties: { RetentionInDays: 30 } }));
    expect(again.body.properties).toMatchObject({
      InstrumentationKey,
      DisableLocalAuth: true,
      RetentionInDays: 30,
    });
    const patched = await cloud.call("PATCH", component("appi"), { tags: { a: "b" } });
    expect(patched.body.tags).toEqual({ a: "b" });
    expect((await cloud.call("GET", component("appi"))).body).toEqual(patched.body);
    expect((await cloud.call("GET", component("").slice(0, -1))).body.value).toHaveLength(1);
    const all = `/subscriptions/${cloud.cloud.subscriptionId}/providers/Microsoft.Insights/components`;
    expect((await cloud.call("GET", all)).body.value).toHaveLength(1);
    expect((await cloud.call("DELETE", component("appi"))).status).toBe(200);
    expect((await cloud.call("DELETE", component("appi"))).status).toBe(204);
  });

  test("need a workspace that exists, and a good name", async () => {
    const bad = (properties: object) => cloud.call("PUT", component("x"), body({ properties }));
    expect((await bad({ WorkspaceResourceId: workspace("absent") })).body.error.code).toBe(
      "WorkspaceNotFound",
    );
    expect((await bad({ WorkspaceResourceId: null })).status).toBe(400);
    expect((await bad({ SamplingPercentage: 0 })).status).toBe(400);
    expect((await cloud.call("PUT", component("x."), body())).status).toBe(400);
  });
});
