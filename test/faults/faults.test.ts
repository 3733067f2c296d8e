import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scenarios, scenarioOf } from "./scenario.ts";

/** How long seeds are run for, in milliseconds, and how many at most and at least. */
const BUDGET_MS = 40_000;
const MOST = 300;
const LEAST = 10;

let scenarios: Scenarios;
beforeAll(async () => {
  scenarios = await Scenarios.open();
});
afterAll(() => scenarios.close());

describe("environments side by side, brought up, rotated and taken down among faults and kills", () => {
  test("the record is valid, nothing is orphaned, others are untouched, keys live, and a rerun ends it", async () => {
    const began = performance.now();
    const wrong: string[] = [];
    let seed = 1;
    for (; seed <= MOST && (seed <= LEAST || performance.now() - began < BUDGET_MS); seed++) {
      const found = await scenarios.run(scenarioOf(seed));
      wrong.push(...found.map((each) => `npm run faults -- --seed ${seed} --verbose: ${each}`));
    }
    expect(wrong).toEqual([]);
  });

  test("a seed is the same scenario each time, with the same calls and the same end", async () => {
    const told = async () => {
      const lines: string[] = [];
      const wrong = await scenarios.run(scenarioOf(4), (line) => void lines.push(line));
      return [...lines, ...wrong];
    };
    expect(await told()).toEqual(await told());
  });

  test.each(["/deployments/", "/vaults/", "/sites/"])(
    "what someone deleted behind its back (%s) is noticed, and made anew",
    async (part) => {
      await scenarios.run({ ...scenarioOf(1), up: 1, steps: [] });
      const { environments } = scenarios;
      const resources = environments.backend.stacks.get("dev")?.resources ?? [];
      const [id = ""] = resources.flatMap((each) => (each.id?.includes(part) ? [each.id] : []));
      const below = id.replace(/^\/subscriptions\/[^/]+/, "");
      await environments.world.arm("DELETE", below);
      await environments.world.sleep(60_000);
      const { changes } = (await environments.run("up", "dev")) as { changes: Record<string, number> };
      expect(changes.create).toBeGreaterThan(0);
      expect(environments.mismatches("dev", false)).toEqual([]);
    },
  );

  test("what is damaged on purpose is found", async () => {
    const broken = await Scenarios.open();
    await broken.run({ ...scenarioOf(1), up: 1, steps: [] });
    const resources = broken.environments.backend.stacks.get("dev")?.resources ?? [];
    const vault = resources.findIndex(({ type }) => type === "azure-native:keyvault:Vault");
    const [forgotten] = resources.splice(vault, 1);
    expect(broken.environments.mismatches("dev", false)).toEqual([expect.stringMatching(/on no record/)]);
    resources.push({ ...(forgotten as (typeof resources)[0]), id: `${forgotten?.id}-other` });
    expect(broken.environments.mismatches("dev", false)).toEqual([
      expect.stringMatching(/is there, and on no record/),
      expect.stringMatching(/is on record, and not there/),
    ]);
    const key = broken.environments.world.cloud.mint.all().find(({ kind }) => kind === "openai-key");
    broken.environments.said.push(`the key is ${key?.value}`);
    expect(broken.environments.mismatches("pr-1", false)).toContainEqual(
      expect.stringMatching(/openai-key of .* was said/),
    );
    await broken.close();
  });
});
