import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

let kiln: TestKiln;
beforeAll(async () => {
  kiln = await testKiln();
  await kiln.run(["sandbox", "start"]);
});
afterAll(() => kiln.dispose());

interface Listed {
  readonly environments: readonly {
    readonly env: string;
    readonly expiresOn?: string;
    readonly expired: boolean;
    readonly ageMs: number;
  }[];
}

async function listed(): Promise<Listed["environments"]> {
  return ((await kiln.run(["list", "--json"])).json() as unknown as Listed).environments;
}

test("only environments of pull requests expire", async () => {
  const run = await kiln.run(["up", "dev", "--ttl", "1h", "--json"]);
  expect(run.exitCode).toBe(2);
  expect(run.json()).toMatchObject({ error: { code: "Usage", message: "--ttl does not fit dev" } });
  expect(await listed()).toEqual([]);
});

test("environments side by side; the expired one is taken down, and nothing else", async () => {
  const ups = await Promise.all(
    [["pr-1", "--ttl", "72h"], ["pr-12", "--ttl", "90h"], ["pr-3"]].map((args) =>
      kiln.run(["up", ...args, "--json"]),
    ),
  );
  expect(ups.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const before = await listed();
  expect(before.map(({ env, expired }) => [env, expired])).toEqual([
    ["pr-1", false],
    ["pr-3", false],
    ["pr-12", false],
  ]);
  expect(before[1]?.expiresOn).toBeUndefined();
  expect(before[0]).toMatchObject({
    result: "up",
    drift: { missing: [], unknown: [] },
    costs: expect.arrayContaining([{ type: "Deployment", name: "gpt-5-1", size: "GlobalStandard ×1" }]),
  });

  // Until then nothing happens; a run that says nothing of it leaves the date alone.
  expect((await kiln.run(["reap", "--json"])).json()).toMatchObject({ reaped: [], kept: 3 });
  const again = await kiln.run(["up", "pr-1", "--json"]);
  expect(again.json()).toMatchObject({ changes: nothing });

  await kiln.run(["sandbox", "clock", "advance", "73h"]);
  const dry = await kiln.run(["reap", "--dry-run", "--json"]);
  expect(dry.json()).toMatchObject({ reaped: [{ env: "pr-1", result: "would be removed" }], kept: 2 });
  const reaped = await kiln.run(["reap", "--json"]);
  expect(reaped.exitCode).toBe(0);
  expect(reaped.json()).toMatchObject({ reaped: [{ env: "pr-1", result: "removed" }], kept: 2 });

  const after = await listed();
  expect(after.map(({ env }) => env)).toEqual(["pr-3", "pr-12"]);
  expect(after[0]?.ageMs).toBeGreaterThan(72 * 3_600_000);
  // pr-12 begins with pr-1, and is another's.
  expect((await kiln.run(["smoke", "pr-12"])).exitCode).toBe(0);
  expect((await kiln.run(["up", "pr-12", "--json"])).json()).toMatchObject({ changes: nothing });
});
