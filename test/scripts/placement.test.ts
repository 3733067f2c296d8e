import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { buildIn, judgeOffer, noRegion, place, recordedLocation, stay } from "../../scripts/lib/placement.ts";
import { emptyState, type State, type StateResource } from "../../scripts/lib/state.ts";
import { pages, refusal, testContext, testSession } from "./support.ts";

const wanted = { name: "gpt-5.1", version: "2025-11-13", sku: "GlobalStandard", capacity: 10 };
const usageName = "OpenAI.GlobalStandard.gpt-5.1";
const offered = {
  kind: "OpenAI",
  model: { name: "gpt-5.1", version: "2025-11-13", skus: [{ name: "GlobalStandard", usageName }] },
};
const used = (currentValue: number, limit: number) => ({ name: { value: usageName }, currentValue, limit });

afterEach(() => void vi.unstubAllEnvs());

describe("judging a region", () => {
  const why = (...args: [readonly object[], readonly object[]]) =>
    judgeOffer("eastus", wanted, ...(args as [never[], never[]])).lacks;

  it("takes one that offers the model and has quota left, whatever the name's letter case", () => {
    const shouted = { ...offered, model: { ...offered.model, name: "GPT-5.1" } };
    expect(judgeOffer("eastus", wanted, [shouted], [used(20, 30)])).toEqual({ location: "eastus" });
  });

  it("takes one that says nothing of a quota: the deployment itself will tell", () => {
    expect(why([offered], [])).toBeUndefined();
    expect(why([offered], [{ ...used(30, 30), name: { value: "OpenAI.Standard.other" } }])).toBeUndefined();
  });

  it("lacks quota as soon as less is left than wanted, and says how much", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), (current, limit) => {
        const left = Math.max(0, limit - current);
        const lacks = why([offered], [used(current, limit)]);
        if (left >= wanted.capacity) expect(lacks).toBeUndefined();
        else
          expect(lacks).toEqual({
            code: "InsufficientQuota",
            why: `has ${left} of ${limit} thousand tokens per minute left`,
          });
      }),
    );
  });

  it.each([
    ["of another name", { ...offered, model: { ...offered.model, name: "gpt-4" } }, "does not have it"],
    ["of another kind of account", { ...offered, kind: "AIServices" }, "does not have it"],
    [
      "of another version",
      { ...offered, model: { ...offered.model, version: "2024-01-01" } },
      "has version 2024-01-01",
    ],
    [
      "in another SKU",
      { ...offered, model: { ...offered.model, skus: [{ name: "Standard" }, { name: "Batch" }] } },
      "has it as Standard, Batch",
    ],
    [
      "in no SKU",
      { ...offered, model: { ...offered.model, skus: [] } },
      "has it as nothing that can be deployed",
    ],
  ])("lacks the model when it has one %s", (_, model, text) => {
    expect(why([model], [used(0, 30)])).toEqual({ code: "DeploymentModelNotSupported", why: text });
  });
});

describe("finding no region", () => {
  const full = { location: "eastus", lacks: { code: "InsufficientQuota", why: "is full" } } as const;
  const without = {
    location: "westus",
    lacks: { code: "DeploymentModelNotSupported", why: "does not have it" },
  } as const;

  it("says of each what it lacks, and is about quota as soon as more of it would help", () => {
    expect(noRegion([full, without], wanted)).toMatchObject({
      code: "InsufficientQuota",
      cause: "eastus is full\nwestus does not have it",
      next: expect.stringContaining("kiln:foundry.model.capacity"),
    });
    expect(noRegion([without], wanted)).toMatchObject({
      code: "DeploymentModelNotSupported",
      message: expect.stringContaining("gpt-5.1 2025-11-13 (GlobalStandard, 10"),
      next: expect.stringContaining("kiln:fallbackLocations"),
    });
  });
});

describe("the region on record", () => {
  const group = {
    urn: "g",
    type: "azure-native:resources:ResourceGroup",
    outputs: { location: "westus" },
  };
  const account = {
    urn: "a",
    type: "azure-native:cognitiveservices:Account",
    inputs: { location: "East US" },
  };
  const of = (resources: StateResource[], pending: State["pending"] = []) =>
    recordedLocation({ ...emptyState, resources, pending });

  it("is the account's before the group's, as Azure writes it in ids", () => {
    expect(of([group, account])).toBe("eastus");
    expect(of([group])).toBe("westus");
  });

  it("is what the cloud says before what was asked for", () => {
    expect(of([{ ...account, outputs: { location: "northeurope" } }])).toBe("northeurope");
  });

  it("is told by what a killed run began, too", () => {
    expect(of([], [{ resource: account, type: "creating" }])).toBe("eastus");
  });

  it("is none when nothing is on record that has to stay", () => {
    expect(of([])).toBeUndefined();
    expect(
      of([{ urn: "w", type: "azure-native:web:WebApp", outputs: { location: "eastus" } }]),
    ).toBeUndefined();
    expect(of([{ ...group, outputs: {} }])).toBeUndefined();
  });
});

describe("an environment that is somewhere", () => {
  const config = { locations: ["eastus", "westus"] };

  it("stays there, first choice or fallback", () => {
    const session = testSession("dev", { config });
    expect(stay(session, "westus")).toBe("westus");
    expect(stay({ ...session, wantedLocation: "westus" }, "westus")).toBe("westus");
  });

  it("is not moved, neither by the configuration nor by whoever runs Kiln", () => {
    const session = testSession("dev", { config });
    expect(() => stay(session, "northeurope")).toThrow(
      expect.objectContaining({
        code: "RegionChanged",
        message: "dev is in northeurope, and is wanted in eastus or westus",
        exitCode: 2,
      }),
    );
    expect(() => stay({ ...session, wantedLocation: "eastus" }, "westus")).toThrow(
      expect.objectContaining({ message: "dev is in westus, and is wanted in eastus" }),
    );
  });
});

/** A cloud of regions, each with what it offers, or the status it refuses with. */
function regions(each: Record<string, { left: number } | number | "other model">) {
  const asked: string[] = [];
  const list = (what: "models" | "usages") => (location: string) => {
    if (what === "models") asked.push(location);
    const region = each[location];
    if (typeof region === "number" || region === undefined) throw refusal(region ?? 404);
    if (what === "usages") return pages(region === "other model" ? [] : [used(100 - region.left, 100)]);
    return pages(region === "other model" ? [] : [offered]);
  };
  const clients = {
    cognitive: async () => ({ models: { list: list("models") }, usages: { list: list("usages") } }),
  };
  return { clients, asked };
}

describe("choosing a place", () => {
  const locations = ["eastus", "westus", "northeurope"];
  const sessionIn = (clients: object, more: object = {}) => {
    const { foundry } = testSession("dev").config;
    return testSession("dev", {
      clients,
      config: { locations, foundry: { ...foundry, model: wanted } },
      ...more,
    });
  };

  it("takes the first that will do, and says why not the ones before", async () => {
    const { clients, asked } = regions({
      eastus: { left: 9 },
      westus: "other model",
      northeurope: { left: 10 },
    });
    const context = testContext();
    expect(await place(context, sessionIn(clients), emptyState)).toBe("northeurope");
    expect(asked).toEqual(locations);
    expect(context.out.warned).toEqual([
      "eastus has 9 of 100 thousand tokens per minute left; looking at westus.",
      "westus does not have it; looking at northeurope.",
    ]);
  });

  it("asks no further region than needed", async () => {
    const { clients, asked } = regions({ eastus: { left: 10 }, westus: { left: 10 } });
    expect(await place(testContext(), sessionIn(clients), emptyState)).toBe("eastus");
    expect(asked).toEqual(["eastus"]);
  });

  it("looks only where whoever runs Kiln wants it", async () => {
    const { clients, asked } = regions({ eastus: { left: 10 }, westus: { left: 0 } });
    await expect(
      place(testContext(), sessionIn(clients, { wantedLocation: "westus" }), emptyState),
    ).rejects.toMatchObject({ code: "InsufficientQuota" });
    expect(asked).toEqual(["westus"]);
  });

  it("takes a name that is no region's for one that has nothing, and any other refusal for a failure", async () => {
    const unknown = regions({ eastus: 400, westus: 404, northeurope: { left: 50 } });
    expect(await place(testContext(), sessionIn(unknown.clients), emptyState)).toBe("northeurope");
    const forbidden = regions({ eastus: 403, westus: { left: 50 } });
    await expect(place(testContext(), sessionIn(forbidden.clients), emptyState)).rejects.toThrow(
      "status 403",
    );
  });

  it("asks no one where the environment is already, or has no model", async () => {
    const { clients, asked } = regions({});
    const group = {
      urn: "g",
      type: "azure-native:resources:ResourceGroup",
      outputs: { location: "westus" },
    };
    expect(await place(testContext(), sessionIn(clients), { ...emptyState, resources: [group] })).toBe(
      "westus",
    );
    const session = sessionIn(clients);
    const { config } = session;
    const without = { ...session, config: { ...config, foundry: { ...config.foundry, enabled: false } } };
    expect(await place(testContext(), without, emptyState)).toBe(config.location);
    expect(asked).toEqual([]);
  });
});

it("the program is told of a place only where it would take another", () => {
  vi.stubEnv("KILN_LOCATION", undefined);
  const session = testSession("dev");
  buildIn(session, session.config.location);
  expect(process.env.KILN_LOCATION).toBeUndefined();
  buildIn(session, "northeurope");
  expect(process.env.KILN_LOCATION).toBe("northeurope");
});
