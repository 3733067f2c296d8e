import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  block,
  common,
  contains,
  count,
  PUBLIC,
  parseAddress,
  parseBlock,
  type Range,
  without,
} from "../../../policies/network/addresses.ts";

/** Ranges over 64 numbers, which can be counted one by one. */
const range: fc.Arbitrary<Range> = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 63n }),
    fc.bigInt({ min: 0n, max: 63n }),
    fc.constantFrom(4 as const, 6 as const),
  )
  .map(([a, b, version]) => ({ version, low: a < b ? a : b, high: a < b ? b : a }));
const ranges = fc.array(range, { maxLength: 5 });
const members = (list: readonly Range[], version: 4 | 6) =>
  new Set(
    Array.from({ length: 64 }, (_, index) => BigInt(index)).filter((each) =>
      list.some(({ version: of, low, high }) => of === version && low <= each && each <= high),
    ),
  );

describe("sets of addresses", () => {
  it("are counted, cut and joined as sets are", () => {
    fc.assert(
      fc.property(ranges, ranges, (one, other) => {
        for (const version of [4, 6] as const) {
          const [a, b] = [members(one, version), members(other, version)];
          expect(count(one, version)).toBe(BigInt(a.size));
          expect(members(without(one, other), version)).toEqual(
            new Set([...a].filter((each) => !b.has(each))),
          );
          expect(members(common(one, other), version)).toEqual(new Set([...a].filter((each) => b.has(each))));
        }
      }),
    );
  });

  it("are read from blocks, host bits ignored", () => {
    expect(parseBlock("10.1.2.3/8")).toEqual({ version: 4, low: 10n << 24n, high: (11n << 24n) - 1n });
    expect(parseBlock("0.0.0.0/0")).toEqual({ version: 4, low: 0n, high: (1n << 32n) - 1n });
    expect(parseBlock("::/0")).toEqual({ version: 6, low: 0n, high: (1n << 128n) - 1n });
    expect(parseAddress("fd00:ec2::254")?.value).toBe(parseAddress("fd00:0ec2:0:0:0:0:0:0254")?.value);
    expect(parseAddress("::ffff:10.0.0.1")?.value).toBe((0xffffn << 32n) + (10n << 24n) + 1n);
    for (const bad of [
      "",
      "10.0.0.0",
      "10.0.0.256/8",
      "10.0.0.0/33",
      "::/129",
      "1:2:3/16",
      "a::b::c/64",
      "x/8",
      "1.2.3/8",
    ])
      expect(parseBlock(bad), bad).toBeUndefined();
    expect(() => block("nothing")).toThrow("no block");
  });

  it("tell the internet from what is nowhere on it", () => {
    for (const address of ["1.1.1.1", "20.42.0.1", "168.63.129.16", "2606:4700::1"])
      expect(contains(PUBLIC, address), address).toBe(true);
    for (const address of [
      "10.1.1.1",
      "172.30.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "127.0.0.1",
      "fd00::1",
    ])
      expect(contains(PUBLIC, address), address).toBe(false);
  });
});
