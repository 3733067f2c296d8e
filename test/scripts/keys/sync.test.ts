import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyMaterial } from "../../../scripts/lib/keys/key-material.ts";
import { expiryOf, type SyncOptions, slotOf, syncKey } from "../../../scripts/lib/keys/sync.ts";
import { cloudError, FakeAccount, FakeSecret, KEY1, KEY2, patience } from "./fakes.ts";

const TODAY = new Date("2026-01-31T12:00:00Z");

function setting() {
  const waiting = patience();
  const options: SyncOptions = { tags: { env: "dev" }, lifetimeDays: 90, patience: waiting, today: TODAY };
  return { account: new FakeAccount(), secret: new FakeSecret(), options, waiting };
}

describe("syncKey", () => {
  it("writes key1 where there is no secret", async () => {
    const { account, secret, options } = setting();
    const result = await syncKey(account, secret, options);
    expect(result).toEqual({ slot: "key1", secretUri: secret.uri, kept: false });
    expect(secret.written.map(({ key, labels }) => [key.reveal(), labels])).toEqual([
      [
        KEY1,
        { tags: { env: "dev" }, slot: "key1", phase: "drained", expiresOn: new Date("2026-05-01T12:00:00Z") },
      ],
    ]);
  });

  it.each([
    [KEY1, "key1"],
    [KEY2, "key2"],
  ])("leaves a secret alone that holds either live key", async (value, slot) => {
    const { account, secret, options } = setting();
    secret.current = secret.hold(value);
    expect(await syncKey(account, secret, options)).toMatchObject({ slot, kept: true });
    expect(secret.written).toEqual([]);
  });

  it("replaces a secret that holds neither", async () => {
    const { account, secret, options } = setting();
    secret.current = secret.hold(`${KEY1}x`);
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key1", kept: false });
    expect(secret.current?.value.reveal()).toBe(KEY1);
  });

  it("is done after once: a second run changes nothing", async () => {
    const { account, secret, options } = setting();
    await syncKey(account, secret, options);
    expect(await syncKey(account, secret, options)).toMatchObject({ kept: true });
    expect(secret.written).toHaveLength(1);
  });

  it("waits while the role takes effect, longer each time, and as long as it is asked to", async () => {
    const { account, secret, options, waiting } = setting();
    const forbidden = cloudError(403, "Forbidden", "ForbiddenByRbac");
    secret.refusals = [
      forbidden,
      cloudError(403, "Forbidden"),
      cloudError(403, "Forbidden", undefined, { "retry-after": "20" }),
    ];
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key1" });
    expect(waiting.clock.sleeps).toEqual([250, 375, 20_000]);
    expect(waiting.told).toEqual([expect.stringMatching(/the role on the vault has not taken effect yet/)]);
  });

  it("gives up on a role that never takes effect, within its budget", async () => {
    const { account, secret, options, waiting } = setting();
    secret.read = () => Promise.reject(cloudError(403, "Forbidden", "ForbiddenByRbac"));
    await expect(syncKey(account, secret, options)).rejects.toMatchObject({
      code: "ForbiddenByRbac",
      message: expect.stringMatching(/within 30 minutes/),
    });
    expect(waiting.clock.elapsed).toBeLessThanOrEqual(30 * 60_000);
    expect(waiting.clock.elapsed).toBeGreaterThan(29 * 60_000);
    expect(Math.max(...waiting.clock.sleeps)).toBe(15_000);
  });

  it.each([
    [403, "Forbidden", "ForbiddenByFirewall"],
    [403, "Forbidden", "SecretDisabled"],
    [401, "Unauthorized", undefined],
    [409, "Conflict", undefined],
    [400, "BadParameter", undefined],
  ])("does not wait for %i %s %s", async (status, code, inner) => {
    const { account, secret, options, waiting } = setting();
    secret.refusals = [cloudError(status, code, inner)];
    await expect(syncKey(account, secret, options)).rejects.toMatchObject({ code: inner ?? code });
    expect(waiting.clock.sleeps).toEqual([]);
  });

  it("brings a deleted secret back and leaves it alone where it holds a live key", async () => {
    const { account, secret, options } = setting();
    secret.deleted = secret.hold(KEY2);
    secret.busyFor = 3;
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key2", kept: true });
    expect([secret.recoveries, secret.written]).toEqual([1, []]);
  });

  it("brings a deleted secret back and replaces it where its key is dead", async () => {
    const { account, secret, options } = setting();
    secret.deleted = secret.hold("dead");
    secret.busyFor = 2;
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key1", kept: false });
    expect([secret.recoveries, secret.current?.value.reveal()]).toEqual([1, KEY1]);
  });

  it("waits for a secret that is still being purged", async () => {
    const { account, secret, options, waiting } = setting();
    secret.deleted = null;
    secret.busyFor = 2;
    expect(await syncKey(account, secret, options)).toMatchObject({ kept: false });
    expect(waiting.told).toEqual([expect.stringMatching(/still being deleted/)]);
    expect(secret.recoveries).toBe(0);
  });

  it("lives with a recovery that someone else began, or that came too late", async () => {
    const { account, secret, options } = setting();
    secret.deleted = secret.hold(KEY1);
    secret.busyFor = 1;
    secret.recoverRefusals = [
      cloudError(409, "Conflict", "ObjectIsBeingRecovered"),
      cloudError(404, "SecretNotFound"),
    ];
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key1", kept: true });
  });

  it("fails where the deleted secret may not be brought back", async () => {
    const { account, secret, options } = setting();
    secret.deleted = secret.hold(KEY1);
    secret.recoverRefusals = [cloudError(400, "NotAllowed")];
    await expect(syncKey(account, secret, options)).rejects.toMatchObject({ code: "NotAllowed" });
  });

  it("waits for an account that reported success too early, and for no other refusal", async () => {
    const { account, secret, options } = setting();
    account.refusals = [
      cloudError(409, "AccountProvisioningStateInvalid"),
      cloudError(409, "RequestConflict"),
    ];
    expect(await syncKey(account, secret, options)).toMatchObject({ slot: "key1" });
    account.refusals = [cloudError(404, "ResourceNotFound")];
    await expect(syncKey(account, secret, options)).rejects.toMatchObject({ code: "ResourceNotFound" });
  });

  it("shows no key in its result or in an error, whatever the cloud says", async () => {
    const { account, secret, options } = setting();
    const leaky = cloudError(400, "BadParameter");
    Object.assign(leaky, { details: { error: { code: "BadParameter", message: `bad value ${KEY1}` } } });
    secret.refusals = [leaky];
    const error = await syncKey(account, secret, options).catch((thrown: unknown) => thrown as Error);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(KEY1);
    expect(JSON.stringify(await syncKey(account, secret, options))).not.toContain(KEY1);
  });
});

describe("slotOf", () => {
  it("finds the slot that holds the key, and only that", () => {
    const text = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (value, key1, key2) => {
        const live = { key1: new KeyMaterial(key1), key2: new KeyMaterial(key2) };
        const expected = value === key1 ? "key1" : value === key2 ? "key2" : undefined;
        expect(slotOf(new KeyMaterial(value), live)).toBe(expected);
      }),
    );
  });
});

describe("expiryOf", () => {
  it("counts whole days", () => {
    expect(expiryOf(TODAY, 1).toISOString()).toBe("2026-02-01T12:00:00.000Z");
  });
});
