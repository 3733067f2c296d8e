import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { asKilnError, cloudAnswer } from "../../../scripts/lib/keys/cloud-answer.ts";
import { KeyMaterial, withoutKeys } from "../../../scripts/lib/keys/key-material.ts";
import { machineClock, persist } from "../../../scripts/lib/keys/patience.ts";
import { cloudError, KEY1, patience } from "./fakes.ts";

describe("KeyMaterial", () => {
  const key = new KeyMaterial(KEY1);

  it("prints as a placeholder in every kind of text", () => {
    const texts = [
      `${String(key)}`,
      JSON.stringify({ key }),
      inspect({ key }, { showHidden: true }),
      new Error(String(key)).message,
    ];
    for (const text of texts) {
      expect(text).toContain("[key]");
      expect(text).not.toContain(KEY1);
    }
    expect(Object.keys(key)).toEqual([]);
    expect(structuredClone({ ...key })).toEqual({});
  });

  it("gives the key to who asks for it", () => {
    expect(key.reveal()).toBe(KEY1);
  });

  it("equals the same key only, also of another length", () => {
    expect(key.equals(new KeyMaterial(KEY1))).toBe(true);
    expect(key.equals(new KeyMaterial(`${KEY1} `))).toBe(false);
    expect(key.equals(new KeyMaterial("x"))).toBe(false);
  });

  it("cannot be empty", () => {
    expect(() => new KeyMaterial("")).toThrow(/cannot be empty/);
  });
});

describe("withoutKeys", () => {
  it.each([KEY1, "0123456789abcdef0123456789abcdef", "A1".repeat(42), "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"])(
    "takes out %s",
    (secret) => {
      expect(withoutKeys(`before ${secret} after`)).toBe("before [removed] after");
    },
  );

  it("leaves the rest", () => {
    const text = "The vault kv-kiln-dev-abcd answered 403 (request 00000000-1111-2222-3333-444444444444).";
    expect(withoutKeys(text)).toBe(text);
  });
});

describe("cloudAnswer", () => {
  it("reads status, codes and how long to wait", () => {
    expect(cloudAnswer(cloudError(409, "Conflict", "Inner", { "retry-after": "3" }))).toEqual({
      status: 409,
      code: "Conflict",
      innerCode: "Inner",
      message: "Conflict happened",
      retryAfterMs: 3000,
    });
    const quick = cloudError(429, "Slow", undefined, { "retry-after-ms": "5", "retry-after": "60" });
    expect(cloudAnswer(quick)?.retryAfterMs).toBe(5);
  });

  it("reads the spelling of the Key Vault SDK and an error without details", () => {
    const renamed = Object.assign(cloudError(403, "Forbidden"), {
      details: { error: { code: "Forbidden", innerError: { code: "ForbiddenByRbac" } } },
    });
    expect(cloudAnswer(renamed)?.innerCode).toBe("ForbiddenByRbac");
    const bare = Object.assign(cloudError(500, "Bare"), { details: undefined, response: undefined });
    expect(cloudAnswer(bare)).toMatchObject({ code: "Bare", retryAfterMs: undefined });
  });

  it("knows no other error", () => {
    expect(cloudAnswer(new Error("x"))).toBeUndefined();
    expect(cloudAnswer("x")).toBeUndefined();
  });
});

describe("asKilnError", () => {
  it("keeps the code in a form that can be found again, and no key", () => {
    expect(
      asKilnError(cloudError(403, "Forbidden", "ForbiddenByRbac"), "It failed", "Do this"),
    ).toMatchObject({
      code: "ForbiddenByRbac",
      message: "It failed",
      cause: 'Code="ForbiddenByRbac" Message="Forbidden happened" (status 403)',
      next: "Do this",
    });
    expect(asKilnError(new TypeError(`odd ${KEY1}`), "a", "b")).toMatchObject({
      code: "TypeError",
      cause: "odd [removed]",
    });
    expect(asKilnError(7, "a", "b")).toMatchObject({ code: "Unknown" });
    const unanswered = Object.assign(cloudError(0, "ECONNREFUSED"), { statusCode: undefined });
    expect(asKilnError(unanswered, "a", "b").cause).toMatch(/\(no answer\)$/);
  });

  it("passes on what Kiln said itself", () => {
    const own = asKilnError(new Error("x"), "a", "b");
    expect(asKilnError(own, "c", "d")).toBe(own);
  });
});

describe("persist", () => {
  it("tells each reason once in a row", async () => {
    const waiting = patience();
    const reasons = ["one", "one", "two", "one"];
    await persist("It", waiting, async () => {
      const reason = reasons.shift();
      return reason === undefined ? { done: true, value: undefined } : { done: false, code: "C", reason };
    });
    expect(waiting.told).toEqual(["It: waiting, one", "It: waiting, two", "It: waiting, one"]);
  });

  it("spends no more than its budget, and tries once without any", async () => {
    const waiting = patience(0);
    const never = persist("It", waiting, async () => ({ done: false, code: "C", reason: "r" }));
    await expect(never).rejects.toMatchObject({
      code: "C",
      message: "It: it did not come right within 0 seconds",
    });
    expect(waiting.clock.sleeps).toEqual([]);
  });

  it("has a real clock that only grows", async () => {
    const before = machineClock.now();
    await machineClock.sleep(1);
    expect(machineClock.now()).toBeGreaterThan(before);
  });
});
