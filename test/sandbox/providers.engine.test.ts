import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestEngine, testEngine } from "../harness/engine.ts";
import { type EngineRun, expectNotOnDisk, runEngine } from "../harness/engine-program.ts";
import { startProviders, subscriptionId } from "./providers-client.ts";

/*
 * The providers under the real engine, with the real SDKs: one stack's life, step by step.
 */

const program = path.join(import.meta.dirname, "providers-program");
const secrets = ["a-token-nobody-may-see", "a-word-nobody-may-see"];
const groupId = (name: string) => `/subscriptions/${subscriptionId}/resourceGroups/${name}`;

let engine: TestEngine;
let home: string;
let providers: Awaited<ReturnType<typeof startProviders>>;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "providers-engine-"));
  [engine, providers] = await Promise.all([testEngine(), startProviders({ projectDir: home })]);
  const { exitCode, all } = await pulumi(["stack", "init"]);
  expect(exitCode, all).toBe(0);
  await set("folder", home);
});
afterAll(async () => {
  await providers.close();
  await rm(home, { recursive: true });
});

function pulumi(args: string[]): Promise<EngineRun> {
  const { ports } = providers.served;
  const reached = `azure-native:${ports.azureNative},command:${ports.command}`;
  return runEngine({ engine, folder: program, home, providers: reached, secrets }, args);
}

const configFile = () => ["--config-file", path.join(home, "Pulumi.dev.yaml")];

async function set(key: string, value: string): Promise<void> {
  expect((await pulumi(["config", "set", key, value, ...configFile()])).exitCode).toBe(0);
}

async function up(): Promise<string> {
  const { exitCode, all } = await pulumi(["up", "--yes", "--skip-preview", ...configFile()]);
  expect(exitCode, all).toBe(0);
  return all;
}

/** What a preview would do, by resource name, without what stays. */
async function preview(): Promise<Record<string, string>> {
  const { exitCode, stdout, all } = await pulumi(["preview", "--json", ...configFile()]);
  expect(exitCode, all).toBe(0);
  const { steps } = JSON.parse(stdout) as {
    steps: { op: string; urn: string; detailedDiff?: Record<string, { kind: string }> }[];
  };
  const shown = steps.filter((step) => step.op !== "same" && !step.urn.includes("pulumi:pulumi:Stack"));
  return Object.fromEntries(
    shown.map((step) => {
      const diff = Object.entries(step.detailedDiff ?? {}).map(([at, { kind }]) => ` ${at}:${kind}`);
      return [step.urn.split("::").at(-1) ?? "", `${step.op}${diff.join("")}`];
    }),
  );
}

interface Exported {
  readonly id?: string;
  readonly urn: string;
  readonly outputs?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
  readonly initErrors?: string[];
}

async function resource(name: string): Promise<Exported | undefined> {
  const { stdout } = await pulumi(["stack", "export"]);
  const { deployment } = JSON.parse(stdout) as { deployment: { resources?: Exported[] } };
  return deployment.resources?.find((each) => each.urn.endsWith(`::${name}`));
}

async function outputs(): Promise<Record<string, unknown>> {
  return JSON.parse((await pulumi(["stack", "output", "--json"])).stdout) as Record<string, unknown>;
}

test("a preview of a first up knows what the program knows, and sends nothing but reads", async () => {
  expect(await preview()).toMatchObject({
    group: "create",
    account: "create",
    settings: "create",
    command: "create",
  });
  expect(providers.arm.requests.every((request) => request.method === "GET")).toBe(true);
});

test("a partial failure fails the up, and state keeps what was made", async () => {
  providers.arm.twist({ method: "PUT", path: /accounts/, act: "fail-operation" });
  const { exitCode, all } = await pulumi(["up", "--yes", "--skip-preview", ...configFile()]);
  expect(exitCode).not.toBe(0);
  expect(all).toContain('Code="InsufficientQuota" Message="no quota is left"');
  const account = await resource("account");
  expect(account?.id).toBe(`${groupId("rg-one")}/providers/Microsoft.CognitiveServices/accounts/oai-probe`);
  expect(account?.initErrors).toEqual([expect.stringContaining("InsufficientQuota")]);
});

test("the next up heals it and makes the rest", async () => {
  const shown = await up();
  expect(shown).toContain("made with [secret] at https://oai-probe.openai.azure.com/");
  expect((await resource("account"))?.initErrors).toBeUndefined();
  expect(await outputs()).toMatchObject({
    endpoint: "https://oai-probe.openai.azure.com/",
    groupId: groupId("rg-one"),
    me: "22222222-2222-2222-2222-222222222222",
    said: "[secret]",
  });
});

test("a second up changes nothing", async () => {
  expect(await preview()).toEqual({});
  const before = providers.arm.requests.length;
  expect(await up()).toMatch(/5 unchanged/);
  expect(providers.arm.requests.slice(before).every((request) => request.method === "GET")).toBe(true);
});

test("a changed tag updates in place, and the command runs its update", async () => {
  await set("step", "2");
  expect(await preview()).toEqual({
    group: "update tags.step:update",
    command: expect.stringContaining("environment.STEP:update"),
  });
  await up();
  expect(providers.arm.get(groupId("rg-one"))).toMatchObject({ tags: { step: "2" } });
});

test("a refresh brings drift into state, and the next up puts it right", async () => {
  Object.assign(providers.arm.get(groupId("rg-one")) ?? {}, { tags: { step: "by hand" } });
  const { exitCode, all } = await pulumi(["refresh", "--yes", ...configFile()]);
  expect(exitCode, all).toBe(0);
  expect((await resource("group"))?.inputs?.tags).toEqual({ step: "by hand" });
  expect(await preview()).toEqual({ group: "update tags.step:update" });
  await up();
  expect(await preview()).toEqual({});
});

test("what exists can be adopted by its id", async () => {
  const id = groupId("rg-adopted");
  await set("adopted", id);
  const existing = { id, name: "rg-adopted", location: "westus", tags: { kept: "yes" }, properties: {} };
  providers.arm.resources.set(id.toLowerCase(), existing);
  await up();
  expect((await resource("adopted"))?.inputs).toEqual({
    resourceGroupName: "rg-adopted",
    location: "westus",
    tags: { kept: "yes" },
  });
  expect(await preview()).toEqual({});
});

test("another name replaces, with all that stands in it", async () => {
  await set("group", "rg-two");
  expect(await preview()).toMatchObject({
    group: expect.stringMatching(/replace.*resourceGroupName:update-replace/),
    account: expect.stringMatching(/^replace/),
  });
  await up();
  expect(providers.arm.get(groupId("rg-one"))).toBeUndefined();
  expect(providers.arm.sent("PUT", /rg-two\/providers\/Microsoft.CognitiveServices/)).toHaveLength(1);
  expect(await preview()).toEqual({});
});

test("nothing on disk shows a secret", async () => {
  await expectNotOnDisk(home, secrets);
});

test("a destroy runs the delete and leaves nothing", async () => {
  const { exitCode, all } = await pulumi(["destroy", "--yes", "--skip-preview", ...configFile()]);
  expect(exitCode, all).toBe(0);
  expect([...providers.arm.resources.keys()]).toEqual([]);
  expect(await readFile(path.join(home, "deleted"), "utf8")).toBe("done\n");
});

test("a type that is not served is refused by its name", async () => {
  const { exitCode, all } = await pulumi([
    "import",
    "azure-native:compute:VirtualMachine",
    "vm",
    "/x",
    "--yes",
  ]);
  expect(exitCode).not.toBe(0);
  expect(all).toContain("the sandbox does not serve resource type 'azure-native:compute:VirtualMachine'");
});
