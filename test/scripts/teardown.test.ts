import { describe, expect, it } from "vitest";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { emptyState, type State } from "../../scripts/lib/state.ts";
import { tearDown } from "../../scripts/lib/teardown.ts";
import { pages, refusal, stepEvent, testContext, testSession } from "./support.ts";

const { resolved, owner } = testSession("prod");
const { names, ids } = resolved;

interface World {
  readonly deletedAccounts?: readonly object[];
  readonly deletedVaults?: readonly object[];
  /** Tags of the group, where there is still one. */
  readonly group?: Record<string, string>;
  /** What is in the group. */
  readonly inGroup?: readonly object[] | Error;
  readonly groupFails?: Error;
}

/** A session in a cloud that a test makes up, with all that was done there. */
function world(cloud: World) {
  const done: string[] = [];
  const { inGroup = [] } = cloud;
  const clients = {
    cognitive: async () => ({
      deletedAccounts: {
        list: () => pages(cloud.deletedAccounts ?? []),
        beginPurgeAndWait: async (...what: string[]) => void done.push(`purge ${what.join(" ")}`),
      },
    }),
    keyVault: async () => ({
      vaults: {
        listDeleted: () => pages(cloud.deletedVaults ?? []),
        purgeDeleted: async (...what: string[]) => void done.push(`purge ${what.join(" ")}`),
      },
    }),
    resources: async () => ({
      resources: {
        listByResourceGroup: () => {
          if (inGroup instanceof Error) throw inGroup;
          return pages(inGroup);
        },
      },
      resourceGroups: {
        get: async () => {
          if (cloud.groupFails !== undefined) throw cloud.groupFails;
          if (cloud.group === undefined) throw refusal(404);
          return { tags: cloud.group };
        },
      },
    }),
  };
  const handle = (state: Partial<State>): StackHandle => {
    const step = { op: "delete", type: "azure-native:resources:ResourceGroup", name: "foundry" };
    const stack = {
      destroy: async ({ onEvent }: { onEvent: (event: object) => void }) => {
        done.push("destroy");
        onEvent(stepEvent("resourcePreEvent", step));
        onEvent(stepEvent("resOutputsEvent", step));
        onEvent({ summaryEvent: { resourceChanges: { delete: 1 } } });
      },
    };
    const fake = {
      state: { ...emptyState, ...state },
      stack: async () => stack,
      pin: (location: string | undefined) => void done.push(`pin ${location ?? "nothing"}`),
      run: async (args: readonly string[]) => void done.push(args.join(" ")),
    };
    return fake as unknown as StackHandle;
  };
  return { session: testSession("prod", { clients }), done, handle };
}

const group = { urn: "g", type: "azure-native:resources:ResourceGroup", id: ids.resourceGroup };
const account = {
  name: owner.accountName,
  location: "eastus",
  id: `/subscriptions/s/resourceGroups/${names.resourceGroup}/deletedAccounts/a`,
  tags: owner.tags,
};
const keptVault = {
  name: owner.vaultName,
  properties: {
    location: "eastus",
    vaultId: ids.vault,
    tags: owner.tags,
    purgeProtectionEnabled: true,
    scheduledPurgeDate: new Date("2026-12-01T00:00:00Z"),
  },
};

describe("taking down", () => {
  it("what is on record destroys it, forgets the stack, purges what is ours, and leaves nothing", async () => {
    const { session, done, handle } = world({ deletedAccounts: [account] });
    const context = testContext();
    const receipt = await tearDown(context, session, handle({ resources: [group] }));
    expect(done).toEqual([
      "destroy",
      "stack rm --yes --preserve-config",
      "pin nothing",
      `purge eastus ${names.resourceGroup} ${owner.accountName}`,
    ]);
    expect(receipt.record.changes).toMatchObject({ delete: 1, create: 0 });
    expect(receipt.purged).toMatchObject([{ kind: "account", name: owner.accountName }]);
    expect(receipt.remaining).toEqual([]);
    expect(context.out.said).toEqual([
      expect.stringMatching(/✓ deleted ResourceGroup foundry/),
      `  purging the deleted account ${owner.accountName} (eastus)`,
    ]);
  });

  it("a stack of nothing only forgets it", async () => {
    const { session, done, handle } = world({});
    await tearDown(testContext(), session, handle({}));
    expect(done).toEqual(["stack rm --yes --preserve-config --force", "pin nothing"]);
  });

  it("what is not on record looks for deleted namesakes all the same, and leaves those of others", async () => {
    const foreign = { ...account, tags: { ...owner.tags, repo: "someone/else" } };
    const { session, done } = world({ deletedAccounts: [foreign] });
    const receipt = await tearDown(testContext(), session, undefined);
    expect(done).toEqual([]);
    expect(receipt).toMatchObject({
      purged: [],
      remaining: [
        {
          what: "soft-deleted account",
          name: owner.accountName,
          why: "it has the name but not the tags of this environment",
        },
      ],
    });
  });

  it("prod's vault, which nobody may purge, is told of with the day the cloud removes it", async () => {
    const { session, done } = world({ deletedVaults: [keptVault] });
    const { remaining } = await tearDown(testContext(), session, undefined);
    expect(done).toEqual([]);
    expect(remaining).toEqual([
      {
        what: "soft-deleted vault",
        name: owner.vaultName,
        why: "purge protection holds it; the next `kiln up` recovers it",
        until: "2026-12-01T00:00:00.000Z",
      },
    ]);
  });
});

describe("a group that is still there is told of", () => {
  it.each([
    ["ours", owner.tags, /not on record/],
    ["someone else's", { env: "prod" }, /left alone/],
  ])("as %s", async (_, tags, why) => {
    const { session } = world({ group: tags });
    const { remaining } = await tearDown(testContext(), session, undefined);
    expect(remaining).toEqual([
      { what: "resource group", name: names.resourceGroup, why: expect.stringMatching(why) },
    ]);
  });

  it("and not taken for gone when the cloud does not say", async () => {
    const { session } = world({ groupFails: refusal(503) });
    await expect(tearDown(testContext(), session, undefined)).rejects.toThrow("status 503");
  });
});

describe("what others put into the group", () => {
  const site = {
    id: `${ids.resourceGroup}/providers/Microsoft.Web/sites/x`,
    type: "Microsoft.Web/sites",
    name: "x",
  };

  it("stops a teardown before anything is deleted", async () => {
    const { session, done, handle } = world({ inGroup: [site, { ...site, name: "y", id: `${site.id}y` }] });
    await expect(tearDown(testContext(), session, handle({ resources: [group] }))).rejects.toMatchObject({
      code: "ForeignResources",
      cause: "Deleting the group would delete them too: Microsoft.Web/sites x, Microsoft.Web/sites y.",
      next: expect.stringContaining("Nothing was deleted."),
      exitCode: 1,
    });
    expect(done).toEqual([]);
  });

  it.each([
    ["what is on record, whatever the letter case", { ...site, id: site.id.toUpperCase() }],
    ["what has this environment's tags", { ...site, id: "/other", tags: { ...owner.tags, more: "1" } }],
    [
      "what Azure makes on its own",
      { id: "/a", type: "microsoft.insights/actionGroups", name: "Smart Detection" },
    ],
  ])("is not %s", async (_, item) => {
    const { session, done, handle } = world({ inGroup: [item] });
    const recorded = { urn: "x", type: "azure-native:web:WebApp", id: site.id };
    await tearDown(testContext(), session, handle({ resources: [group, recorded] }));
    expect(done).toContain("destroy");
  });

  it("does not matter when the group is not on record, and is not going to be deleted", async () => {
    const { session, done, handle } = world({ inGroup: [site] });
    await tearDown(testContext(), session, handle({ resources: [{ ...group, id: "/other" }] }));
    expect(done).toContain("destroy");
  });

  it("is nothing when the group is gone already; any other refusal stops the teardown", async () => {
    const gone = world({ inGroup: refusal(404) });
    await tearDown(testContext(), gone.session, gone.handle({ resources: [group] }));
    expect(gone.done).toContain("destroy");
    const refused = world({ inGroup: refusal(403) });
    await expect(
      tearDown(testContext(), refused.session, refused.handle({ resources: [group] })),
    ).rejects.toMatchObject({ code: "AuthorizationFailed" });
    expect(refused.done).toEqual([]);
  });
});
