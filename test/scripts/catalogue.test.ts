import { describe, expect, it } from "vitest";
import { catalogue, chapters, uncoded } from "../../scripts/lib/catalogue/index.ts";
import {
  cloudCodes,
  entryFor,
  explain,
  isRegionFull,
  passesByItself,
} from "../../scripts/lib/cloud-errors.ts";

/** A text that a pattern finds, put together by hand: the tests are to notice when a pattern changes its mind. */
const samples: Record<string, string> = {
  "additional quota": "Operation cannot be completed without additional quota.",
  "high demand": "The region is in high demand.",
  "deleted state": "A vault of that name is in deleted state.",
};
const textFor = (code: string, message: RegExp | undefined): string => {
  const words = Object.values(samples).find((each) => message?.test(each)) ?? "words";
  return `Code="${code}" Message="${words}"`;
};

describe("every entry of the catalogue", () => {
  const all = catalogue.flatMap((entry) => entry.codes.map((code) => ({ code, entry })));

  it("stands in one chapter, and none has no entries", () => {
    expect(chapters.flatMap(({ entries }) => entries)).toEqual(catalogue);
    for (const { entries } of chapters) expect(entries.length).toBeGreaterThan(0);
  });

  it.each(all)("$code says what, why, what follows and what to do", ({ code, entry }) => {
    // So that it is one that a text of the cloud can name at all.
    expect(cloudCodes(`Code="${code}"`)).toEqual([code]);
    expect(entry.what).toMatch(/^[a-z{].*[^.\s]$/);
    for (const sentence of [entry.why, entry.consequence, entry.next])
      expect(sentence).toMatch(/^[A-Z].*\.$/s);
  });

  it.each(all.filter(({ entry }) => entry.message === undefined))(
    "$code is found by its code",
    ({ code, entry }) => {
      expect(entryFor(code, textFor(code, undefined))).toBe(entry);
      const error = explain([textFor(code, undefined)], { region: "eastus" });
      expect(error).toMatchObject({ code, codes: [code] });
      expect(`${error.message}${error.cause}${error.next}`).not.toContain("{region}");
    },
  );

  it("counts only where its message fits, and entries with the same code and message are never two", () => {
    const open = all.filter(({ entry }) => entry.message === undefined).map(({ code }) => code);
    expect(new Set(open).size).toBe(open.length);
  });

  it("names the region where it is known, and speaks of one where it is not", () => {
    const text = textFor("InsufficientQuota", undefined);
    expect(explain([text], { region: "eastus" }).message).toBe(
      "eastus has not enough quota left for the model",
    );
    expect(explain([text]).message).toBe("the region has not enough quota left for the model");
  });

  it("of failures without a code says as much", () => {
    for (const { code, what, why, consequence, next } of uncoded) {
      expect(code).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(what).not.toBe("");
      for (const sentence of [why, consequence, next]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
    }
  });
});

describe("whether a region is full", () => {
  const full = (...texts: string[]) => isRegionFull(explain(texts));
  const quota = 'Code="InsufficientQuota" Message="full"';
  const plan = 'Code="Unauthorized" Message="Operation cannot be completed without additional quota."';
  const busy = 'Code="RequestConflict" Message="busy"';

  it("is so when that is all that failed, or passes by itself", () => {
    expect(full(quota)).toBe(true);
    expect(full(plan)).toBe(true);
    expect(full(quota, plan)).toBe(true);
    expect(full(busy, quota)).toBe(true);
  });

  it.each([
    ["nothing but what passes by itself failed", [busy]],
    ["a right is missing too", [quota, 'Code="AuthorizationFailed" Message="no role"']],
    ["the same code means a right", ['Code="Unauthorized" Message="token expired"']],
    ["something unknown failed too", [quota, 'Code="SomethingNew" Message="odd"']],
    ["the model is not to be had", ['Code="DeploymentModelNotSupported" Message="no"']],
    ["the subscription is not entitled", ['Code="SpecialFeatureOrQuotaIdRequired" Message="no"']],
    ["the cloud said no code", ["connection refused"]],
    ["nobody said anything", []],
  ])("is not when %s", (_, texts) => {
    expect(full(...texts)).toBe(false);
  });

  it("no failure both passes by itself and is of the region", () => {
    for (const { codes, capacity, transient } of catalogue) {
      expect(capacity && transient).not.toBe(true);
      if (transient) for (const code of codes) expect(passesByItself(code)).toBe(true);
    }
  });
});
