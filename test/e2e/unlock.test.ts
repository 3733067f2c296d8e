import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

const env = "pr-32";
let kiln: TestKiln;
let locks: string;

beforeAll(async () => {
  kiln = await testKiln();
  locks = path.join(kiln.home, "sandbox/state/.pulumi/locks/organization/kiln", env);
});
afterAll(() => kiln.dispose());

/** A lock as the engine writes it. */
function lock(pid: number, host: string, timestamp = new Date().toISOString()): string {
  const file = path.join(locks, "11111111-1111-1111-1111-111111111111.json");
  mkdirSync(locks, { recursive: true });
  writeFileSync(file, JSON.stringify({ pid, username: "ann", hostname: host, timestamp }));
  return file;
}

const held = () => readdirSync(locks).filter((name) => name.endsWith(".json"));
const unlock = (...args: string[]) => kiln.run(["unlock", env, "--json", ...args]);

test("nothing is locked, with a stack or without: done, as often as one likes", async () => {
  for (const before of [[], ["up", env]]) {
    if (before.length > 0) expect((await kiln.run(before)).exitCode).toBe(0);
    for (const _ of [1, 2]) {
      const { exitCode, json } = await unlock();
      expect([exitCode, json()]).toMatchObject([0, { verb: "unlock", result: "succeeded", released: [] }]);
    }
  }
});

test("another host's lock is told of, kept until someone says yes, and then gone", async () => {
  lock(4711, "elsewhere", "2026-03-02T10:00:00Z");
  const up = await kiln.run(["up", env, "--json"]);
  expect(up.exitCode).toBe(4);
  expect(up.json()).toMatchObject({
    error: { code: "Locked", next: expect.stringContaining("kiln unlock") },
  });

  const asked = await unlock();
  expect(asked.exitCode).toBe(2);
  const { error } = asked.json() as { error: { cause: string } };
  expect(error.cause).toContain("ann@elsewhere, process 4711, since 2026-03-02T10:00:00Z");
  expect(held()).toHaveLength(1);

  const said = await unlock("--yes");
  expect(said.exitCode).toBe(0);
  expect(said.json()).toMatchObject({ released: [{ host: "elsewhere", pid: 4711, owner: "elsewhere" }] });
  expect(held()).toEqual([]);
  expect((await kiln.run(["up", env])).exitCode).toBe(0);
});

test("a lock whose owner is at work here is kept, whoever says yes; once it is dead, it goes", async () => {
  const owner = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  await once(owner, "spawn");
  lock(owner.pid ?? 0, hostname());
  const refused = await unlock("--yes");
  expect(refused.exitCode).toBe(4);
  expect(refused.json()).toMatchObject({
    error: { code: "Locked", message: `${env} is locked by someone who is at work` },
  });
  expect(held()).toHaveLength(1);
  owner.stdin?.end();
  await once(owner, "exit");
  expect((await unlock("--yes")).json()).toMatchObject({ released: [{ owner: "gone" }] });
  expect(held()).toEqual([]);
});

test("while a run of this machine is at work, unlocking is refused, and another that waits comes after it", async () => {
  const first = kiln.start(["down", env]);
  await first.saw(/✓ deleted/);
  const second = kiln.start(["up", env, "--wait"]);
  const refused = await unlock("--yes");
  expect(refused.exitCode).toBe(4);
  expect(refused.json()).toMatchObject({ error: { code: "Locked" } });
  expect((await first.done).exitCode).toBe(0);
  const up = await second.done;
  expect(up.exitCode).toBe(0);
  expect(up.stdout).toMatch(/changes +28 create/);
});

test("a lock of another host is waited for no longer than asked, and taken no sooner than it goes", async () => {
  const file = lock(4711, "elsewhere");
  const waiting = kiln.start(["up", env, "--wait", "10"]);
  await waiting.saw(/The state is locked \(ann@elsewhere/);
  rmSync(file);
  const { exitCode, stdout } = await waiting.done;
  expect(exitCode).toBe(0);
  expect(stdout).toContain("succeeded");
});
