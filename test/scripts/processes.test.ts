import { spawn } from "node:child_process";
import { once } from "node:events";
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

it("a process of someone else lives as well", () => {
  expect(bornOf(1)).toBeDefined();
});

it.runIf(process.platform === "linux")("when a process began is told in the wall clock's time", async () => {
  const began = startedAt(process.pid) ?? 0;
  // The system counts the boot in whole seconds.
  expect(Math.abs(Date.now() - process.uptime() * 1000 - began)).toBeLessThan(5000);
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  expect(startedAt(child.pid ?? 0)).toBeUndefined();
});
