import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSpan } from "../../scripts/sandbox-commands.ts";

describe("spans of time", () => {
  it.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["1.5h", 5_400_000],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });

  it.each(["", "5", "h", "-1h", "1 h", "1h30m", "1w", "1H", "1e3s", "١h", ".5h", "1.h", "24h "])(
    "%j is none",
    (text) => {
      expect(() => parseSpan(text)).toThrow("A span is a number and ms, s, m, h or d: 24h.");
    },
  );

  it("of a unit are so many of it, whole milliseconds", () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    fc.assert(
      fc.property(fc.nat(10_000), unit, (count, name) => {
        expect(parseSpan(`${count}${name}`)).toBe(count * units[name]);
        expect(Number.isInteger(parseSpan(`${count}.337${name}`))).toBe(true);
      }),
    );
  });
});
