import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiVersions } from "../../scripts/lib/api-versions.ts";
import { loadConfig, resolveEnvironment } from "../../stacks/config.ts";
import { type Arm, armOf } from "../harness/arm.ts";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { type Refusal, refusal as refusalBy, refusalOf } from "../harness/refusal.ts";
import { mayMount, onSmallDisk } from "../harness/small-disk.ts";

/** The real command on the real engine, when something is wrong with the world; each time, a rerun makes it good. */

const environment = "pr-5";
const project = path.resolve(import.meta.dirname, "../..");
const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

let kiln: TestKiln;
let arm: Arm;
beforeAll(async () => {
  kiln = await testKiln();
  await kiln.run(["sandbox", "start", "--profile", "instant"]);
  arm = await armOf(kiln);
});
afterAll(() => kiln.dispose());

const refusal = (
  exitCode: number,
  args: readonly string[],
  env?: Record<string, string>,
  by: TestKiln = kiln,
): Promise<Refusal> => refusalBy(by, exitCode, args, env);

/** Runs a verb on the environment that has to succeed, and gives what it told. */
async function done(verb: string, env?: Record<string, string>): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await kiln.run([verb, environment, "--json"], env);
  expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: "", stdout });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const sandbox = async (...args: string[]) => (await kiln.run(["sandbox", ...args, "--json"])).json();
const settings = (change: object) => sandbox("settings", "--set", JSON.stringify(change));
const fault = (...args: string[]) => sandbox("fault", "add", ...args);
const resources = async () => (await sandbox("status")).resources;

async function expectNothing(): Promise<void> {
  expect(await done("down")).toMatchObject({ remaining: [] });
  expect(await resources()).toBe(0);
}

/** Ids of the processes that a process has started. */
function childrenOf(pid: number): number[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((each) => {
    try {
      const stat = readFileSync(`/proc/${each}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid;
    } catch {
      return false;
    }
  });
}

/** Writes a lock of the state's backend, as the engine of that process would. */
function lock(pid: number, host: string): void {
  const folder = path.join(kiln.home, "sandbox/state/.pulumi/locks/organization/kiln", environment);
  mkdirSync(folder, { recursive: true });
  const content = { pid, username: "someone", hostname: host, timestamp: new Date().toISOString() };
  writeFileSync(path.join(folder, "5b0c9e1e-0000-4000-8000-000000000000.json"), JSON.stringify(content));
}

test("what was never brought up can be taken down, and looked at, but not checked", async () => {
  expect(await done("down")).toMatchObject({ existed: false, purged: [], remaining: [], changes: nothing });
  expect(await done("status")).toMatchObject({ result: "down", systems: [] });
  for (const verb of ["smoke", "rotate-key"]) {
    expect(await refusal(1, [verb, environment])).toMatchObject({
      code: "NotUp",
      next: expect.stringContaining(`kiln up ${environment}`),
    });
  }
});

describe("who may not", () => {
  const as = async (name: string) => {
    const { principals } = (await sandbox("status")) as { principals: { name: string; clientId: string }[] };
    return { AZURE_CLIENT_ID: String(principals.find((each) => each.name === name)?.clientId) };
  };

  test.each([
    ["stranger", /deletedAccounts\/read|deletedVaults was refused/],
    ["reader", /resourceGroups\/write/],
    ["contributor", /roleAssignments\/write/],
  ])("a %s is told which action on which scope, and which roles would do", async (name, action) => {
    const before = await as(name);
    expect(await refusal(1, ["up", environment], before)).toMatchObject({
      code: "AuthorizationFailed",
      message: "the one who is signed in may not do this",
      cause: expect.stringMatching(action),
      next: expect.stringContaining("Contributor and Role Based Access Control Administrator"),
    });
    await expectNothing();
  });
});

describe("a model that cannot be had", () => {
  const usage = "OpenAI.GlobalStandard.gpt-5.1";
  const none = "no configured region";

  test("no such version anywhere", async () => {
    expect(await refusal(1, ["up", environment], { KILN_MODEL: "gpt-5.1@2020-01-01" })).toMatchObject({
      code: "DeploymentModelNotSupported",
      message: expect.stringContaining(`${none} offers gpt-5.1 2020-01-01`),
      cause: expect.stringMatching(/eastus has version 2025-11-13[\s\S]*westus has version 2025-11-13/),
    });
    expect(await resources()).toBe(0);
  });

  test("no quota left in any region; with quota again it comes up", async () => {
    await settings({ quota: { [usage]: { eastus: 0, westus: 0 } } });
    for (const verb of ["preview", "up"]) {
      expect(await refusal(1, [verb, environment])).toMatchObject({
        code: "InsufficientQuota",
        message: expect.stringContaining(`${none} has enough quota left for gpt-5.1`),
        cause: expect.stringMatching(/eastus has 0 of 0[\s\S]*westus has 0 of 0/),
        next: expect.stringMatching(/capacity.*fallbackLocations.*Nothing was made/s),
      });
    }
    expect(await resources()).toBe(0);
    await settings({ quota: { [usage]: {} }, openAiEntitled: false });
    expect(await refusal(1, ["up", environment])).toMatchObject({
      code: "SpecialFeatureOrQuotaIdRequired",
      next: expect.stringContaining("access to Azure OpenAI"),
    });
    await settings({ openAiEntitled: true });
    await expectNothing();
    // The lock of a run that was killed while it made the stack is no hindrance; nor is no place for temporary files.
    lock(process.pid, hostname());
    expect((await refusal(4, ["up", environment])).code).toBe("Locked");
    lock(spawnSync("true").pid, hostname());
    const up = await done("up", { TMPDIR: path.join(kiln.home, "nowhere") });
    expect(up).toMatchObject({ result: "succeeded", region: "eastus" });
    await expectNothing();
  });
});

describe("a name that someone else holds", () => {
  const group = "/resourceGroups/rg-others";
  const version = (type: string) => `?api-version=${apiVersions[`azure-native:${type}`]}`;
  const account = `${group}/providers/Microsoft.CognitiveServices/accounts/theirs${version("cognitiveservices:Account")}`;
  const names = () => resolveEnvironment(loadConfig(project, environment, {}), arm.subscriptionId).names;
  const vault = () =>
    `${group}/providers/Microsoft.KeyVault/vaults/${names().vault}${version("keyvault:Vault")}`;

  beforeAll(() => arm.send("PUT", `${group}${version("resources:ResourceGroup")}`, { location: "eastus" }));

  test("an account's subdomain: whose it is not, and what to change", async () => {
    await arm.send("PUT", account, {
      location: "eastus",
      kind: "OpenAI",
      sku: { name: "S0" },
      properties: { customSubDomainName: names().customSubdomain },
    });
    expect(await refusal(1, ["up", environment])).toMatchObject({
      code: "CustomDomainInUse",
      message: "the account's subdomain is taken",
      next: expect.stringContaining("kiln:workload"),
    });
    await arm.send("DELETE", account);
    const deleted = `/providers/Microsoft.CognitiveServices/locations/eastus${group}/deletedAccounts/theirs`;
    await arm.send("DELETE", `${deleted}${version("cognitiveservices:Account")}`);
  });

  test("a vault's name, live and then soft-deleted; theirs is left alone, and ours comes up when it is gone", async () => {
    await done("down");
    const tenantId = (await sandbox("status")).tenantId;
    const properties = { tenantId, sku: { family: "A", name: "standard" }, accessPolicies: [] };
    await arm.send("PUT", vault(), { location: "eastus", properties });
    expect(await refusal(1, ["up", environment])).toMatchObject({
      code: "VaultAlreadyExists",
      next: expect.stringContaining("kiln:workload"),
    });
    expect(await arm.send("GET", vault())).toMatchObject({ name: names().vault });
    await done("down");

    await arm.send("DELETE", vault());
    expect(await refusal(1, ["up", environment])).toMatchObject({
      code: "NameTaken",
      message: `the name ${names().vault} is held by a deleted vault that is not this environment's`,
      cause: expect.stringContaining("rg-others"),
      next: expect.stringContaining("Nothing was made"),
    });
    expect(await done("down")).toMatchObject({ purged: [], remaining: [{ what: "soft-deleted vault" }] });

    const deleted = `/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/${names().vault}`;
    await arm.send("POST", `${deleted}/purge${version("keyvault:Vault")}`);
    await arm.send("DELETE", `${group}${version("resources:ResourceGroup")}`);
    expect(await done("up")).toMatchObject({ result: "succeeded" });
  });
});

// From here on the environment is up.

describe("a lock", () => {
  test("of a run on another machine, or of one that lives here, is respected", async () => {
    for (const [pid, host] of [
      [4711, "another-host"],
      [process.pid, hostname()],
    ] as const) {
      lock(pid, host);
      expect(await refusal(4, ["up", environment])).toMatchObject({
        code: "Locked",
        cause: expect.stringContaining(`someone@${host}, process ${pid}`),
        next: expect.stringContaining("Wait until it is done"),
      });
    }
  });

  test("that a dead run left is taken over, with a notice", async () => {
    lock(spawnSync("true").pid, hostname());
    const up = await kiln.run(["up", environment]);
    expect(up.stderr).toContain("An earlier run was killed while it held the state's lock; taking over.");
    expect(up).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("none (28 unchanged)") });
  });
});

test("a record that is damaged: nothing is changed, and with the good copy back all is as it was", async () => {
  const file = path.join(kiln.home, "sandbox/state/.pulumi/stacks/kiln", `${environment}.json`);
  const good = readFileSync(file);
  const before = await resources();
  for (const damaged of [good.subarray(0, good.length / 2), Buffer.alloc(0)]) {
    writeFileSync(file, damaged);
    for (const verb of ["up", "status", "down"]) {
      expect(await refusal(1, [verb, environment])).toMatchObject({
        code: "StateUnreadable",
        next: expect.stringContaining(".pulumi/backups"),
      });
    }
    expect(readFileSync(file)).toEqual(damaged);
  }
  writeFileSync(file, good);
  expect(await resources()).toBe(before);
  expect(await done("up")).toMatchObject({ changes: nothing });
});

describe("a sign-in that does not hold", () => {
  test("proof that is refused: nothing goes, and a sandbox started anew renews it", async () => {
    const before = await resources();
    writeFileSync(path.join(kiln.home, "sandbox/principals/owner.assertion"), "not a proof");
    expect(await refusal(1, ["down", environment])).toMatchObject({
      code: "SignInFailed",
      cause: expect.stringContaining("AADSTS"),
      next: expect.stringContaining("kiln sandbox stop"),
    });
    expect(await resources()).toBe(before);
    await sandbox("stop");
    expect(await done("status")).toMatchObject({ result: "up" });
  });

  test("a token that expires halfway: what is gone is gone, and the rest goes next time", async () => {
    await fault(
      "refuse",
      "--status",
      "401",
      "--code",
      "ExpiredAuthenticationToken",
      "--method",
      "DELETE",
      "--after",
      "3",
    );
    expect(await refusal(1, ["down", environment])).toMatchObject({
      code: "ExpiredAuthenticationToken",
      message: "the sign-in does not hold any more",
      next: expect.stringContaining("Sign in again"),
    });
    expect(await resources()).not.toBe(0);
    await sandbox("fault", "clear");
    await expectNothing();
  });
});

describe("a checkout that breaks a rule", () => {
  let checkout: TestCheckout;
  let other: TestKiln;
  beforeAll(async () => {
    checkout = testCheckout();
    other = await testKiln({ project: checkout.folder, home: kiln.home });
  });
  afterAll(() => checkout.dispose());

  test("a policy says no: exit 3, the rule by its name, and nothing that violates is made", async () => {
    checkout.replace(
      "components/azure/app-storage.ts",
      'minimumTlsVersion: "TLS1_2"',
      'minimumTlsVersion: "TLS1_0"',
    );
    for (const verb of ["preview", "up"]) {
      expect(await refusal(3, [verb, environment], {}, other)).toMatchObject({
        code: "PolicyViolation",
        message: "1 mandatory policy is violated",
        cause: expect.stringMatching(/tls|TLS/),
        next: expect.stringContaining("policies/exemptions.ts"),
      });
    }
    const state = await done("status");
    expect(JSON.stringify(state)).not.toContain("storage:StorageAccount");
  });

  test("its regions have no such model", async () => {
    await expectNothing();
    checkout.replace("Pulumi.yaml", "value: eastus", "value: westeurope");
    checkout.replace("Pulumi.yaml", "value: [westus]", "value: [atlantis]");
    expect(await refusal(1, ["up", environment], {}, other)).toMatchObject({
      code: "DeploymentModelNotSupported",
      cause: expect.stringMatching(/westeurope does not have it[\s\S]*atlantis is no region of this cloud/),
    });
    expect(await resources()).toBe(0);
  });
});

describe("while it is brought up", () => {
  /** Brings it up to where the account is being made, and holds it there. */
  const held = async (...args: string[]) => {
    await fault("hold", "--method", "PUT", "--path", "/accounts/[^/]*$");
    const up = kiln.start(["up", environment, ...args]);
    const struck = async () => ((await sandbox("fault", "list")).faults as { struck: number }[])[0]?.struck;
    await expect.poll(struck, { timeout: 120_000 }).toBe(1);
    return up;
  };

  test("a second run ends with 4 and says who works on it", async () => {
    const up = await held();
    expect(await refusal(4, ["up", environment])).toMatchObject({
      code: "Locked",
      message: `environment ${environment} is locked`,
      cause: expect.stringMatching(new RegExp(`kiln up ${environment}.*process ${up.child.pid} on`)),
    });
    expect((await refusal(4, ["down", environment])).code).toBe("Locked");

    // Ctrl-C reaches everything in the terminal; the step at hand is finished.
    process.kill(-Number(up.child.pid), "SIGINT");
    await up.saw(/Interrupted: finishing the step at hand/);
    await sandbox("fault", "clear");
    const { exitCode, stderr } = await up.done;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr: expect.stringContaining("code: Interrupted"),
    });
    expect(await done("status")).toMatchObject({ result: "incomplete" });
  });

  test("after an interruption, up goes on from there", async () => {
    const up = (await done("up")) as { changes: { create: number; same: number } };
    expect(up.changes.create).toBeGreaterThan(0);
    expect(up.changes.same).toBeGreaterThan(0);
    expect(await done("up")).toMatchObject({ changes: nothing });
    await expectNothing();
  });

  test.skipIf(process.platform !== "linux")(
    "the engine is killed: up ends, nothing of the engine stays behind, and up goes on",
    async () => {
      const up = await held("--json");
      const [engine = 0] = childrenOf(Number(up.child.pid));
      const hosts = childrenOf(engine);
      expect(hosts).not.toEqual([]);
      process.kill(engine, "SIGKILL");
      expect(refusalOf(await up.done, 1)).toMatchObject({
        code: "OperationFailed",
        message: "the engine ended without saying why",
        next: expect.stringContaining("run it again"),
      });
      await sandbox("fault", "clear");
      await expect
        .poll(() => hosts.filter((each) => existsSync(`/proc/${each}`)), { timeout: 60_000 })
        .toEqual([]);
      expect(await done("up")).toMatchObject({ result: "succeeded" });
      expect(await done("up")).toMatchObject({ changes: nothing });
      await expectNothing();
    },
  );

  test("the sandbox is killed: said plainly, and up starts it again and goes on", async () => {
    const up = await held("--json");
    process.kill(Number((await sandbox("status")).pid), "SIGKILL");
    expect(refusalOf(await up.done, 1)).toMatchObject({
      code: "CloudUnreachable",
      message: "the cloud does not answer",
      next: expect.stringContaining("Run it again"),
    });
    expect(await sandbox("status")).toMatchObject({ running: false });
    expect((await kiln.run(["sandbox", "start"])).exitCode).toBe(0);
    await sandbox("fault", "clear");
    process.kill(Number((await sandbox("status")).pid), "SIGKILL");
    expect(await done("up")).toMatchObject({ result: "succeeded" });
    expect(await done("up")).toMatchObject({ changes: nothing });
  });
});

// Where nobody may mount a file system, as in some containers, a disk cannot be made full without filling everyone's.
test.skipIf(!mayMount)("a disk that is full: said by every verb, and with room again all goes on", () => {
  const told = onSmallDisk(`
    fill
    kiln unstarted sandbox start
    free
    kiln started sandbox start --profile instant
    fill
    kiln refused up ${environment}
    kiln looked status ${environment}
    free
    kiln up up ${environment}
    kiln again up ${environment}
    kiln stopped sandbox stop
  `);
  const full = { code: "DiskFull", next: expect.stringMatching(/^Free (some )?space/) };
  expect(refusalOf(told("unstarted"), 1)).toMatchObject(full);
  expect(told("started").json()).toMatchObject({ running: true });
  expect(refusalOf(told("refused"), 1)).toMatchObject(full);
  expect(told("up").json()).toMatchObject({ result: "succeeded" });
  expect(told("again").json()).toMatchObject({ changes: nothing });
  expect(told("stopped").json()).toEqual({ running: false, stopped: true });
});
