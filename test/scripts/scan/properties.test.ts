import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { logEncodingOf } from "../../../scripts/lib/scan/decode.ts";
import { hitsOf } from "../../../scripts/lib/scan/hits.ts";
import { lint } from "../../../scripts/lib/scan/linter.ts";
import { isPlaceholder } from "../../../scripts/lib/scan/placeholders.ts";
import { windowsOf } from "../../../scripts/lib/scan/windows.ts";
import { mints, unmistakable } from "./minted.ts";
import { all, everything, Folder, piped } from "./support.ts";

const folder = new Folder();
afterAll(() => folder[Symbol.dispose]());

/** What text there is: of one character a time, of lines, with anything in it. */
const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.lorem({ maxCount: 20 }),
  fc
    .array(fc.constantFrom("\n", "\r\n", "\t", " ", "a", "Z", "0", "=", '"', "\\n", "\u001b[31m"), {
      maxLength: 60,
    })
    .map((parts) => parts.join("")),
);
/** What may stand right beside a secret that is part of a text. */
const edge = fc.constantFrom(" ", "\n", "\r\n", "\t", '"', "'", "`", "(", ")", "<", ">", "\\n");
const minted = fc.constantFrom(...mints.values()).chain((mint) => mint);

describe("any secret in any text", () => {
  it("is found, and is in nothing that is said", async () => {
    await fc.assert(
      fc.asyncProperty(
        anything,
        edge,
        minted,
        fc.constantFrom(" ", "\n", "\r\n", '"', "'"),
        anything,
        async (before, left, mint, right, after) => {
          const text = `${before}${left}${mint.text}${right}${after}`;
          fc.pre(logEncodingOf(Buffer.from(text)) === "utf-8");
          const report = await folder.scan({ kind: "log", file: "-" }, { stdin: piped(text, 97) });
          expect(report.findings.map(({ rule }) => rule)).toContain(mint.rule);
          expect(everything(report)).not.toContain(mint.secret);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is found where nothing parts it from its surroundings, when its shape is its own", async () => {
    await fc.assert(
      fc.asyncProperty(
        anything,
        fc.constantFrom(...unmistakable.values()).chain((mint) => mint),
        anything,
        async (before, mint, after) => {
          const text = `${before}${mint.text}${after}`;
          const found = (await lint(text)).map(({ rule, start, end }) => `${rule} ${text.slice(start, end)}`);
          expect(found).toContain(`${mint.rule} ${mint.secret}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is named by its line and column", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anything, { maxLength: 5 }),
        fc.constantFrom(...unmistakable.values()).chain((mint) => mint),
        async (lines, mint) => {
          const before = `${lines.join("\n")} `;
          const hits = await all(hitsOf([`${before}${mint.text}`]));
          const line = before.split("\n").length;
          const column = before.length - before.lastIndexOf("\n");
          expect(hits.map((hit) => [hit.line, hit.column])).toContainEqual([line, column]);
        },
      ),
    );
  });
});

describe("a text in windows", () => {
  const sizes = { own: 300, before: 700, after: 700 };
  const shapes = [...mints]
    .filter(([rule]) => /^azure-(?!sas)|^npm|^pulumi|^entra/.test(rule))
    .map(([, mint]) => mint);
  const long = fc
    .array(
      fc.oneof(
        anything,
        fc
          .constantFrom(...shapes)
          .chain((mint) => mint)
          .map(({ text }) => ` ${text}\n`),
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join(" "));

  it("gives the same as a text that is whole, however it comes", async () => {
    await fc.assert(
      fc.asyncProperty(
        long,
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
        async (text, steps) => {
          const parts: string[] = [];
          for (let at = 0, step = 0; at < text.length; step++) {
            const size = steps[step % steps.length] ?? 1;
            parts.push(text.slice(at, at + size));
            at += size;
          }
          const whole = await all(hitsOf([text]));
          expect(await all(hitsOf(parts, undefined, sizes))).toEqual(whole);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is all there, each character in one window's own part", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, own) => {
          const windows = await all(windowsOf(parts, { own, before: 7, after: 11 }));
          expect(windows.map(({ text, from, to }) => text.slice(from, to)).join("")).toBe(parts.join(""));
        },
      ),
    );
  });
});

describe("what stands in a secret's place", () => {
  it("is a placeholder when it is masked, whatever is beside the mask", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => isPlaceholder(`${a}***${b}`)));
  });

  it("is none when a machine drew it", () => {
    fc.assert(fc.property(minted, ({ secret }) => !isPlaceholder(secret)));
  });
});
