import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deploy } from "../../scripts/lib/deploy.ts";
import { fullRegion, isElsewhere, reasonToStay, wasWhole } from "../../scripts/lib/fallback.ts";
import { candidates } from "../../scripts/lib/placement.ts";
import type { StackHandle } from "../../scripts/lib/stack.ts";
import { emptyState, type State } from "../../scripts/lib/state.ts";
import { diagnosticEvent, pages, testContext, testSession } from "./support.ts";

const locations = ["eastus", "westus", "northeurope"];
const session = testSession("dev", { config: { locations } });

describe("whether an environment was whole", () => {
  const entry = (kind: string, result: string) => ({ kind, result });

  it.each([
    ["nothing was ever done", [], false],
    ["no run came to its end", [entry("update", "failed"), entry("update", "failed")], false],
    ["one did, whatever failed since", [entry("update", "failed"), entry("update", "succeeded")], true],
    [
      "one did, and none has taken it down since",
      [entry("destroy", "failed"), entry("update", "succeeded")],
      true,
    ],
    ["it was taken down since", [entry("destroy", "succeeded"), entry("update", "succeeded")], false],
    ["it was only read since", [entry("refresh", "succeeded"), entry("update", "succeeded")], true],
    [
      "it was only ever read or imported",
      [entry("refresh", "succeeded"), entry("import", "succeeded")],
      false,
    ],
  ])("%s: %j", (_, history, whole) => {
    expect(wasWhole(history as never)).toBe(whole);
  });
});

describe("why an environment stays", () => {
  const vault = (enablePurgeProtection: boolean | undefined) => ({
    ...emptyState,
    resources: [
      {
        urn: "v",
        type: "azure-native:keyvault:Vault",
        inputs: { vaultName: "kv-x", properties: { enablePurgeProtection } },
      },
    ],
  });

  it("is that it was whole, or that its vault would keep its name", () => {
    const whole = [{ kind: "update", result: "succeeded" }] as never;
    expect(reasonToStay(emptyState, whole)).toMatch(/was whole/);
    expect(reasonToStay(vault(true), [])).toMatch(/^Its vault kv-x is protected/);
  });

  it("is none for what never was whole and can be purged", () => {
    expect(reasonToStay(emptyState, [])).toBeUndefined();
    expect(reasonToStay(vault(undefined), [])).toBeUndefined();
    expect(reasonToStay(vault(false), [])).toBeUndefined();
  });
});

it("a full region is told of with what the cloud said of it", () => {
  const cause = 'Why.\nCode="InsufficientQuota" Message="10 of 10 used"\nCode="Other" Message="else"';
  expect(fullRegion("eastus", { code: "InsufficientQuota", cause })).toEqual({
    location: "eastus",
    lacks: {
      code: "InsufficientQuota",
      why: "has no room after all: 10 of 10 used (InsufficientQuota)",
    },
  });
  expect(fullRegion("eastus", { code: "QuotaExceeded", cause: "" }).lacks.why).toBe(
    "has no room after all: it said no more (QuotaExceeded)",
  );
});

describe("an environment on its way to another region", () => {
  const recorded = {
    ...emptyState,
    resources: [{ urn: "g", type: "azure-native:resources:ResourceGroup", outputs: { location: "eastus" } }],
  };

  it("is one whose record is not where its configuration holds it", () => {
    expect(isElsewhere(session, recorded, "westus")).toBe(true);
    expect(isElsewhere({ ...session, wantedLocation: "westus" }, recorded, "westus")).toBe(true);
  });

  it.each([
    ["nothing is on record", emptyState, "westus", undefined],
    ["nothing holds it anywhere", recorded, undefined, undefined],
    ["it is where it is held", recorded, "eastus", undefined],
    ["it is wanted elsewhere", recorded, "westus", "northeurope"],
    ["it is held to what is not configured any more", recorded, "brazilsouth", undefined],
  ])("is none when %s", (_, state, pinned, wantedLocation) => {
    expect(isElsewhere({ ...session, wantedLocation }, state, pinned)).toBe(false);
  });
});

describe("the regions to look at", () => {
  const full = (...names: string[]) =>
    names.map((location) => fullRegion(location, { code: "QuotaExceeded", cause: "" }));

  it("are the configured ones in their order, the one it is held to first", () => {
    expect(candidates(session, {})).toEqual(locations);
    expect(candidates(session, { pinned: "westus" })).toEqual(["westus", "eastus", "northeurope"]);
  });

  it("are never one that is full, and never one that is not configured", () => {
    expect(candidates(session, { pinned: "westus", full: full("westus", "eastus") })).toEqual([
      "northeurope",
    ]);
    expect(candidates(session, { pinned: "brazilsouth" })).toEqual(locations);
    expect(candidates(session, { full: full(...locations) })).toEqual([]);
  });

  it("are the one that is wanted, or the one that it has to be, and no other", () => {
    expect(candidates({ ...session, wantedLocation: "westus" }, { pinned: "eastus" })).toEqual(["westus"]);
    expect(candidates(session, { only: { location: "northeurope", why: "w" } })).toEqual(["northeurope"]);
    expect(candidates({ ...session, wantedLocation: "westus" }, { full: full("westus") })).toEqual([]);
  });
});

type Emit = (event: object) => void;

/** Regions of which some turn out full only when something is built there, and a stack whose record goes along. */
function world(options: {
  full: readonly string[];
  history?: readonly object[];
  /** What fails in taking out. */
  destroy?: () => Promise<void>;
}) {
  const done: string[] = [];
  let resources: State["resources"] = [];
  let pin: string | undefined;
  const model = session.config.foundry.model;
  const skus = [{ name: model.sku, usageName: "usage" }];
  const clients = {
    cognitive: async () => ({
      models: { list: () => pages([{ kind: "OpenAI", model: { ...model, skus } }]) },
      usages: { list: () => pages([]) },
      deletedAccounts: {
        list: () => pages(resources.length > 0 ? [] : deleted),
        beginPurgeAndWait: async (location: string) => {
          done.push(`purge in ${location}`);
          deleted = [];
        },
      },
    }),
    keyVault: async () => ({ vaults: { listDeleted: () => pages([]) } }),
    resources: async () => ({ resources: { listByResourceGroup: () => pages([]) } }),
  };
  let deleted: object[] = [];
  const handle = {
    state: emptyState as State,
    read: async () => {
      handle.state = { ...emptyState, resources };
      return true;
    },
    history: async () => options.history ?? [],
    pin: (location: string | undefined) => {
      if (location !== pin) done.push(`pin ${location}`);
      pin = location;
    },
    get pinnedLocation() {
      return pin;
    },
    stack: async () => ({
      up: async ({ onEvent }: { onEvent: Emit }) => {
        const region = process.env.KILN_LOCATION ?? session.config.location;
        done.push(`up in ${region}`);
        const group = {
          urn: "g",
          type: "azure-native:resources:ResourceGroup",
          outputs: { location: region },
        };
        resources = [{ ...group, id: session.resolved.ids.resourceGroup }];
        if (!options.full.includes(region)) return;
        const { accountName: name } = session.owner;
        const id = `/subscriptions/s/resourceGroups/${session.resolved.names.resourceGroup}/x`;
        deleted = [{ name, id, location: region, tags: session.owner.tags }];
        onEvent(diagnosticEvent("error", `Code="InsufficientQuota" Message="${region} is full"`));
        throw new Error("code: 255");
      },
      destroy: async () => {
        await options.destroy?.();
        done.push("destroy");
        resources = [];
      },
    }),
    run: async (args: readonly string[]) => void done.push(args.join(" ")),
  };
  const context = testContext();
  const here = testSession("dev", { clients, config: { locations } });
  return {
    done,
    context,
    deploy: () => deploy(context, here, handle as unknown as StackHandle),
    pinned: () => pin,
  };
}

describe("a region that turns out full", () => {
  beforeEach(() => void vi.stubEnv("KILN_LOCATION", undefined));
  afterEach(() => void vi.unstubAllEnvs());

  it("is left without a trace, and the environment is built in the next, which holds it", async () => {
    const { done, deploy: run, context, pinned } = world({ full: ["eastus"] });
    const { left, record } = await run();
    expect(done).toEqual(["up in eastus", "pin westus", "destroy", "purge in eastus", "up in westus"]);
    expect(left.map(({ location }) => location)).toEqual(["eastus"]);
    expect(record.region).toBe("westus");
    expect(pinned()).toBe("westus");
    expect(context.out.warned).toEqual([
      "eastus has no room after all: eastus is full (InsufficientQuota). Taking out what was made there; then on to westus.",
    ]);
  });

  it("is one of several: the failure tells of each, and nothing holds the environment to any", async () => {
    const { done, deploy: run, pinned } = world({ full: locations });
    await expect(run()).rejects.toMatchObject({
      code: "InsufficientQuota",
      cause: locations
        .map((each) => `${each} has no room after all: ${each} is full (InsufficientQuota)`)
        .join("\n"),
    });
    expect(done.filter((each) => each.startsWith("up"))).toEqual(locations.map((each) => `up in ${each}`));
    expect(done.filter((each) => each === "destroy")).toHaveLength(3);
    expect(pinned()).toBeUndefined();
  });

  it("keeps an environment that was whole, and says why", async () => {
    const { done, deploy: run } = world({
      full: ["eastus"],
      history: [{ kind: "update", result: "succeeded" }],
    });
    await expect(run()).rejects.toMatchObject({
      code: "InsufficientQuota",
      cause: expect.stringMatching(/^The environment was whole there, so it stays/),
    });
    expect(done).toEqual(["up in eastus"]);
  });

  it("that cannot be left is the failure, with what stood in the way", async () => {
    const { done, deploy: run } = world({
      full: ["eastus"],
      destroy: () => Promise.reject(new Error('Code="ScopeLocked" Message="locked"')),
    });
    await expect(run()).rejects.toMatchObject({
      code: "InsufficientQuota",
      cause: expect.stringMatching(
        /^What was made in eastus could not be taken out again: a lock forbids it/,
      ),
      next: expect.stringContaining("lock"),
    });
    expect(done).toEqual(["up in eastus", "pin westus"]);
  });
});
