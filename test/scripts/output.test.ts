import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOutput, duration, table, troubleText } from "../../scripts/lib/output.ts";
import { testStream } from "./support.ts";

describe("durations", () => {
  it.each([
    [0, "0 ms"],
    [849.6, "850 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [4230, "4.2 s"],
    [59_900, "59.9 s"],
    [60_000, "1 min 00 s"],
    [185_400, "3 min 05 s"],
    [3_600_000, "1 h 00 min"],
    [18_725_000, "5 h 12 min"],
    [172_740_000, "47 h 59 min"],
    [172_800_000, "2 days"],
    [1_100_000_000, "12 days"],
  ])("%d ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it("never shows as many of a unit as make one of the next", () => {
    const nearly = fc.tuple(fc.constantFrom(1000, 60_000, 3_600_000), fc.integer({ min: -600, max: 600 }));
    const any = fc.oneof(
      fc.integer({ min: 0, max: 7_200_000 }),
      nearly.map(([edge, off]) => edge + off / 2),
    );
    fc.assert(
      fc.property(any, (ms) => {
        const text = duration(ms);
        for (const [unit, most] of [
          ["ms", 1000],
          ["s", 60],
          ["min", 60],
        ] as const) {
          const [, count] = new RegExp(`([0-9.]+) ${unit}\\b`).exec(text) ?? [];
          if (count !== undefined) expect(Number(count)).toBeLessThan(most);
        }
      }),
    );
  });

  it("is right to the second below an hour", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 3_599_499 }), (ms) => {
        const [, minutes, seconds] = /^(\d+) min (\d\d) s$/.exec(duration(ms)) ?? [];
        expect(Number(minutes) * 60 + Number(seconds)).toBe(Math.round(ms / 1000));
      }),
    );
  });
});

describe("tables", () => {
  it("align every column but the last, and end no line with a blank", () => {
    expect(
      table([
        ["took", "4.2 s"],
        ["changes", "2 create", "more"],
        ["empty", ""],
      ]),
    ).toBe("  took     4.2 s\n  changes  2 create  more\n  empty");
  });

  it("take another indent, and no rows", () => {
    expect(table([["a", "b"]], "")).toBe("a  b");
    expect(table([])).toBe("");
  });
});

describe("a failure as text", () => {
  it("has what, why, what next and the code, each further line under the first", () => {
    const text = troubleText({
      code: "InsufficientQuota",
      message: "no room",
      cause: "eastus is full\nwestus is full",
      next: "ask for more\nor wait",
    });
    expect(stripVTControlCharacters(text)).toBe(
      [
        "error: no room",
        "  why:  eastus is full",
        "        westus is full",
        "  next: ask for more",
        "        or wait",
        "  code: InsufficientQuota",
      ].join("\n"),
    );
  });
});

describe("an output", () => {
  it("for people writes lines on stdout, warnings on stderr, and no document", () => {
    const [stdout, stderr] = [testStream(), testStream()];
    const out = createOutput(false, stdout.stream, stderr.stream);
    out.say("hello");
    out.say();
    out.warn("careful");
    out.document({ result: "succeeded" });
    expect(stdout.take()).toBe("hello\n\n");
    expect(stderr.take()).toBe("! careful\n");
    expect(out).toMatchObject({ json: false, live: false });
  });

  it("for programs writes one document on stdout, and nothing else anywhere", () => {
    const [stdout, stderr] = [testStream({ columns: 80, rows: 24 }), testStream()];
    const out = createOutput(true, stdout.stream, stderr.stream);
    out.say("hello");
    out.warn("careful");
    out.document({ result: "succeeded" });
    expect(stdout.take()).toBe('{\n  "result": "succeeded"\n}\n');
    expect(stderr.take()).toBe("");
    expect(out).toMatchObject({ json: true, live: false });
  });

  it("is live in a terminal only", () => {
    const terminal = testStream({ columns: 80, rows: 24 });
    expect(createOutput(false, terminal.stream, terminal.stream).live).toBe(true);
  });
});
