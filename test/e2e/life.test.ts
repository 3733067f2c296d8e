import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { RecordedRuns } from "../harness/recorded-runs.ts";
import { sampleOf } from "../scripts/scan/minted.ts";

const project = path.resolve(import.meta.dirname, "../..");
const same = { create: 0, update: 0, delete: 0, replace: 0 };

let kiln: TestKiln;
let runs: RecordedRuns;
const run = (...args: string[]) => runs.run(...args);

beforeAll(async () => {
  kiln = await testKiln();
  runs = new RecordedRuns(kiln, project);
});
afterAll(() => kiln.dispose());

let first: Record<string, unknown>;

test("an environment that never was is taken down with success", async () => {
  const down = await run("down", "dev", "--json");
  expect(down.exitCode).toBe(0);
  expect(down.json()).toMatchObject({ verb: "down", env: "dev", existed: false, remaining: [] });
});

test("up makes the environment and tells what it made", async () => {
  const up = await run("up", "dev", "--json");
  expect(up.stderr).toBe("");
  expect(up.exitCode).toBe(0);
  first = up.json();
  expect(first).toMatchObject({
    verb: "up",
    env: "dev",
    cloud: "sandbox",
    result: "succeeded",
    region: "eastus",
    changes: { update: 0, delete: 0, replace: 0, same: 0 },
    violations: [],
    outputs: {
      openaiEndpoint: expect.stringMatching(/^https:\/\/oai-kiln-dev-\w+\.openai\.azure\.com\/$/),
      deploymentName: "gpt-5-1",
      keyVaultSecretUri: expect.stringMatching(/\/secrets\/AZURE-OPENAI-API-KEY--dev$/),
      functionAppName: expect.stringMatching(/^func-kiln-dev-/),
      resourceGroupName: "rg-kiln-dev",
      location: "eastus",
    },
  });
  expect(first.durationMs).toEqual(expect.any(Number));
});

test("up again, and a preview, change nothing", async () => {
  expect((await run("up", "dev", "--json")).json()).toMatchObject({ changes: same });
  expect((await run("preview", "dev", "--json")).json()).toMatchObject({ changes: same, violations: [] });
});

test("the app has its key and the model answers through it", async () => {
  const smoke = await run("smoke", "dev", "--json");
  expect(smoke.exitCode).toBe(0);
  expect(smoke.json()).toMatchObject({ result: "passed", checks: [{ name: "health" }, { name: "chat" }] });
});

test("a smoke test that is given a log looks for secrets in it", async () => {
  const log = path.join(kiln.home, "run.log");
  writeFileSync(log, "bringing up dev\n");
  expect((await run("smoke", "dev", "--log", log)).exitCode).toBe(0);
  const { text, secret } = sampleOf("azure-key");
  writeFileSync(log, `bringing up dev\n${text}\n`);
  const smoke = await run("smoke", "dev", "--log", log, "--json");
  expect(smoke.exitCode).toBe(5);
  expect(smoke.json()).toMatchObject({ result: "failed", error: { code: "SmokeFailed" } });
  expect(smoke.stdout + smoke.stderr).not.toContain(secret);
  rmSync(log);
});

test("status tells of every resource what the cloud says", async () => {
  const status = (await run("status", "dev", "--json")).json();
  expect(status).toMatchObject({ result: "up", region: "eastus", systems: [{ name: "foundry" }] });
  const [foundry] = status.systems as { resources: { type: string; id: string; state: string }[] }[];
  const states = new Set(foundry?.resources.map(({ state }) => state));
  expect(states).toEqual(new Set(["Succeeded", "Recorded"]));
  expect(foundry?.resources.map(({ type }) => type)).toContain("azure-native:keyvault:Vault");
});

test("plain pulumi works on the same stack, in a shell that kiln env set up", async () => {
  const { stdout } = await run("env", "dev");
  const file = path.join(project, "Pulumi.dev.yaml");
  const before = readFileSync(file, "utf8");
  try {
    const shell = (script: string) =>
      execa("sh", ["-c", `eval "$KILN_ENV"; ${script}`], {
        cwd: project,
        env: { KILN_ENV: stdout, KILN_HOME: kiln.home },
      });
    const preview = await shell("pulumi preview --json --non-interactive");
    expect(JSON.parse(preview.stdout)).toMatchObject({ changeSummary: { same: 28 } });
    const output = await shell("pulumi stack output --json");
    expect(JSON.parse(output.stdout)).toEqual(first.outputs);
    runs.keep(preview.stdout, output.stdout);
  } finally {
    writeFileSync(file, before);
  }
});

test("down removes every trace, twice", async () => {
  const down = await run("down", "dev", "--json");
  expect(down.exitCode).toBe(0);
  expect(down.json()).toMatchObject({
    verb: "down",
    existed: true,
    remaining: [],
    purged: [{ kind: "account" }, { kind: "vault" }],
  });
  expect((await run("status", "dev", "--json")).json()).toMatchObject({ result: "down", systems: [] });
  expect((await run("down", "dev", "--json")).json()).toMatchObject({
    existed: false,
    remaining: [],
    purged: [],
  });
});

test("up again takes the same names", async () => {
  const up = (await run("up", "dev", "--json")).json();
  expect(up).toMatchObject({ result: "succeeded", outputs: first.outputs });
});

test("no secret is in state, logs, output or the app's files", async () => {
  const output = runs.write();
  const state = path.join(kiln.home, "sandbox", "state");
  expect(existsSync(state)).toBe(true);
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  expect(scan.json()).toMatchObject({ leaks: [] });
  expect(scan.exitCode).toBe(0);
  // The scan can find: the owner's own secret, copied to where it does not belong.
  writeFileSync(output, readFileSync(path.join(kiln.home, "sandbox", "principals", "owner.secret")));
  const found = await kiln.run(["sandbox", "leak-scan", output, "--json"]);
  expect(found.exitCode).toBe(5);
  expect(found.json()).toMatchObject({
    leaks: [{ file: output, offset: 0, kind: "client-secret", owner: "owner" }],
  });
});
