import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { draw } from "../../sandbox/core/faults.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";

/**
 * What test/faults does by the hundred in one process, here with the real engine and the real command: three seeds, one for
 * each verb, or as many as KILN_FAULT_SEEDS says.
 */
const SEEDS = Array.from({ length: Number(process.env.KILN_FAULT_SEEDS ?? 3) }, (_, at) => at + 1);
const VERBS = ["up", "rotate-key", "down"] as const;
const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

let kiln: TestKiln;
beforeAll(async () => {
  kiln = await testKiln();
  await kiln.run(["sandbox", "start"]);
});
afterAll(() => kiln.dispose());

async function fault(effect: string, ...args: string[]): Promise<string> {
  const rule = await kiln.run(["sandbox", "fault", "add", effect, ...args, "--json"]);
  expect(rule.exitCode).toBe(0);
  return String(rule.json().id);
}

/** Without faults it comes right: up, nothing more to change, no secret in the open, down, and nothing is left. */
async function expectWhole(environment: string): Promise<void> {
  await kiln.run(["sandbox", "fault", "clear"]);
  expect((await kiln.run(["up", environment, "--json"])).json()).toMatchObject({ result: "succeeded" });
  expect((await kiln.run(["up", environment, "--json"])).json()).toMatchObject({ changes: nothing });
  expect((await kiln.run(["smoke", environment])).exitCode).toBe(0);
  const rotated = await kiln.run(["rotate-key", environment, "--drain", "0s", "--json"]);
  expect(rotated.json()).toMatchObject({ result: "succeeded" });
  const scan = await kiln.run(["sandbox", "leak-scan", kiln.home, "--json"]);
  expect(scan.json()).toMatchObject({ leaks: [] });
  expect((await kiln.run(["down", environment, "--json"])).json()).toMatchObject({ remaining: [] });
}

describe("faults and a kill, by seed", () => {
  test.each(SEEDS)("seed %i", async (seed) => {
    const environment = `pr-${40 + seed}`;
    const verb = VERBS[seed % VERBS.length] ?? "up";
    if (verb !== "up") expect((await kiln.run(["up", environment])).exitCode).toBe(0);
    const seeded = ["--probability", "0.04", "--seed", String(seed)];
    for (const effect of ["throttle", "server-error", "lost"])
      await fault(effect, "--host", "^management", ...seeded);
    const call = Math.floor(draw(seed, 0) * (verb === "rotate-key" ? 25 : 70));
    const held = await fault("hold", "--host", "^(?!login)", "--after", String(call), "--times", "1");
    const run = kiln.start([verb, environment]);
    await Promise.race([untilStruck(held), run.done]);
    if (run.child.exitCode === null) await run.kill(draw(seed, 1) < 0.5 ? "command" : "group");
    await expectWhole(environment);
  });

  async function untilStruck(id: string): Promise<void> {
    for (;;) {
      const { faults } = (await kiln.run(["sandbox", "fault", "list", "--json"])).json() as {
        faults: { id: string; struck: number }[];
      };
      if (faults.some((each) => each.id === id && each.struck > 0)) return;
    }
  }
});

test("made, the answer lost, and refused when it was sent again: it is put on record and taken over", async () => {
  const account = ["--method", "PUT", "--path", "/accounts/[^/]+$", "--times", "1"];
  await fault("lost", ...account);
  await fault("conflict", ...account, "--after", "1");
  const up = await kiln.run(["up", "pr-49", "--json"]);
  expect(up.json()).toMatchObject({ result: "succeeded" });
  await expectWhole("pr-49");
});
