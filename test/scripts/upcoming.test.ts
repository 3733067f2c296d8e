import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partsToCome, removalsToCome } from "../../scripts/lib/upcoming.ts";

const part = (type: string, name: string) => ({ type: `kiln:azure:${type}`, urn: `urn:${type}::${name}` });
const account = part("OpenAiAccount", "openai");
const vault = part("KeyVault", "vault");
const names = (list: readonly { urn: string }[]) => list.map(({ urn }) => urn);

describe("what comes next in an up", () => {
  it("is nothing before the program has said what it consists of", () => {
    expect(partsToCome({ resources: [] }).next).toEqual([]);
  });

  it("is each component until the first of its resources begins", () => {
    const upcoming = partsToCome({ resources: [] });
    upcoming.begin({ ...account, new: { parent: "urn:stack" } });
    upcoming.begin({ ...vault, new: { parent: "urn:stack" } });
    expect(upcoming.next).toEqual([account, vault]);
    upcoming.begin({ type: "azure-native:keyvault:Vault", urn: "urn:v", new: { parent: vault.urn } });
    expect(upcoming.next).toEqual([account]);
    upcoming.begin({
      type: "azure-native:cognitiveservices:Account",
      urn: "urn:a",
      new: { parent: account.urn },
    });
    expect(upcoming.next).toEqual([]);
  });

  it("is no component of which something is on record: it may have nothing to do", () => {
    const resources = [{ type: "azure-native:keyvault:Vault", urn: "urn:v", parent: vault.urn }];
    const upcoming = partsToCome({ resources });
    upcoming.begin(vault);
    upcoming.begin(account);
    expect(upcoming.next).toEqual([account]);
  });

  it("is no resource of the cloud: whether it changes is not known before its step begins", () => {
    const upcoming = partsToCome({ resources: [] });
    upcoming.begin({
      type: "azure-native:resources:ResourceGroup",
      urn: "urn:g",
      new: { parent: "urn:stack" },
    });
    upcoming.begin({ type: "pulumi:pulumi:Stack", urn: "urn:stack" });
    expect(upcoming.next).toEqual([]);
  });

  it("is the inner component, where one is made of others", () => {
    const upcoming = partsToCome({ resources: [] });
    upcoming.begin(account);
    upcoming.begin({ ...vault, new: { parent: account.urn } });
    expect(upcoming.next).toEqual([vault]);
  });

  it("is not named again when the engine comes to the component a second time", () => {
    const upcoming = partsToCome({ resources: [] });
    upcoming.begin(account);
    upcoming.begin({ type: "azure-native:web:WebApp", urn: "urn:a", new: { parent: account.urn } });
    upcoming.begin(account);
    expect(upcoming.next).toEqual([]);
  });
});

describe("what comes next in a down", () => {
  it("is what is on record, from the last made to the first, less what has begun", () => {
    const urns = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(urns, fc.func(fc.boolean()), (all, hasBegun) => {
        const resources = all.map((urn) => ({ urn, type: "t" }));
        const upcoming = removalsToCome({ resources });
        for (const each of resources) if (hasBegun(each.urn)) upcoming.begin(each);
        expect(names(upcoming.next)).toEqual([...all].reverse().filter((urn) => !hasBegun(urn)));
      }),
    );
  });
});
