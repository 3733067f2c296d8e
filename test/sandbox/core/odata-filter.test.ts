import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meets, parseFilter } from "../../../sandbox/core/odata-filter.ts";

describe("a filter", () => {
  test.each([
    ["name eq 'x'", [[{ operator: "eq", field: "name", value: "x" }]]],
    ["  name  NE  'x' ", [[{ operator: "ne", field: "name", value: "x" }]]],
    ["startswith(displayName,'own')", [[{ operator: "startswith", field: "displayName", value: "own" }]]],
    ["substringof('a', name)", [[{ operator: "contains", field: "name", value: "a" }]]],
    ["contains(name, 'a')", [[{ operator: "contains", field: "name", value: "a" }]]],
    ["names/any(c:c eq 'a b')", [[{ operator: "any", field: "names", value: "a b" }]]],
    ["tags/any(name:name eq 'n')", [[{ operator: "any", field: "tags", value: "n" }]]],
    [
      "a eq '1' and b eq '2' or c eq '3'",
      [
        [
          { operator: "eq", field: "a", value: "1" },
          { operator: "eq", field: "b", value: "2" },
        ],
        [{ operator: "eq", field: "c", value: "3" }],
      ],
    ],
  ])("%s", (text, wanted) => {
    expect(parseFilter(text)).toEqual(wanted);
  });

  test.each([
    "",
    "name",
    "name eq x",
    "name eq 'x",
    "name eq 'x' and",
    "(name eq 'x')",
    "name gt 'x'",
    "c/any(a:b eq 'x')",
  ])("that it does not know is none: %s", (text) => {
    expect(parseFilter(text)).toBeUndefined();
  });

  test("any text can be asked for, quotes and words of the language too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("' and '", "''", ""), (text, end) => {
        const value = text + end;
        const filter = `name eq '${value.replaceAll("'", "''")}' and name eq 'x'`;
        expect(parseFilter(filter)?.[0]?.[0]).toEqual({ operator: "eq", field: "name", value });
      }),
    );
  });
});

test("a condition is met without regard to case, by one of several values", () => {
  const condition = (operator: "eq" | "ne" | "startswith" | "contains" | "any") => ({
    operator,
    field: "f",
    value: "Ab",
  });
  expect(meets(condition("eq"), "aB")).toBe(true);
  expect(meets(condition("eq"), undefined)).toBe(false);
  expect(meets(condition("ne"), undefined)).toBe(true);
  expect(meets(condition("any"), ["x", "AB"])).toBe(true);
  expect(meets(condition("startswith"), "abc")).toBe(true);
  expect(meets(condition("contains"), "xabc")).toBe(true);
  expect(meets(condition("contains"), "ba")).toBe(false);
});
