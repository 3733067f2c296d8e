import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest, nearestEnvironment, parseEnvironment } from "../../stacks/environment.ts";

describe("parseEnvironment", () => {
  it.each(["dev", "staging", "prod"])("knows %s", (name) => {
    expect(parseEnvironment(name)).toEqual({ name, kind: name });
  });

  it("knows every pull request from 1 to 999999", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (number) => {
        expect(parseEnvironment(`pr-${number}`)).toEqual({ name: `pr-${number}`, kind: "pr" });
      }),
    );
  });

  it.each([
    "",
    "Dev",
    " dev",
    "dev ",
    "pr-0",
    "pr-01",
    "pr-1000000",
    "pr-",
    "pr-1.5",
    "pr12",
    "PR-1",
    "pr-1\n",
    "test",
  ])("does not take %j", (name) => {
    expect(parseEnvironment(name)).toBeUndefined();
  });
});

describe("nearestEnvironment", () => {
  it.each([
    ["production", "prod"],
    ["Dev", "dev"],
    ["stagin", "staging"],
    ["stg", "staging"],
    ["PR 12", "pr-12"],
    ["pr-007", "pr-7"],
    ["something-else", undefined],
  ])("finds for %j %j", (text, found) => {
    expect(nearestEnvironment(text)).toBe(found);
  });
});

describe("nearest", () => {
  it("keeps the letter case of the candidate and gives nothing far away", () => {
    expect(nearest("costcentre", ["costCenter", "owner"])).toBe("costCenter");
    expect(nearest("zzzzzzzz", ["costCenter", "owner"])).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});
