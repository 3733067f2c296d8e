import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, it } from "vitest";
import { describeKey, keyStatus } from "../../../scripts/lib/rotation/key-status.ts";

const now = new Date("2026-03-02T10:00:00Z");
const place = { secretUri: "https://kv.vault.azure.net/secrets/S", vault: "kv", secret: "S" };
const version = (name: string, createdOn: string, more: object = {}) => ({
  version: name,
  tags: {},
  enabled: true,
  createdOn: new Date(createdOn),
  updatedOn: new Date(createdOn),
  expiresOn: undefined,
  ...more,
});
const reference = (setting: string, more: object = {}) => ({
  setting,
  vault: "KV",
  secret: "s",
  status: "Resolved",
  details: undefined,
  activeVersion: "v2",
  ...more,
});

describe("what is told of a key", () => {
  it("is the newest version that can be read, its journal, and who has which", () => {
    const tags = { phase: "drained", slot: "key2", rotation: "r1" };
    const versions = [
      version("v3", "2026-03-02T09:00:00Z", { enabled: false }),
      version("v2", "2026-03-01T10:00:00Z", { tags, expiresOn: new Date("2026-06-01T00:00:00Z") }),
      version("v1", "2026-02-01T10:00:00Z"),
    ];
    const apps = [
      {
        app: "app",
        references: [reference("A"), reference("B", { secret: "other" }), reference("C", { vault: "kv2" })],
      },
      {
        app: "old",
        references: [reference("A", { status: "AccessToKeyVaultDenied", activeVersion: undefined })],
      },
    ];
    expect(describeKey(place, versions, apps, now)).toEqual({
      secret: place.secretUri,
      version: "v2",
      createdOn: "2026-03-01T10:00:00.000Z",
      ageMs: 86_400_000,
      expiresOn: "2026-06-01T00:00:00.000Z",
      slot: "key2",
      phase: "drained",
      rotation: "r1",
      enabledVersions: 2,
      consumers: [
        { app: "app", setting: "A", status: "Resolved", version: "v2" },
        { app: "old", setting: "A", status: "AccessToKeyVaultDenied", version: undefined },
      ],
    });
  });

  it("is nothing where no version can be read", () => {
    expect(describeKey(place, [], [], now)).toBeUndefined();
    expect(
      describeKey(place, [version("v1", "2026-03-01T10:00:00Z", { enabled: false })], [], now),
    ).toBeUndefined();
  });

  it("has no age below nothing, where clocks differ", () => {
    expect(describeKey(place, [version("v1", "2026-03-02T10:00:05Z")], [], now)?.ageMs).toBe(0);
  });
});

describe("asking for it", () => {
  const secret = { uri: place.secretUri, versions: async () => [version("v2", "2026-03-01T10:00:00Z")] };
  const consumer = (list: () => Promise<object[]>) => ({ app: "app", references: { list } });
  const ask = (list: () => Promise<object[]>) =>
    keyStatus(
      { secret, consumers: [consumer(list)] } as unknown as Parameters<typeof keyStatus>[0],
      place,
      now,
    );

  it("reads no key, and asks every app", async () => {
    expect(await ask(async () => [reference("A")])).toMatchObject({
      secret: place.secretUri,
      version: "v2",
      consumers: [{ app: "app", setting: "A" }],
    });
  });

  it("takes an app that is gone for one that refers to nothing, and any other refusal for a failure", async () => {
    const refuse = (statusCode: number) => () => Promise.reject(new RestError("refused", { statusCode }));
    expect((await ask(refuse(404)))?.consumers).toEqual([]);
    await expect(ask(refuse(403))).rejects.toThrow("refused");
  });
});
