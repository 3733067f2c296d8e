import { describe, expect, it } from "vitest";
import { makeTags, TAG_VALUE_MAX, tagProblems } from "../../components/shared/tags.ts";
import {
  ComponentArgumentError,
  nameProblem,
  rangeProblem,
  requireValid,
} from "../../components/shared/validation.ts";
import { TAGS } from "./recording.ts";

describe("nameProblem", () => {
  it.each([
    ["vault", "kv", /2 characters; 3 to 24/],
    ["vault", "k".repeat(25), /25 characters; 3 to 24/],
    ["vault", "kv--double", /single hyphens/],
    ["vault", "1vault", /first a letter/],
    ["vault", "vault-", /single hyphens/],
    ["storageAccount", "st-dash", /a-z and 0-9/],
    ["storageAccount", "STUPPER", /a-z and 0-9/],
    ["secret", "AZURE_OPENAI_API_KEY", /no underscore/],
    ["customSubdomain", "Upper", /a-z, 0-9/],
    ["resourceGroup", "ends.", /not made of/],
  ] as const)("refuses the %s name %s", (kind, name, message) => {
    expect(nameProblem(kind, "field", name)).toMatchObject({
      field: "field",
      message: expect.stringMatching(message),
    });
  });
});

describe("rangeProblem", () => {
  it.each([[7], [90]])("takes the bound %i", (value) => {
    expect(rangeProblem("days", value, 7, 90, "days")).toBeUndefined();
  });

  it.each([[6], [91], [7.5], [Number.NaN]])("refuses %d", (value) => {
    expect(rangeProblem("days", value, 7, 90, "days")?.message).toContain("from 7 to 90");
  });
});

describe("tags", () => {
  it("hold the five and nothing else", () => {
    const more = { ...TAGS, extra: "x" };
    expect(makeTags(more)).toEqual(TAGS);
  });

  it("must each have a value of bearable length", () => {
    expect(tagProblems(TAGS)).toEqual([]);
    const { owner: _, ...without } = TAGS;
    const wrong = { ...without, env: "  ", repo: "r".repeat(TAG_VALUE_MAX + 1) };
    expect(tagProblems(wrong).map((problem) => problem.field)).toEqual([
      "tags.env",
      "tags.repo",
      "tags.owner",
    ]);
  });
});

describe("requireValid", () => {
  it("names the component and every field in one error", () => {
    const run = () =>
      requireValid("Thing", [{ field: "a", message: "is bad" }, undefined, { field: "b", message: "too" }]);
    expect(run).toThrow(ComponentArgumentError);
    expect(run).toThrow("Thing: a is bad; b too");
  });

  it("lets a clean one pass", () => {
    expect(() => requireValid("Thing", [undefined])).not.toThrow();
  });
});
