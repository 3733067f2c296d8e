import { expect, test } from "vitest";
import { type Finding, lineOf } from "../../bench/lib/report.ts";
import { inTurn } from "../../bench/lib/rounds.ts";
import { timesOf } from "../../bench/lib/sides.ts";

test("contenders run in turn, prepared each time, and warm-ups are not counted", async () => {
  const happened: string[] = [];
  const contender = (name: string, ms: number) => ({
    name,
    prepare: async () => void happened.push(`prepare ${name}`),
    run: async () => {
      happened.push(name);
      return { ms };
    },
  });
  const samples = await inTurn([contender("a", 1), contender("b", 2)], {
    rounds: 2,
    warmUps: 1,
    say: () => {},
  });
  expect(happened).toEqual(Array.from({ length: 3 }, () => ["prepare a", "a", "prepare b", "b"]).flat());
  expect(samples.get("a")).toEqual([{ ms: 1 }, { ms: 1 }]);
  expect(samples.get("b")).toEqual([{ ms: 2 }, { ms: 2 }]);
});

test("a contender that fails ends the measure", async () => {
  const broken = { name: "broken", run: async () => Promise.reject(new Error("no")) };
  await expect(inTurn([broken], { rounds: 1, warmUps: 0, say: () => {} })).rejects.toThrow("no");
});

test("a side tells processor time only when every run has it", () => {
  expect(
    timesOf("x", [
      { ms: 3, cpuMs: 2 },
      { ms: 5, cpuMs: 4 },
    ]),
  ).toEqual({
    what: "x",
    median: 4,
    min: 3,
    max: 5,
    cpuMedian: 3,
  });
  expect(timesOf("x", [{ ms: 3, cpuMs: 2 }, { ms: 5 }])).not.toHaveProperty("cpuMedian");
});

test("a finding is one line of JSON that says whether its target is met", () => {
  const finding: Finding = {
    name: "up",
    unit: "ratio",
    value: 1.23456,
    target: 1.2,
    sidesIn: "ms",
    a: { what: "a", median: 2 },
    b: null,
    runs: 3,
  };
  const line = lineOf(finding);
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toEqual({ ...finding, value: 1.235, met: false });
});
