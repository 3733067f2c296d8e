import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { WebSiteManagementClient } from "@azure/arm-appservice";
import { ResourceManagementClient } from "@azure/arm-resources";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestSandbox, testSandbox } from "../../harness/sandbox.ts";
import { testApp, until, zip } from "./support.ts";

const run = promisify(execFile);

let box: TestSandbox;
let client: WebSiteManagementClient;
beforeAll(async () => {
  box = await testSandbox({ profile: "instant", timings: { siteCreate: 300 } });
  const { credential, options } = box.client();
  const { subscriptionId } = box.sandbox.cloud;
  client = new WebSiteManagementClient(credential, subscriptionId, options);
  const groups = new ResourceManagementClient(credential, subscriptionId, options);
  await groups.resourceGroups.createOrUpdate("rg", { location: "eastus" });
});
afterAll(() => box.close());

async function token(): Promise<string> {
  const found = await box.client().credential.getToken("https://management.azure.com/.default");
  return found.token;
}

test("the official SDK makes, configures and deletes a site", async () => {
  const plan = await client.appServicePlans.createOrUpdate("rg", "plan", {
    location: "eastus",
    reserved: true,
    sku: { name: "B1" },
  });
  const site = await client.webApps.createOrUpdate("rg", "sdk-app", {
    location: "eastus",
    kind: "functionapp,linux",
    identity: { type: "SystemAssigned" },
    serverFarmId: plan.id ?? "",
    httpsOnly: true,
    siteConfig: { appSettings: [{ name: "ONE", value: "1" }] },
  });
  expect(site).toMatchObject({ state: "Running", defaultHostName: "sdk-app.azurewebsites.net" });
  const reference = "@Microsoft.KeyVault(SecretUri=https://kv-none.vault.azure.net/secrets/x)";
  await client.webApps.updateApplicationSettings("rg", "sdk-app", { properties: { KEY: reference } });
  const settings = await client.webApps.listApplicationSettings("rg", "sdk-app");
  expect(settings.properties).toEqual({ KEY: reference });
  const all = [];
  for await (const each of client.webApps.listAppSettingsKeyVaultReferences("rg", "sdk-app")) all.push(each);
  expect(all).toMatchObject([
    { name: "KEY", status: "VaultNotFound", identityType: { type: "SystemAssigned" } },
  ]);
  const one = await client.webApps.getAppSettingKeyVaultReference("rg", "sdk-app", "KEY");
  expect(one).toMatchObject({ reference, vaultName: "kv-none" });
});

test("curl brings code and reaches the app with a proxy and a CA bundle alone", async () => {
  const file = path.join(box.dataDir, "app.zip");
  writeFileSync(file, zip(testApp()));
  const env = box.environment();
  const curl = async (...args: string[]) =>
    (
      await run("curl", ["--silent", "--show-error", ...args], {
        env: { PATH: process.env.PATH ?? "", ...env },
      })
    ).stdout;
  const bearer = path.join(box.dataDir, "header");
  writeFileSync(bearer, `Authorization: Bearer ${await token()}`);
  const deployed = await curl(
    ...["--header", `@${bearer}`, "--data-binary", `@${file}`],
    "https://sdk-app.scm.azurewebsites.net/api/publish?type=zip",
  );
  expect(JSON.parse(deployed)).toMatchObject({ status: 4, active: true });
  const seen = JSON.parse(await curl("https://sdk-app.azurewebsites.net/api/env"));
  expect(seen).toMatchObject({
    KEY: expect.stringContaining("@Microsoft.KeyVault"),
    HTTPS_PROXY: box.proxy,
    NODE_EXTRA_CA_CERTS: box.caFile,
  });
  await expect(curl("https://no-such-app.azurewebsites.net/")).rejects.toThrow();
  const { body } = await box.control("GET", "/counters");
  expect(body).toMatchObject({ "sdk-app": { state: "Running", counters: { total: 1, notOk: 0 } } });
});

test("the sandbox's own end takes the app along, and the next life starts it again", async () => {
  const before = box.sandbox.cloud.store.collection<{ pid: number }>("site-processes").values()[0]?.pid ?? 0;
  expect(() => process.kill(before, 0)).not.toThrow();
  await box.restart();
  const gone = () => {
    try {
      process.kill(before, 0);
      return false;
    } catch {
      return true;
    }
  };
  await until("the process is gone", gone);
  client = new WebSiteManagementClient(
    box.client().credential,
    box.sandbox.cloud.subscriptionId,
    box.client().options,
  );
  await client.webApps.delete("rg", "sdk-app");
  await client.appServicePlans.delete("rg", "plan");
});
