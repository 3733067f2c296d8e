import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CloudClients } from "../../scripts/lib/clients.ts";
import {
  findSoftDeleted,
  type Ownership,
  planSoftDeleted,
  purge,
  type SoftDeleted,
} from "../../scripts/lib/soft-deleted.ts";
import { pages } from "./support.ts";

const owner: Ownership = {
  accountName: "oai-kiln-dev",
  vaultName: "kv-kiln-dev",
  tags: { env: "dev", repo: "org/kiln", service: "foundry" },
};
const account: SoftDeleted = {
  kind: "account",
  name: "oai-kiln-dev",
  location: "eastus",
  resourceGroup: "rg-kiln-dev",
  tags: { ...owner.tags, managedBy: "pulumi" },
  purgedAt: "2026-11-23T00:00:00Z",
  protected: false,
};
const vault: SoftDeleted = { ...account, kind: "vault", name: "kv-kiln-dev" };
const purposes = ["before-up", "after-down"] as const;

const anything: fc.Arbitrary<SoftDeleted> = fc.record({
  kind: fc.constantFrom("account", "vault"),
  name: fc.constantFrom("oai-kiln-dev", "OAI-Kiln-Dev", "kv-kiln-dev", "oai-kiln-dev2", "oai-kiln-de", ""),
  location: fc.constantFrom("eastus", "westus"),
  resourceGroup: fc.constantFrom("rg-kiln-dev", "rg-other"),
  tags: fc.record({
    env: fc.constantFrom("dev", "Dev", "pr-1", ""),
    repo: fc.constantFrom("org/kiln", "org/other"),
    service: fc.constantFrom("foundry", "other"),
    more: fc.string(),
  }),
  purgedAt: fc.constant(undefined),
  protected: fc.boolean(),
});

describe("what is done about deleted namesakes", () => {
  it("ours is purged, before an up and after a down", () => {
    for (const purpose of purposes)
      expect(planSoftDeleted([account, vault], owner, purpose)).toEqual([
        { do: "purge", what: account },
        { do: "purge", what: vault },
      ]);
  });

  it("ours that nobody may purge is recovered by an up, and told of by a down", () => {
    const kept = { ...vault, protected: true };
    expect(planSoftDeleted([kept], owner, "before-up")).toEqual([{ do: "recover", what: kept }]);
    expect(planSoftDeleted([kept], owner, "after-down")).toEqual([
      { do: "leave", what: kept, why: "purge protection holds it; the next `kiln up` recovers it" },
    ]);
  });

  it("nothing is touched that is not ours in name and in every tag, and nothing goes untold", () => {
    fc.assert(
      fc.property(fc.array(anything), fc.constantFrom(...purposes), (found, purpose) => {
        const steps = planSoftDeleted(found, owner, purpose);
        expect(steps.map(({ what }) => what)).toEqual(found);
        for (const step of steps) {
          const { kind, name, tags } = step.what;
          const wanted = kind === "account" ? "oai-kiln-dev" : "kv-kiln-dev";
          const ours =
            name.toLowerCase() === wanted &&
            tags.env === "dev" &&
            tags.repo === "org/kiln" &&
            tags.service === "foundry";
          if (!ours) expect(step.do).toBe("leave");
          else if (!step.what.protected) expect(step.do).toBe("purge");
          else expect(step.do).toBe(purpose === "before-up" ? "recover" : "leave");
        }
      }),
    );
  });

  it("a tag that is missing is not ours", () => {
    for (const missing of ["env", "repo", "service"]) {
      const tags = Object.fromEntries(Object.entries(account.tags).filter(([name]) => name !== missing));
      expect(planSoftDeleted([{ ...account, tags }], owner, "after-down")).toMatchObject([{ do: "leave" }]);
    }
  });
});

/** Clients that list these, and keep what they are asked to purge. */
function clients(accounts: readonly object[], vaults: readonly object[], refusal?: object) {
  const purged: unknown[][] = [];
  const take = async (...args: unknown[]) => {
    purged.push(args);
    if (refusal !== undefined) throw Object.assign(new Error("refused"), refusal);
  };
  const fake = {
    cognitive: async () => ({ deletedAccounts: { list: () => pages(accounts), beginPurgeAndWait: take } }),
    keyVault: async () => ({ vaults: { listDeleted: () => pages(vaults), purgeDeleted: take } }),
  };
  return { fake: fake as unknown as CloudClients, purged };
}

describe("finding them", () => {
  it("takes exactly the two names, whatever their letter case, and what the cloud says of them", async () => {
    const { fake } = clients(
      [
        {
          name: "OAI-kiln-dev",
          location: "eastus",
          id: "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/eastus/resourceGroups/rg-kiln-dev/deletedAccounts/x",
          tags: owner.tags,
          properties: { scheduledPurgeDate: "2026-11-23" },
        },
        { name: "oai-kiln-dev-other", location: "eastus" },
        {},
      ],
      [
        { name: "kv-other" },
        {
          name: "kv-kiln-dev",
          properties: {
            location: "westus",
            vaultId:
              "/subscriptions/s/resourceGroups/rg-kiln-dev/providers/Microsoft.KeyVault/vaults/kv-kiln-dev",
            tags: { env: "dev" },
            scheduledPurgeDate: new Date("2026-12-01T00:00:00Z"),
            purgeProtectionEnabled: true,
          },
        },
      ],
    );
    expect(await findSoftDeleted(fake, owner)).toEqual([
      {
        kind: "account",
        name: "OAI-kiln-dev",
        location: "eastus",
        resourceGroup: "rg-kiln-dev",
        tags: owner.tags,
        purgedAt: "2026-11-23",
        protected: false,
      },
      {
        kind: "vault",
        name: "kv-kiln-dev",
        location: "westus",
        resourceGroup: "rg-kiln-dev",
        tags: { env: "dev" },
        purgedAt: "2026-12-01T00:00:00.000Z",
        protected: true,
      },
    ]);
  });

  it("what the cloud leaves out is nobody's", async () => {
    const { fake } = clients([{ name: "oai-kiln-dev" }], [{ name: "kv-kiln-dev" }]);
    const found = await findSoftDeleted(fake, owner);
    expect(found).toMatchObject([
      { location: "", resourceGroup: "", tags: {}, protected: false },
      { location: "", resourceGroup: "", tags: {}, protected: false },
    ]);
    expect(planSoftDeleted(found, owner, "before-up").map((step) => step.do)).toEqual(["leave", "leave"]);
  });
});

describe("purging", () => {
  it("goes to the location, group and name on record", async () => {
    const { fake, purged } = clients([], []);
    await purge(fake, { ...account, location: "westus" });
    await purge(fake, vault);
    expect(purged).toEqual([
      ["westus", "rg-kiln-dev", "oai-kiln-dev"],
      ["kv-kiln-dev", "eastus"],
    ]);
  });

  it("of what is gone already is done", async () => {
    const { fake } = clients([], [], { statusCode: 404 });
    await expect(purge(fake, account)).resolves.toBeUndefined();
  });

  it("that is refused says so, with the cloud's code and words", async () => {
    const { fake } = clients([], [], { statusCode: 403, code: "AuthorizationFailed" });
    await expect(purge(fake, vault)).rejects.toMatchObject({
      code: "AuthorizationFailed",
      message: "the deleted vault kv-kiln-dev could not be purged",
      cause: "refused",
      exitCode: 1,
    });
    const { fake: uncoded } = clients([], [], {});
    await expect(purge(uncoded, vault)).rejects.toMatchObject({ code: "PurgeFailed" });
  });
});
