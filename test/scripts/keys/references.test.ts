import { describe, expect, it } from "vitest";
import { adoptSettings, releaseSettings, withOurs, withoutOurs } from "../../../scripts/lib/keys/adoption.ts";
import type { AppReferences, AppSettings, ReferenceStatus } from "../../../scripts/lib/keys/ports.ts";
import { settleReferences } from "../../../scripts/lib/keys/references.ts";
import { cloudError, patience } from "./fakes.ts";

/** An app whose reference has these statuses one after the other; a refresh moves past a cached failure. */
function app(...statuses: (string | undefined)[]): AppReferences & { refreshes: number; refusals: Error[] } {
  const fake = {
    refreshes: 0,
    refusals: [] as Error[],
    async status(): Promise<ReferenceStatus | undefined> {
      const status = statuses.length > 1 ? statuses.shift() : statuses[0];
      return status === undefined ? undefined : { status, details: "why", activeVersion: "v1" };
    },
    async refresh() {
      const refusal = fake.refusals.shift();
      if (refusal !== undefined) throw refusal;
      fake.refreshes++;
    },
  };
  return fake;
}

describe("settleReferences", () => {
  it("looks again even where all is resolved: it may be a day old", async () => {
    const fake = app("Resolved");
    expect(await settleReferences(fake, ["A", "B"], patience())).toEqual([
      { setting: "A", version: "v1" },
      { setting: "B", version: "v1" },
    ]);
    expect(fake.refreshes).toBe(1);
  });

  it("waits while nothing is known, without another refresh", async () => {
    const fake = app(undefined, "Initialized", "Resolved");
    const waiting = patience();
    await settleReferences(fake, ["A"], waiting);
    expect([fake.refreshes, waiting.clock.sleeps.length]).toEqual([1, 2]);
  });

  it("refreshes after each cached failure", async () => {
    const fake = app("AccessToKeyVaultDenied", "SecretNotFound", "Resolved");
    const waiting = patience();
    await settleReferences(fake, ["A"], waiting);
    expect(fake.refreshes).toBe(3);
    expect(waiting.told).toEqual([
      expect.stringMatching(/AccessToKeyVaultDenied/),
      expect.stringMatching(/SecretNotFound/),
    ]);
  });

  it.each(["InvalidSyntax", "MSINotEnabled"])("does not wait for %s", async (status) => {
    const waiting = patience();
    await expect(settleReferences(app(status), ["A"], waiting)).rejects.toMatchObject({
      code: status,
      cause: `Code="${status}" Message="why"`,
    });
    expect(waiting.clock.sleeps).toEqual([]);
  });

  it("gives up within its budget, with the last status", async () => {
    const waiting = patience(60_000);
    await expect(settleReferences(app("VaultNotFound"), ["A"], waiting)).rejects.toMatchObject({
      code: "VaultNotFound",
    });
    expect(waiting.clock.elapsed).toBeLessThanOrEqual(60_000);
  });

  it("waits for an app that is busy, also between two looks", async () => {
    const fake = app("FetchTimedOut", "Resolved");
    const busy = cloudError(409, "Conflict");
    fake.refusals = [busy];
    await settleReferences(fake, ["A"], patience());
    const later = app("FetchTimedOut", "FetchTimedOut", "Resolved");
    const refresh = later.refresh.bind(later);
    let calls = 0;
    later.refresh = () => (++calls === 2 ? Promise.reject(busy) : refresh());
    await settleReferences(later, ["A"], patience());
    expect([fake.refreshes, later.refreshes]).toEqual([2, 2]);
  });

  it("fails where the app is not there", async () => {
    const fake = app("Resolved");
    fake.refusals = [cloudError(404, "ResourceNotFound")];
    await expect(settleReferences(fake, ["A"], patience())).rejects.toMatchObject({
      code: "ResourceNotFound",
    });
    fake.status = () => Promise.reject(cloudError(403, "AuthorizationFailed"));
    await expect(settleReferences(fake, ["A"], patience())).rejects.toMatchObject({
      code: "AuthorizationFailed",
    });
  });
});

describe("adopting an app", () => {
  const ours = { KEY: "@Microsoft.KeyVault(x)", ENDPOINT: "e" };

  function existing(settings: Record<string, string>, identity: boolean | undefined = true) {
    const fake = {
      settings,
      writes: 0,
      hasIdentity: async () => identity,
      read: async () => ({ ...fake.settings }),
      async replace(next: Readonly<Record<string, string>>) {
        fake.writes++;
        fake.settings = { ...next };
      },
    };
    return fake satisfies AppSettings;
  }

  it("puts ours among theirs and takes out ours alone", async () => {
    const fake = existing({ THEIRS: "1", KEY: "old" });
    expect(await adoptSettings(fake, "theirs", ours)).toBe(true);
    expect(fake.settings).toEqual({ THEIRS: "1", ...ours });
    expect(await releaseSettings(fake, Object.keys(ours))).toBe(true);
    expect(fake.settings).toEqual({ THEIRS: "1" });
  });

  it("does not restart an app that has what it should", async () => {
    const fake = existing({ THEIRS: "1", ...ours });
    expect(await adoptSettings(fake, "theirs", ours)).toBe(false);
    expect(await releaseSettings(existing({ THEIRS: "1" }), ["KEY"])).toBe(false);
    expect(fake.writes).toBe(0);
  });

  it("refuses an app without an identity, and one that is not there", async () => {
    const without = existing({}, false);
    await expect(adoptSettings(without, "theirs", ours)).rejects.toMatchObject({ code: "MSINotEnabled" });
    expect(without.writes).toBe(0);
    const none: AppSettings = { ...existing({}), hasIdentity: async () => undefined };
    await expect(adoptSettings(none, "theirs", ours)).rejects.toMatchObject({ code: "AppNotFound" });
    expect(await releaseSettings(none, ["KEY"])).toBe(false);
  });

  it("changes nothing of what it is given", () => {
    const current = Object.freeze({ A: "1" });
    expect(withOurs(current, { B: "2" })).toEqual({ A: "1", B: "2" });
    expect(withoutOurs(current, ["A"])).toEqual({});
    expect(withoutOurs(current, ["B"])).toBeUndefined();
  });
});
