import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SandboxClient } from "../../sandbox/client/index.ts";
import { type CloudClients, cloudClients } from "../../scripts/lib/clients.ts";
import { kilnPaths } from "../../scripts/lib/paths.ts";
import { openTarget } from "../../scripts/lib/target.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

const project = path.resolve(import.meta.dirname, "../..");
const env = "pr-31";
const group = `rg-kiln-${env}`;
const nothing = { create: 0, update: 0, delete: 0, replace: 0 };
const usage = "OpenAI.GlobalStandard.gpt-5.1";
/** What Azure says when a region's quota is used up. */
const full = {
  effect: "refuse",
  method: "PUT",
  path: "/deployments/",
  code: "InsufficientQuota",
  message:
    "This operation require 1 new capacity in quota Tokens Per Minute (thousands) - gpt-5.1, which is bigger than the current available capacity 0.",
};

let kiln: TestKiln;
let sandbox: SandboxClient;
let clients: CloudClients;
let subscriptionId: string;

beforeAll(async () => {
  kiln = await testKiln();
  sandbox = new SandboxClient(path.join(kiln.home, "sandbox"));
  const target = await openTarget(
    "sandbox",
    kilnPaths({ KILN_HOME: kiln.home }),
    {},
    new AbortController().signal,
  );
  clients = cloudClients(target);
  subscriptionId = target.subscriptionId;
});
afterAll(async () => {
  await kiln.dispose();
  // Where plain pulumi keeps its encryption salt.
  rmSync(path.join(project, `Pulumi.${env}.yaml`), { force: true });
});

interface Failed {
  readonly error: { readonly code: string; readonly message: string; readonly cause: string };
}

const fault = (rule: object) => sandbox.control("POST", "/faults", rule) as Promise<{ id: string }>;
const clearFaults = () => sandbox.control("DELETE", "/faults");

async function up(): Promise<Record<string, unknown>> {
  const run = await kiln.run(["up", env, "--json"]);
  if (run.exitCode !== 0) throw new Error(`up failed: ${run.stdout}${run.stderr}`);
  return run.json();
}

async function failingUp(): Promise<Failed["error"]> {
  const run = await kiln.run(["up", env, "--json"]);
  expect(run.exitCode).toBe(1);
  return (run.json() as unknown as Failed).error;
}

async function down(): Promise<void> {
  expect((await kiln.run(["down", env, "--json"])).json()).toMatchObject({ remaining: [] });
  await expectNothingLeft();
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of pages) found.push(each);
  return found;
}

/** What the cloud has in a region, live or held by something deleted. */
async function heldIn(location: string): Promise<number> {
  const used = await all((await clients.cognitive()).usages.list(location));
  return used.reduce((sum, { currentValue = 0 }) => sum + currentValue, 0);
}

async function deletedThings(): Promise<string[]> {
  const accounts = await all((await clients.cognitive()).deletedAccounts.list());
  const vaults = await all((await clients.keyVault()).vaults.listDeleted());
  const resources = await clients.resources();
  const url = `https://management.azure.com/subscriptions/${subscriptionId}/providers/Microsoft.OperationalInsights/deletedWorkspaces?api-version=2023-09-01`;
  const { bodyAsText } = await resources.sendRequest(createPipelineRequest({ url, method: "GET" }));
  const workspaces = (JSON.parse(bodyAsText ?? "{}") as { value: { name: string }[] }).value;
  return [...accounts, ...vaults, ...workspaces].map(({ name }) => name ?? "");
}

async function expectNothingLeft(): Promise<void> {
  expect(await deletedThings()).toEqual([]);
  const groups = await all((await clients.resources()).resourceGroups.list());
  expect(groups.map(({ name }) => name)).toEqual([]);
  expect([await heldIn("eastus"), await heldIn("westus")]).toEqual([0, 0]);
}

/** The environment is whole in this region, and nowhere else. */
async function expectWholeIn(location: string): Promise<void> {
  expect(await up()).toMatchObject({ region: location, changes: nothing });
  expect((await kiln.run(["smoke", env])).exitCode).toBe(0);
  const other = location === "eastus" ? "westus" : "eastus";
  expect([await heldIn(other), await deletedThings()]).toEqual([0, []]);
}

/** Plain pulumi, in a shell that kiln set up, would change nothing. */
async function expectPlainPulumiAgrees(): Promise<void> {
  const { stdout: variables } = await kiln.run(["env", env]);
  const shell = await execa("sh", ["-c", 'eval "$KILN_ENV"; pulumi preview --json --non-interactive'], {
    cwd: project,
    env: { KILN_ENV: variables, KILN_HOME: kiln.home },
  });
  expect(JSON.parse(shell.stdout)).toMatchObject({ changeSummary: { same: 28 } });
}

describe("a region that is full", () => {
  test("quota that someone takes after the look-up: the next region, and nothing left behind", async () => {
    const { id } = await fault({ effect: "hold", method: "PUT", path: "/deployments/", times: 1 });
    const running = kiln.start(["up", env, "--json"]);
    const struck = async () => {
      const { faults } = (await sandbox.control("GET", "/faults")) as { faults: { struck: number }[] };
      return faults.some((each) => each.struck > 0);
    };
    while (!(await struck())) await delay(20);
    // The look-up is over and the account made; the request for the deployment is on its way.
    await sandbox.control("POST", "/settings", { quota: { [usage]: { eastus: 0 } } });
    await sandbox.control("DELETE", `/faults/${id}`);
    const { exitCode, stdout } = await running.done;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      result: "succeeded",
      region: "westus",
      changes: { create: 28, delete: 0 },
      fullRegions: [{ region: "eastus", code: "InsufficientQuota", why: expect.stringContaining("require") }],
    });
    // There is room again in the first choice: what is in the second stays there.
    await sandbox.control("POST", "/settings", { quota: { [usage]: { eastus: 1000 } } });
    await expectWholeIn("westus");
    await expectPlainPulumiAgrees();
    await down();
  });

  test("all of them: one error that says why of each, and nothing left; the next run begins anew", async () => {
    await fault({ ...full, times: 2 });
    const error = await failingUp();
    expect(error.code).toBe("InsufficientQuota");
    expect(error.message).toMatch(/^no configured region has enough quota left/);
    expect(error.cause.split("\n")).toEqual([
      expect.stringMatching(/^eastus has no room after all: This operation require 1 new capacity/),
      expect.stringMatching(/^westus has no room after all: This operation require 1 new capacity/),
    ]);
    await expectNothingLeft();
    expect((await kiln.run(["status", env, "--json"])).json()).toMatchObject({ result: "down" });
    expect(await up()).toMatchObject({ region: "eastus" });
  });

  test("an environment that was whole stays, whatever its region says later", async () => {
    const { deployments } = await clients.cognitive();
    const { resourceGroups, resources } = await clients.resources();
    const [account = { name: "" }] = await all(
      resources.listByResourceGroup(group, {
        filter: "resourceType eq 'Microsoft.CognitiveServices/accounts'",
      }),
    );
    const name = account.name ?? "";
    await deployments.beginDeleteAndWait(group, name, "gpt-5-1");
    const { stdout: variables } = await kiln.run(["env", env]);
    await execa("sh", ["-c", 'eval "$KILN_ENV"; pulumi refresh --yes --skip-preview'], {
      cwd: project,
      env: { KILN_ENV: variables, KILN_HOME: kiln.home },
    });
    await fault({ ...full, times: 1 });
    const error = await failingUp();
    expect(error).toMatchObject({
      code: "InsufficientQuota",
      message: "eastus has not enough quota left for the model",
      cause: expect.stringMatching(/^The environment was whole there, so it stays/),
    });
    expect((await resourceGroups.get(group)).location).toBe("eastus");
    expect(await up()).toMatchObject({ region: "eastus", changes: { create: 1 } });
    await expectWholeIn("eastus");
    await down();
  });

  test("what another region would not mend is no reason to leave one", async () => {
    await sandbox.control("POST", "/settings", { openAiEntitled: false });
    const error = await failingUp();
    expect(error.code).toBe("SpecialFeatureOrQuotaIdRequired");
    expect((await (await clients.resources()).resourceGroups.get(group)).location).toBe("eastus");
    expect((await kiln.run(["status", env, "--json"])).json()).toMatchObject({ result: "incomplete" });
    await sandbox.control("POST", "/settings", { openAiEntitled: true });
    expect(await up()).toMatchObject({ region: "eastus" });
    await down();
  });

  test.each([
    ["when it begins to take out", /Taking out/, 1],
    ["while much is being deleted", /✓ deleted/, 5],
    ["while it builds in the next", /✓ created ResourceGroup/, 2],
  ] as const)("kill -9 on the way to the next region, %s: a rerun arrives there", async (_, seen, times) => {
    await fault({ ...full, times: 1 });
    const running = kiln.start(["up", env]);
    await running.saw(seen, times);
    await running.kill("group");
    expect(await up()).toMatchObject({ result: "succeeded", region: "westus" });
    await expectWholeIn("westus");
    await clearFaults();
    await down();
  });
});

test("an app that someone deleted is made anew, with its code and its references", async () => {
  const { outputs } = (await up()) as { outputs: { functionAppName: string } };
  const { resources } = await clients.resources();
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.Web/sites/${outputs.functionAppName}`;
  await resources.beginDeleteByIdAndWait(id, "2025-05-01");
  expect((await kiln.run(["smoke", env])).exitCode).toBe(5);
  const run = await kiln.run(["up", env]);
  expect(run.stderr).toMatch(/WebApp app: on record, but gone from the cloud/);
  expect(run.stdout).toMatch(/changes +2 create, 2 replace, 24 same/);
  await expectWholeIn("eastus");
  await down();
});

test("a vault that nobody can purge is made only where there is room, and holds its region from then on", async () => {
  const prod = async (verb: string) => (await kiln.run([verb, "prod", "--json"])).json();
  await fault({ ...full, times: 1 });
  expect(await prod("up")).toMatchObject({
    result: "succeeded",
    region: "francecentral",
    fullRegions: [{ region: "swedencentral", code: "InsufficientQuota" }],
  });
  expect(await prod("down")).toMatchObject({ remaining: [{ what: "soft-deleted vault" }] });
  const quota = (francecentral: number) =>
    sandbox.control("POST", "/settings", { quota: { "OpenAI.Standard.gpt-5.1": { francecentral } } });
  await quota(0);
  const { error } = (await prod("up")) as unknown as Failed;
  expect(error.code).toBe("InsufficientQuota");
  expect(error.cause.split("\n")).toEqual([
    expect.stringMatching(/^francecentral has 0 of 0/),
    expect.stringMatching(/^swedencentral is no choice: Its deleted vault kv-kiln-prod-\w+ is protected/),
  ]);
  await quota(300);
  expect(await prod("up")).toMatchObject({ result: "succeeded", region: "francecentral" });
});
