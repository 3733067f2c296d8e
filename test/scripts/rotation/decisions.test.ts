import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyMaterial } from "../../../scripts/lib/keys/key-material.ts";
import { PHASES, type SecretVersionProperties, SLOTS } from "../../../scripts/lib/keys/ports.ts";
import { type Journal, readJournal, writeJournal } from "../../../scripts/lib/rotation/journal.ts";
import {
  judgeChat,
  judgeHealth,
  judgeKnock,
  judgeReferences,
  referencesTo,
  surplus,
  worthRepeating,
} from "../../../scripts/lib/rotation/judge.ts";
import { drainLeft, otherSlot, planRotation } from "../../../scripts/lib/rotation/plan.ts";

const word = fc.stringMatching(/^[a-z0-9/-]{1,20}$/);
const journals: fc.Arbitrary<Journal> = fc.record({
  phase: fc.constantFrom(...PHASES),
  slot: fc.constantFrom(...SLOTS, undefined),
  rotation: fc.option(word, { nil: undefined }),
  by: fc.option(word, { nil: undefined }),
  revoke: fc.boolean(),
});
const OURS = ["phase", "slot", "rotation", "by", "revoke"];
const foreign = fc.dictionary(
  word.filter((name) => !OURS.includes(name)),
  fc.string({ maxLength: 20 }),
  { maxKeys: 6, noNullPrototype: true },
);

describe("the journal", () => {
  it("reads what was written, over any other journal, and leaves foreign tags alone", () => {
    fc.assert(
      fc.property(journals, journals, foreign, (first, second, tags) => {
        const written = writeJournal(writeJournal(tags, first), second);
        expect(readJournal(written)).toEqual(second);
        const rest = Object.entries(written).filter(([name]) => !OURS.includes(name));
        expect(Object.fromEntries(rest)).toEqual(tags);
      }),
    );
  });

  it("takes any tags for those of a version that no rotation has touched, unless they say otherwise", () => {
    fc.assert(
      fc.property(foreign, (tags) => {
        expect(readJournal(tags)).toEqual({
          phase: "drained",
          slot: undefined,
          rotation: undefined,
          by: undefined,
          revoke: false,
        });
      }),
    );
    expect(readJournal({ phase: "someday", slot: "key3", revoke: "yes" })).toMatchObject({
      phase: "drained",
      slot: undefined,
      revoke: false,
    });
  });
});

const live = { key1: new KeyMaterial("the first key"), key2: new KeyMaterial("the second key") };
const now = new Date("2026-06-01T00:00:00Z");

/** A current version of the secret with this journal, this old. */
function holding(value: KeyMaterial, journal: Journal, ageMs = 0) {
  const at = new Date(now.getTime() - ageMs);
  const tags = writeJournal({ env: "dev" }, journal);
  return {
    version: "v",
    value,
    tags,
    enabled: true,
    createdOn: at,
    updatedOn: at,
    expiresOn: undefined,
  };
}

const wishes = fc.record({
  maxAgeMs: fc.option(fc.nat(10_000), { nil: undefined }),
  adopt: fc.boolean(),
  revokeOld: fc.boolean(),
});

describe("planRotation", () => {
  it("goes on with what was begun, and never begins with the slot in use", () => {
    const ages = fc.nat(20_000);
    fc.assert(
      fc.property(journals, fc.constantFrom(...SLOTS), wishes, ages, (journal, slot, wish, age) => {
        const plan = planRotation({ current: holding(live[slot], journal, age), live, now }, wish);
        if (plan.kind === "adopt") throw new Error("the secret holds a live key");
        if (plan.kind === "young") {
          expect([journal.phase, journal.revoke]).toEqual(["drained", false]);
          expect(plan.ageMs).toBeLessThan(wish.maxAgeMs ?? 0);
          return;
        }
        // What is regenerated is the other slot, whatever the tags say.
        expect(plan.active).toBe(slot);
        expect(otherSlot(plan.active)).not.toBe(slot);
        const unfinished = journal.phase !== "drained" || journal.revoke;
        expect(plan.resumed).toBe(unfinished);
        const written = journal.phase === "refresh" || journal.phase === "prove";
        expect(plan.kind === "refresh").toBe(written);
      }),
    );
  });

  it("mends a secret that holds neither key only when asked", () => {
    const current = holding(new KeyMaterial("another"), readJournal({}));
    const wish = { maxAgeMs: undefined, revokeOld: false };
    expect(planRotation({ current, live, now }, { ...wish, adopt: true })).toEqual({ kind: "adopt" });
    expect(() => planRotation({ current, live, now }, { ...wish, adopt: false })).toThrow(
      expect.objectContaining({ code: "KeyUnknown", exitCode: 5 }),
    );
    expect(() => planRotation({ current: undefined, live, now }, { ...wish, adopt: true })).toThrow(
      expect.objectContaining({ code: "SecretNotFound" }),
    );
  });
});

describe("drainLeft", () => {
  it("never waits longer than asked, and not at all where no rotation was", () => {
    fc.assert(
      fc.property(journals, fc.nat(200_000), fc.nat(100_000), (journal, age, drain) => {
        const current = holding(live.key1, journal, age);
        const left = drainLeft(current, now, drain);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThanOrEqual(drain);
        if (journal.phase === "drained" && journal.rotation === undefined) expect(left).toBe(0);
        if (journal.phase === "prepare") expect(left).toBe(drain);
        if (age > drain + 1_000 && journal.phase !== "prepare") expect(left).toBe(0);
      }),
    );
  });
});

describe("surplus", () => {
  const versions = fc
    .array(fc.record({ enabled: fc.boolean(), age: fc.nat(50) }), { minLength: 1, maxLength: 12 })
    .map((all): SecretVersionProperties[] =>
      all
        .map(({ enabled, age }, at) => {
          const createdOn = new Date(now.getTime() - age * 1_000);
          return {
            version: `v${at}`,
            enabled,
            createdOn,
            updatedOn: createdOn,
            expiresOn: undefined,
            tags: {},
          };
        })
        .sort((a, b) => b.createdOn.getTime() - a.createdOn.getTime()),
    );

  it("never disables the current version nor a newer one, and leaves as many as wanted where it can", () => {
    fc.assert(
      fc.property(versions, fc.nat(11), fc.integer({ min: 1, max: 5 }), (all, pick, keep) => {
        const current = all[pick % all.length] as SecretVersionProperties;
        const old = surplus(all, current.version, keep);
        const gone = new Set(old.map(({ version }) => version));
        expect(gone.has(current.version)).toBe(false);
        expect(old.every(({ enabled, createdOn }) => enabled && createdOn <= current.createdOn)).toBe(true);
        const left = all.filter(({ enabled, version }) => enabled && !gone.has(version));
        const newer = left.filter(
          ({ version, createdOn }) => createdOn > current.createdOn && version !== current.version,
        );
        expect(left.length).toBeLessThanOrEqual(Math.max(keep, newer.length + 1));
        if (old.length > 0) expect(left.length).toBeGreaterThanOrEqual(Math.min(keep, all.length) - 1);
      }),
    );
  });
});

describe("what answers come to", () => {
  const key = new KeyMaterial("the key");
  const challenge = "c".repeat(32);
  const proof = (of: KeyMaterial) => JSON.stringify({ keyProof: of.proof(challenge) });

  it.each([
    [200, proof(key), true, { done: true, value: "served" }],
    [200, proof(live.key1), true, { code: "OldKeyServed" }],
    [503, proof(key), true, { code: "OldKeyServed" }],
    [200, "{}", true, { code: "NoProof" }],
    [200, "not JSON", false, { done: true, value: "reported" }],
    [404, "null", false, { done: true, value: "reported" }],
    [404, "", true, { code: "NoProof" }],
    [502, "", false, { code: "NoProof" }],
  ])("health %i %j of an app that is ours: %j", (status, body, made, judged) => {
    expect(judgeHealth({ status, body }, key, challenge, made)).toMatchObject(judged);
  });

  it.each([
    [200, true],
    [429, false],
    [401, false],
    [503, false],
  ])("a knock that answers %i: the key is known %j", (status, done) => {
    expect(judgeKnock({ status, body: "" }).done).toBe(done);
  });

  it.each([
    [200, true, true],
    [404, true, false],
    [404, false, true],
    [502, false, false],
  ])("a chat that answers %i of an app that is ours (%j): %j", (status, made, done) => {
    expect(judgeChat({ status, body: "" }, made).done).toBe(done);
  });

  const reference = { setting: "KEY", vault: "KV", secret: "S", status: "Resolved", details: undefined };

  it.each([
    [[], "ReferenceMissing"],
    [[{ ...reference, activeVersion: "old" }], "ReferenceBehind"],
    [[{ ...reference, status: "Initialized", activeVersion: undefined }], "ReferenceBehind"],
    [
      [{ ...reference, status: "AccessToKeyVaultDenied", activeVersion: undefined }],
      "AccessToKeyVaultDenied",
    ],
  ])("references %j wait: %s", (references, code) => {
    expect(judgeReferences(references, "new")).toMatchObject({ done: false, code });
  });

  it("takes references for resolved when all have the version", () => {
    const both = ["A", "B"].map((setting) => ({ ...reference, setting, activeVersion: "new" }));
    expect(judgeReferences(both, "new")).toEqual({ done: true, value: both });
    expect(referencesTo(both, "kv", "s")).toEqual(both);
    expect(referencesTo(both, "kv", "other")).toEqual([]);
  });

  it.each([
    [undefined, "NoAnswer", undefined, true],
    [429, "TooManyRequests", undefined, true],
    [408, "Timeout", undefined, true],
    [503, "ServiceUnavailable", undefined, true],
    [409, "RequestConflict", undefined, true],
    [409, "Conflict", undefined, true],
    [409, "Conflict", "ObjectIsDeletedButRecoverable", false],
    [403, "Forbidden", "ForbiddenByRbac", true],
    [403, "Forbidden", "ForbiddenByFirewall", false],
    [404, "ResourceNotFound", undefined, false],
    [400, "BadRequest", undefined, false],
  ])("a refusal %s %s (%s) is worth repeating: %j", (status, code, innerCode, repeat) => {
    const answer = { status, code, innerCode, message: "", retryAfterMs: undefined };
    expect(worthRepeating(answer) !== undefined).toBe(repeat);
  });
});
