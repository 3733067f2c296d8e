import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { card, changesText } from "../../scripts/lib/card.ts";

const none = { create: 0, update: 0, delete: 0, replace: 0, same: 0 };

describe("changes in words", () => {
  it.each([
    [{ ...none, same: 28 }, "none (28 unchanged)"],
    [none, "none (0 unchanged)"],
    [{ ...none, create: 28 }, "28 create"],
    [
      { create: 1, update: 2, delete: 3, replace: 4, same: 5 },
      "1 create, 2 update, 3 delete, 4 replace, 5 same",
    ],
    [{ ...none, update: 1, same: 27 }, "1 update, 27 same"],
  ])("%j is %s", (changes, text) => {
    expect(changesText(changes)).toBe(text);
  });
});

describe("the card", () => {
  const result = { verb: "up", env: "dev", cloud: "sandbox", result: "succeeded", durationMs: 4200 } as const;

  it("tells what happened, what it gave, what the policies said, and how long it took", () => {
    const text = card({
      ...result,
      changes: { ...none, create: 2 },
      outputs: { location: "eastus", count: 3 },
      violations: [{ policy: "tags", level: "advisory", resource: "urn", message: "owner is missing" }],
    });
    expect(stripVTControlCharacters(text)).toBe(
      [
        "",
        "✓ up dev succeeded",
        "  changes            2 create",
        "  location           eastus",
        "  count              3",
        "  policy (advisory)  tags: owner is missing",
        "  took               4.2 s",
      ].join("\n"),
    );
  });

  it("leaves out what there is not", () => {
    expect(stripVTControlCharacters(card({ ...result, verb: "down" }))).toBe(
      "\n✓ down dev succeeded\n  took  4.2 s",
    );
  });
});
