import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findType } from "../../sandbox/providers/catalogue.ts";
import { adoptLive, carryDrift, diffInputs, replaceRule } from "../../sandbox/providers/diff.ts";
import { Secret, unknown, type ValueMap } from "../../sandbox/providers/values.ts";

function diffOf(token: string, olds: ValueMap, news: ValueMap): Record<string, string> {
  const type = findType(`azure-native:${token}`);
  if (type === undefined) throw new Error(token);
  const changes = diffInputs(olds, news, replaceRule(type));
  return Object.fromEntries(
    changes.map((each) => [each.path, `${each.change}${each.replace ? " replace" : ""}`]),
  );
}

const json = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => !key.startsWith("__")),
  fc.jsonValue({ maxDepth: 3 }).map((value) => value as ValueMap),
  { maxKeys: 4, noNullPrototype: true },
);

test("nothing differs from itself", () => {
  fc.assert(
    fc.property(json, (map) => {
      expect(diffInputs(map, map, () => false)).toEqual([]);
    }),
  );
});

test("without drift a refresh leaves the inputs alone", () => {
  fc.assert(
    fc.property(json, json, (inputs, outputs) => {
      expect(carryDrift(inputs, outputs, outputs)).toEqual(inputs);
    }),
  );
});

describe("changes", () => {
  const cases: [string, string, ValueMap, ValueMap, Record<string, string>][] = [
    [
      "the spelling of a location",
      "resources:ResourceGroup",
      { location: "East US" },
      { location: "eastus" },
      {},
    ],
    [
      "another location",
      "resources:ResourceGroup",
      { location: "eastus" },
      { location: "westus" },
      { location: "update replace" },
    ],
    [
      "a tag with dots",
      "resources:ResourceGroup",
      { tags: { "a.b": "1" } },
      { tags: { "a.b": "2", c: "3" } },
      { 'tags["a.b"]': "update", "tags.c": "add" },
    ],
    ["a name", "web:WebApp", { name: "a" }, { name: "b" }, { name: "update replace" }],
    ["a name not known yet", "web:WebApp", { name: "a" }, { name: unknown }, { name: "update replace" }],
    [
      "a tag not known yet",
      "web:WebApp",
      { tags: { a: unknown } },
      { tags: { a: unknown } },
      { "tags.a": "update" },
    ],
    [
      "a vault's tenant",
      "keyvault:Vault",
      { properties: { tenantId: "a" } },
      { properties: { tenantId: "b" } },
      { "properties.tenantId": "update replace" },
    ],
    [
      "a subdomain that comes",
      "cognitiveservices:Account",
      { properties: {} },
      { properties: { customSubDomainName: "a" } },
      { "properties.customSubDomainName": "add" },
    ],
    [
      "a subdomain that changes",
      "cognitiveservices:Account",
      { properties: { customSubDomainName: "b" } },
      { properties: { customSubDomainName: "a" } },
      { "properties.customSubDomainName": "update replace" },
    ],
    [
      "a subdomain that goes",
      "cognitiveservices:Account",
      { properties: { customSubDomainName: "b" } },
      { properties: {} },
      { "properties.customSubDomainName": "delete replace" },
    ],
    [
      "properties that go as a whole",
      "cognitiveservices:Deployment",
      { properties: { a: 1 }, sku: { capacity: 1 } },
      { sku: { capacity: 2 } },
      { properties: "delete", "sku.capacity": "update" },
    ],
    [
      "the order and case of identities",
      "web:WebApp",
      { identity: { userAssignedIdentities: ["/a", "/B"] } },
      { identity: { userAssignedIdentities: ["/b", "/a"] } },
      {},
    ],
    [
      "one identity less",
      "web:WebApp",
      { identity: { userAssignedIdentities: ["/a", "/b"] } },
      { identity: { userAssignedIdentities: ["/a"] } },
      { "identity.userAssignedIdentities[1]": "delete" },
    ],
    [
      "a secret mark",
      "web:WebAppApplicationSettings",
      { properties: { a: "1" } },
      { properties: { a: new Secret("1") } },
      {},
    ],
    [
      "a secret that changed",
      "web:WebAppApplicationSettings",
      { properties: new Secret({ a: "1" }) },
      { properties: new Secret({ a: "2" }) },
      { "properties.a": "update" },
    ],
    [
      "what a role assignment is about",
      "authorization:RoleAssignment",
      { principalId: "a", description: "x" },
      { principalId: "b", description: "y" },
      { principalId: "update replace", description: "update" },
    ],
    ["the provider's own flag", "web:WebApp", { __createBeforeDelete: true }, {}, {}],
  ];
  test.each(cases)("%s", (_, token, olds, news, expected) => {
    expect(diffOf(token, olds, news)).toEqual(expected);
  });
});

test("an input that says what is so already changes nothing", () => {
  const live = { kind: "x", properties: { disableLocalAuth: false, list: [1] } };
  const news = { kind: "x", properties: { disableLocalAuth: false, list: [1], more: 1 } };
  expect(diffInputs({ properties: {} }, news, () => true, live)).toEqual([
    { path: "properties.more", change: "add", replace: true },
  ]);
});

test("without known outputs the live resource corrects the inputs and adds nothing", () => {
  const inputs = { tags: { a: "1" }, secret: new Secret("x"), restore: true, list: [1] };
  const live = { tags: { a: "2", filled: "in" }, secret: "x", tier: "Hot", list: [2] };
  expect(adoptLive(inputs, live)).toEqual({
    tags: { a: "2" },
    secret: new Secret("x"),
    restore: true,
    list: [2],
  });
});

describe("drift", () => {
  test("carries what changed, went or came in the cloud, not what the service had filled in", () => {
    const inputs = { tags: { a: "1", b: "2" }, sku: { name: "S0" }, secret: new Secret("x") };
    const before = {
      tags: { a: "1", b: "2" },
      sku: { name: "S0", tier: "Standard" },
      filled: 1,
      secret: "x",
    };
    const after = {
      tags: { a: "9", c: "3" },
      sku: { name: "S0", tier: "Standard" },
      filled: 1,
      secret: "y",
      more: 5,
    };
    expect(carryDrift(inputs, before, after)).toEqual({
      tags: { a: "9", c: "3" },
      sku: { name: "S0" },
      secret: new Secret("y"),
      more: 5,
    });
  });

  test("goes into lists element by element", () => {
    const inputs = { rules: [{ name: "a" }, { name: "b" }] };
    const before = {
      rules: [
        { name: "a", id: 1 },
        { name: "b", id: 2 },
      ],
    };
    const after = {
      rules: [
        { name: "a", id: 1 },
        { name: "z", id: 2 },
        { name: "c", id: 3 },
      ],
    };
    expect(carryDrift(inputs, before, after)).toEqual({
      rules: [{ name: "a" }, { name: "z" }, { name: "c", id: 3 }],
    });
  });
});
