import { describe, expect, it } from "vitest";
import { fullRegion, isElsewhere, reasonToStay, wasWhole } from "../../scripts/lib/fallback.ts";
import { candidates } from "../../scripts/lib/placement.ts";
import { emptyState } from "../../scripts/lib/state.ts";
import { testSession } from "./support.ts";

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
