import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

let kiln: TestKiln;
beforeAll(async () => {
  kiln = await testKiln();
});
afterAll(() => kiln.dispose());

/** Brings the environment up after whatever happened to it, and proves that it is whole. */
async function expectHealed(): Promise<void> {
  const up = await kiln.run(["up", "pr-7", "--json"]);
  expect(up.stdout).toContain('"result": "succeeded"');
  expect((await kiln.run(["up", "pr-7", "--json"])).json()).toMatchObject({ changes: nothing });
  expect((await kiln.run(["smoke", "pr-7"])).exitCode).toBe(0);
}

describe("kill -9 in the middle of up, then up", () => {
  test.each([
    ["the command, before anything is made", "command", /Bringing up/, 1],
    ["the command, while much is being made", "command", /✓ created/, 4],
    ["the command and the engine, while the group is made", "group", /Bringing up/, 1],
    ["the command and the engine, while much is being made", "group", /✓ created/, 3],
    ["the command and the engine, near the end", "group", /✓ created/, 15],
  ] as const)("%s", async (_what, what, pattern, times) => {
    const up = kiln.start(["up", "pr-7"]);
    await up.saw(pattern, times);
    await up.kill(what);
    await expectHealed();
    expect((await kiln.run(["down", "pr-7", "--json"])).json()).toMatchObject({ remaining: [] });
  });
});

test("kill -9 in the middle of down, then up, then down", async () => {
  await kiln.run(["up", "pr-7"]);
  const down = kiln.start(["down", "pr-7"]);
  await down.saw(/✓ deleted/, 5);
  await down.kill("group");
  await expectHealed();
  const again = await kiln.run(["down", "pr-7", "--json"]);
  expect(again.json()).toMatchObject({ result: "succeeded", remaining: [] });
});

test("two runs at once: one works, the other says who holds the environment", async () => {
  const up = kiln.start(["up", "pr-7"]);
  await up.saw(/✓ created/);
  const second = await kiln.run(["up", "pr-7", "--json"]);
  expect(second.exitCode).toBe(4);
  expect(second.json()).toMatchObject({ result: "failed", error: { code: "Locked" } });
  expect((await up.done).exitCode).toBe(0);
});

test("the sandbox killed in the middle of up: a clear error, and the next up goes on", async () => {
  await kiln.run(["down", "pr-7"]);
  const { pid } = (await kiln.run(["sandbox", "status", "--json"])).json() as { pid: number };
  const up = kiln.start(["up", "pr-7", "--json"]);
  const other = kiln.start(["status", "pr-7", "--json"]);
  await other.done;
  process.kill(pid, "SIGKILL");
  const { exitCode, stdout } = await up.done;
  if (exitCode !== 0) expect(JSON.parse(stdout)).toMatchObject({ error: { code: expect.any(String) } });
  await expectHealed();
});

test("a prod vault is left recoverable, and the next up recovers it", async () => {
  const up = await kiln.run(["up", "prod", "--json"]);
  expect(up.stdout).toContain('"result": "succeeded"');
  const down = (await kiln.run(["down", "prod", "--json"])).json();
  expect(down).toMatchObject({
    purged: [{ kind: "account" }],
    remaining: [{ what: "soft-deleted vault", until: expect.stringMatching(/^\d{4}-/) }],
  });
  expect((await kiln.run(["up", "prod", "--json"])).json()).toMatchObject({ result: "succeeded" });
  expect((await kiln.run(["up", "prod", "--json"])).json()).toMatchObject({ changes: nothing });
  expect((await kiln.run(["smoke", "prod"])).exitCode).toBe(0);
});
