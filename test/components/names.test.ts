import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deploymentNameFor,
  deterministicUuid,
  type FoundryNames,
  foundryNames,
  keyVaultReference,
  type NameSeed,
  nameHash,
  secretUri,
} from "../../components/shared/names.ts";
import { type NameKind, nameProblem } from "../../components/shared/validation.ts";

const workload = fc.stringMatching(/^[a-z][a-z0-9]{1,5}$/);
const environment = fc.oneof(
  fc.constantFrom("dev", "staging", "prod", "pr-1", "pr-12", "pr-112", "pr-2", "pr-11", "pr-999999"),
  fc.integer({ min: 1, max: 999_999 }).map((number) => `pr-${number}`),
);
const seed: fc.Arbitrary<NameSeed> = fc.record({ workload, environment, subscriptionId: fc.uuid() });

const kinds: Record<keyof FoundryNames, NameKind> = {
  resourceGroup: "resourceGroup",
  openaiAccount: "openaiAccount",
  customSubdomain: "customSubdomain",
  vault: "vault",
  identity: "identity",
  plan: "plan",
  functionApp: "functionApp",
  storageAccount: "storageAccount",
  logWorkspace: "logWorkspace",
  appInsights: "appInsights",
  secret: "secret",
};
const fields = Object.keys(kinds) as (keyof FoundryNames)[];

describe("foundryNames", () => {
  it("stays within each service's length and alphabet", () => {
    fc.assert(
      fc.property(seed, (each) => {
        const names = foundryNames(each);
        for (const field of fields) expect(nameProblem(kinds[field], field, names[field])).toBeUndefined();
      }),
    );
  });

  it("fits where everything is as long as it can be", () => {
    const names = foundryNames({ workload: "abcdef", environment: "pr-999999", subscriptionId: "s" });
    expect(names.vault).toHaveLength(24);
    expect(names.storageAccount).toHaveLength(24);
  });

  it("gives the same names for the same seed, whatever the letter case of the subscription", () => {
    fc.assert(
      fc.property(seed, (each) => {
        const upper = { ...each, subscriptionId: each.subscriptionId.toUpperCase() };
        expect(foundryNames(upper)).toEqual(foundryNames({ ...each }));
      }),
    );
  });

  it("never gives two environments one name", () => {
    fc.assert(
      fc.property(seed, environment, (each, other) => {
        fc.pre(each.environment !== other);
        const mine = foundryNames(each);
        const theirs = foundryNames({ ...each, environment: other });
        for (const field of fields) expect(mine[field]).not.toBe(theirs[field]);
      }),
    );
  });

  it("tells pr-1, pr-12 and pr-112 apart, exactly", () => {
    const all = ["pr-1", "pr-12", "pr-112", "pr-11", "pr-2"].map((name) =>
      foundryNames({ workload: "kiln", environment: name, subscriptionId: "s" }),
    );
    for (const field of fields) expect(new Set(all.map((names) => names[field])).size).toBe(5);
  });

  it("gives names that are unique in the world another hash in another subscription", () => {
    fc.assert(
      fc.property(seed, fc.uuid(), (each, other) => {
        fc.pre(each.subscriptionId !== other);
        expect(nameHash(each, 12)).not.toBe(nameHash({ ...each, subscriptionId: other }, 12));
      }),
    );
  });

  it("is stable: a change of these would rename every environment there is", () => {
    expect(foundryNames({ workload: "kiln", environment: "pr-12", subscriptionId: "sub" })).toEqual({
      resourceGroup: "rg-kiln-pr-12",
      openaiAccount: "oai-kiln-pr-12-ldf770",
      customSubdomain: "oai-kiln-pr-12-ldf770",
      vault: "kv-kiln-pr-12-f770",
      identity: "id-kiln-pr-12",
      plan: "plan-kiln-pr-12",
      functionApp: "func-kiln-pr-12-ldf770",
      storageAccount: "stkilnpr125aldf770",
      logWorkspace: "log-kiln-pr-12",
      appInsights: "appi-kiln-pr-12",
      secret: "AZURE-OPENAI-API-KEY--pr-12",
    });
  });
});

describe("other names", () => {
  it("make a deployment's name of a model's", () => {
    expect(deploymentNameFor("gpt-5.1")).toBe("gpt-5-1");
  });

  it("refer to a secret without a version", () => {
    expect(keyVaultReference(secretUri("kv", "S--dev"))).toBe(
      "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/S--dev)",
    );
  });

  it("are uuids of version 5 that depend on every part and on nothing else", () => {
    const parts = fc.array(fc.string(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (mine, theirs) => {
        const uuid = deterministicUuid(...mine);
        expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
        const same = JSON.stringify(mine).toLowerCase() === JSON.stringify(theirs).toLowerCase();
        expect(uuid === deterministicUuid(...theirs)).toBe(same);
      }),
    );
  });

  it("keep parts apart", () => {
    expect(deterministicUuid("ab", "c")).not.toBe(deterministicUuid("a", "bc"));
  });
});
