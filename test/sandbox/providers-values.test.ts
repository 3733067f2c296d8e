import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeMap,
  encodeMap,
  hasSecret,
  hasUnknown,
  keepSecrets,
  plainMap,
  redact,
  Secret,
  secretTexts,
  unknown,
  type Value,
  type ValueMap,
} from "../../sandbox/providers/values.ts";

const marker = "4dabf18193072939515e22adb298388d";

const { value: values } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constant(unknown),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string({ minLength: 1 }), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    tie("value").map((value) => new Secret(value)),
  ),
}));
const maps = fc.dictionary(fc.string({ minLength: 1 }), values, { maxKeys: 4, noNullPrototype: true });

test("what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(maps, (map) => {
      expect(decodeMap(encodeMap(map))).toEqual(map);
    }),
  );
});

test("plain values hold no secret", () => {
  fc.assert(
    fc.property(maps, (map) => {
      expect(hasSecret(plainMap(map))).toBe(false);
    }),
  );
});

test("a path that was secret in the inputs is secret in like outputs", () => {
  fc.assert(
    fc.property(maps, (inputs) => {
      const outputs = keepSecrets(plainMap(inputs), inputs);
      expect(secretTexts(outputs)).toEqual(expect.arrayContaining(secretTexts(inputs)));
    }),
  );
});

describe("decoding", () => {
  test("reads output values, resource references and typed unknowns", () => {
    const output = (more: object) => ({ [marker]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...more });
    const decoded = decodeMap({
      known: output({ value: 1 }),
      hidden: output({ value: "x", secret: true }),
      missing: output({}),
      resource: { [marker]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn", id: "the-id" },
      component: { [marker]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn" },
      number: "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
      none: null,
    });
    expect(decoded).toEqual({
      known: 1,
      hidden: new Secret("x"),
      missing: unknown,
      resource: "the-id",
      component: "urn",
      number: unknown,
    });
    expect(hasUnknown(decoded)).toBe(true);
  });

  test("a secret in a secret is one secret", () => {
    const nested = { [marker]: "1b47061264138c4ac30d75fd1eb44270", value: "x" };
    expect(decodeMap({ a: { ...nested, value: nested } })).toEqual({ a: new Secret("x") });
  });
});

describe("keeping secrets", () => {
  const cases: [string, ValueMap, ValueMap, ValueMap][] = [
    [
      "a list that comes back as a map",
      { ids: [new Secret("one-id"), "b"] },
      { ids: { "one-id": {} } },
      { ids: new Secret({ "one-id": {} }) },
    ],
    [
      "a value that shows up elsewhere",
      { a: new Secret("long-enough") },
      { b: { c: ["long-enough"] } },
      { b: { c: [new Secret("long-enough")] } },
    ],
    ["a short value elsewhere is left", { a: new Secret("true") }, { b: "true" }, { b: "true" }],
    [
      "what the service does not show leaves nothing",
      { p: { value: new Secret("long-enough") } },
      { p: { uri: "u" } },
      { p: { uri: "u" } },
    ],
  ];
  test.each(cases)("%s", (_, inputs, outputs, expected) => {
    expect(keepSecrets(outputs, inputs)).toEqual(expected);
  });
});

test("redaction takes the longest secret first and leaves trifles", () => {
  expect(redact("abcdefgh abcd abc", ["abcd", "abcdefgh", "abc"])).toBe("[secret] [secret] abc");
});
