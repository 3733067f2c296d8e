import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bornOf, startedAt } from "../../scripts/lib/processes.ts";

it("a living process has a time of birth, which stays, and a dead one has none", async () => {
  expect(bornOf(process.pid)).toMatch(process.platform === "linux" ? /^\d+$/ : /^$/);
  expect(bornOf(process.pid)).toBe(bornOf(process.pid));
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const born = bornOf(pid);
  expect(born).toBeDefined();
  if (process.platform === "linux") expect(Number(born)).toBeGreaterThanOrEqual(Number(bornOf(process.pid)));
  child.stdin?.end();
  await once(child, "exit");
  expect(bornOf(pid)).toBeUndefined();
});

it.runIf(process.platform === "linux")(
  "one that has ended is dead, even while nobody has asked how",
  async () => {
    // The shell's child ends when the shell has become something that never asks for it.
    const child = `sh -c 'until [ "$(cat /proc/$PPID/comm)" = cat ]; do :; done'`;
    const parent = spawn("sh", ["-c", `${child} & echo $!; exec cat`], { stdio: ["pipe", "pipe", "ignore"] });
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(said.toString());
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8"), { timeout: 60_000 }).toMatch(/\) Z /);
    expect(bornOf(pid)).toBeUndefined();
    parent.stdin.end();
    await once(parent, "exit");
  },
);

it("a process of someone else lives as well", () => {
  expect(bornOf(1)).toBeDefined();
});

it.runIf(process.platform === "linux")("when a process began is told in the wall clock's time", async () => {
  const began = startedAt(process.pid) ?? 0;
  // To what whoever compares it with a lock's time allows for: the system counts the boot in whole seconds.
  expect(Math.abs(Date.now() - process.uptime() * 1000 - began)).toBeLessThan(60_000);
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  expect(startedAt(child.pid ?? 0)).toBeUndefined();
});
