import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exponent, isMet, median, quantile, significant, spread } from "../../bench/lib/stats.ts";

const measured = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe("how something grows", () => {
  test("is the power that made it, whatever the constant", () => {
    const power = fc.double({ min: -3, max: 3, noNaN: true });
    const factor = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(power, factor, (by, times) => {
        const points = [10, 100, 300, 1000].map((x) => ({ x, y: times * x ** by }));
        expect(exponent(points)).toBeCloseTo(by, 6);
      }),
    );
  });
});

describe("statistics of what was measured", () => {
  test("the median has as many below as above, whatever the order", () => {
    fc.assert(
      fc.property(measured, (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
        expect(median([...values].reverse())).toBe(middle);
      }),
    );
  });

  test("a quantile is one of the values, and grows with its share", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(measured, share, share, (values, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(values).toContain(quantile(values, low));
        expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high));
        expect(quantile(values, 0)).toBe(Math.min(...values));
        expect(quantile(values, 1)).toBe(Math.max(...values));
      }),
    );
  });

  test("of a hundred the 99th percentile is the last but one", () => {
    expect(
      quantile(
        Array.from({ length: 100 }, (_, at) => at + 1),
        0.99,
      ),
    ).toBe(99);
  });

  test("a spread lies in order and takes nothing of what it was given", () => {
    fc.assert(
      fc.property(measured, (values) => {
        const before = [...values];
        const { min, median: middle, max } = spread(values);
        expect(min).toBeLessThanOrEqual(middle);
        expect(middle).toBeLessThanOrEqual(max);
        expect(values).toEqual(before);
      }),
    );
  });

  test("rounding keeps four digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (value) => {
        expect(Math.abs(significant(value) - value) / value).toBeLessThanOrEqual(0.0005);
      }),
    );
  });

  test("nothing measured is an error, not a figure", () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });

  test("a target is met up to itself, and where there is none nothing is said", () => {
    expect(isMet(1.2, 1.2)).toBe(true);
    expect(isMet(1.2001, 1.2)).toBe(false);
    expect(isMet(7, null)).toBeNull();
  });
});
