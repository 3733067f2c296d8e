import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

interface Outputs {
  readonly functionAppName: string;
  readonly openaiAccountName: string;
}

interface Rotated {
  readonly outcome: string;
  readonly slot: string;
  readonly from: string;
  readonly version: string;
  readonly consumers: readonly { readonly app: string; readonly proof: string }[];
  readonly revoked: boolean;
}

const environment = "pr-21";
let kiln: TestKiln;
let app: string;

beforeAll(async () => {
  kiln = await testKiln();
  // The load is to meet the rotation, not the model's own limit of tokens.
  await kiln.run(["sandbox", "start"]);
  await kiln.run(["sandbox", "settings", "--set", JSON.stringify({ throttling: false })]);
  const up = (await kiln.run(["up", environment, "--json"])).json() as { outputs: Outputs };
  app = up.outputs.functionAppName;
});
afterAll(() => kiln.dispose());

async function rotateKey(...args: string[]): Promise<Rotated> {
  const run = await kiln.run(["rotate-key", environment, "--json", "--drain", "0s", ...args]);
  expect(run.stderr).toBe("");
  expect(run.exitCode).toBe(0);
  return run.json() as unknown as Rotated;
}

/** What the sandbox itself counted of the app's answers. */
async function counted(): Promise<{ total: number; notOk: number; chats: number }> {
  const sites = (await kiln.run(["sandbox", "counters", "--json"])).json() as Record<
    string,
    Record<string, never>
  >;
  const { total, notOk, byRoute } = (sites[app]?.counters ?? {}) as {
    total: number;
    notOk: number;
    byRoute: Record<string, { total: number }>;
  };
  return { total, notOk, chats: byRoute["POST /api/chat"]?.total ?? 0 };
}

/** Calls the model through the app on several connections until it is told to stop. */
async function underLoad<T>(work: () => Promise<T>): Promise<{ result: T; answers: Record<string, number> }> {
  const agent = await appAgent();
  const answers: Record<string, number> = {};
  let over = false;
  const client = async () => {
    while (!over) {
      const said = await chat(agent);
      answers[said] = (answers[said] ?? 0) + 1;
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  try {
    return { result: await work(), answers };
  } finally {
    over = true;
    await clients;
    agent.destroy();
  }
}

/** The way to the sandbox's hosts. */
async function appAgent(): Promise<https.Agent> {
  const { proxy, caCertificate } = (await kiln.run(["sandbox", "status", "--json"])).json() as {
    proxy: string;
    caCertificate: string;
  };
  const ca = [readFileSync(caCertificate, "utf8")];
  return new https.Agent({ keepAlive: true, ca, proxyEnv: { HTTPS_PROXY: proxy } });
}

function chat(agent: https.Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = https.request(
      `https://${app}.azurewebsites.net/api/chat`,
      { agent, method: "POST", headers: { "content-type": "application/json" } },
      (response) => {
        response.on("error", ({ message }) => resolve(message));
        response.resume().on("end", () => resolve(String(response.statusCode)));
      },
    );
    request.on("error", ({ message }) => resolve(message));
    request.end(JSON.stringify({ message: "hello" }));
  });
}

describe("while the app is under load", () => {
  test.each([
    ["rotate-key", []],
    ["rotate-key --restart", ["--restart"]],
    ["rotate-key --revoke-old", ["--revoke-old", "--drain", "2s"]],
  ])("%s: not one answer is other than 200", async (_what, args) => {
    const before = await counted();
    const { result, answers } = await underLoad(() => rotateKey(...args));
    expect(result).toMatchObject({ outcome: "rotated", consumers: [{ app, proof: "served" }] });
    expect(Object.keys(answers)).toEqual(["200"]);
    const after = await counted();
    expect(after.notOk).toBe(0);
    expect(after.chats - before.chats).toBeGreaterThanOrEqual(answers["200"] ?? 1);
  });
});

test("rotations in a row: the slots take turns, and two versions stay enabled", async () => {
  let { slot } = await rotateKey();
  for (let round = 0; round < 4; round++) {
    const next = await rotateKey();
    expect([next.from, next.slot]).toEqual([slot, slot === "key1" ? "key2" : "key1"]);
    slot = next.slot;
  }
  const status = (await kiln.run(["status", environment, "--json"])).json();
  expect(status).toMatchObject({
    key: { slot, phase: "drained", enabledVersions: 2, consumers: [{ app, status: "Resolved" }] },
  });
  expect((await counted()).notOk).toBe(0);
});

test("an up after a rotation leaves the key alone", async () => {
  const { version } = await rotateKey();
  const up = (await kiln.run(["up", environment, "--json"])).json();
  expect(up).toMatchObject({ changes: { create: 0, update: 0, delete: 0, replace: 0 } });
  expect((await kiln.run(["status", environment, "--json"])).json()).toMatchObject({ key: { version } });
});

test("a key younger than --max-age stays, and an older one does not", async () => {
  expect(await rotateKey("--max-age", "30d")).toMatchObject({ outcome: "young" });
  await kiln.run(["sandbox", "clock", "advance", "31d"]);
  expect(await rotateKey("--max-age", "30d")).toMatchObject({ outcome: "rotated" });
});

test("two rotations at once: one wins, the other says so", async () => {
  const command = ["rotate-key", environment, "--json", "--drain", "0s"];
  const runs = await Promise.all([1, 2].map(() => kiln.run(command)));
  expect(runs.map(({ exitCode }) => exitCode).sort()).toEqual([0, 4]);
  const loser = runs.find(({ exitCode }) => exitCode === 4);
  expect(loser?.json()).toMatchObject({ result: "failed", error: { code: "Locked" } });
});

test("no rotation while up runs", async () => {
  const up = kiln.start(["up", "pr-22"]);
  await up.saw(/✓ created/);
  const run = await kiln.run(["rotate-key", "pr-22", "--json"]);
  expect(run.exitCode).toBe(4);
  await up.done;
  await kiln.run(["down", "pr-22"]);
});

test("a secret that holds no live key is said, and mended by --adopt", async () => {
  const { openaiAccountName } = (
    (await kiln.run(["status", environment, "--json"])).json() as { outputs: Outputs }
  ).outputs;
  await regenerateBehindItsBack(openaiAccountName);
  const refused = await kiln.run(["rotate-key", environment, "--json"]);
  expect(refused.exitCode).toBe(5);
  expect(refused.json()).toMatchObject({
    error: { code: "KeyUnknown", next: expect.stringContaining("--adopt") },
  });
  expect(await rotateKey("--adopt")).toMatchObject({ outcome: "adopted", consumers: [{ proof: "served" }] });
  expect((await kiln.run(["smoke", environment])).exitCode).toBe(0);
});

describe("killed while a call is open, then run again", () => {
  // Every fifth call; the others are killed in process, before and after each.
  test.each([1, 6, 11, 16, 21])("call %i", async (call) => {
    const rule = ["--host", "^(?!login)", "--after", String(call), "--times", "1"];
    const { id } = (await kiln.run(["sandbox", "fault", "add", "hold", ...rule, "--json"])).json();
    const run = kiln.start(["rotate-key", environment, "--drain", "0s"]);
    await Promise.race([untilStruck(String(id)), run.done]);
    expect(run.child.exitCode).toBeNull();
    await run.kill("command");
    // What was held is let go: the cloud does what was asked, and nobody hears of it.
    await kiln.run(["sandbox", "fault", "clear"]);
    const agent = await appAgent();
    expect(await chat(agent)).toBe("200");
    await rotateKey();
    expect(await chat(agent)).toBe("200");
    agent.destroy();
    expect((await kiln.run(["status", environment, "--json"])).json()).toMatchObject({
      key: { phase: "drained", enabledVersions: 2 },
    });
  });

  async function untilStruck(id: string): Promise<void> {
    for (;;) {
      const faults = (await kiln.run(["sandbox", "fault", "list", "--json"])).json() as {
        faults: { id: string; struck: number }[];
      };
      if (faults.faults.some((each) => each.id === id && each.struck > 0)) return;
    }
  }
});

test("no key is in any process but the app's, nor in anything that Kiln wrote or said", async () => {
  const said = path.join(kiln.home, "said.txt");
  const rotation = kiln.start(["rotate-key", environment, "--drain", "0s"]);
  const seen = new Map<string, string>();
  let over = false;
  void rotation.done.then(() => {
    over = true;
  });
  while (!over) {
    for (const [pid, text] of processes()) seen.set(pid, text);
    await new Promise(setImmediate);
  }
  const { stdout, stderr, exitCode } = await rotation.done;
  expect(exitCode).toBe(0);
  expect([...seen.values()].some((text) => text.includes("rotate-key"))).toBe(true);
  writeFileSync(said, [stdout, stderr, ...seen.values()].join("\n"));
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  expect(scan.json()).toMatchObject({ leaks: [] });
});

/** Arguments and environment of every process that may be looked into, by id, without those of apps that the sandbox runs. */
function processes(): [string, string][] {
  return readdirSync("/proc").flatMap((pid): [string, string][] => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
      const environ = read("environ");
      return environ.includes("WEBSITE_SITE_NAME=") ? [] : [[pid, `${read("cmdline")}\n${environ}`]];
    } catch {
      return [];
    }
  });
}

/** Someone regenerates both keys in the portal. */
async function regenerateBehindItsBack(account: string): Promise<void> {
  const token = (await kiln.run(["sandbox", "token", "--json"])).json() as { accessToken: string };
  const { subscriptionId } = (await kiln.run(["sandbox", "status", "--json"])).json() as {
    subscriptionId: string;
  };
  const agent = await appAgent();
  for (const keyName of ["Key1", "Key2"]) {
    const url =
      `https://management.azure.com/subscriptions/${subscriptionId}/resourceGroups/rg-kiln-${environment}` +
      `/providers/Microsoft.CognitiveServices/accounts/${account}/regenerateKey?api-version=2025-06-01`;
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token.accessToken}`, "content-type": "application/json" };
      const request = https.request(url, { agent, method: "POST", headers }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", reject);
      request.end(JSON.stringify({ keyName }));
    });
    expect(answered).toBe(200);
  }
  agent.destroy();
}
