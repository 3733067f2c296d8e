import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { actionOf, parseArmPath } from "../../../sandbox/core/arm-path.ts";
import { type Cloud, openCloud } from "../../../sandbox/core/cloud.ts";
import { CloudError } from "../../../sandbox/core/errors.ts";
import { draw, faultRuleSchema } from "../../../sandbox/core/faults.ts";
import { covers } from "../../../sandbox/core/rbac.ts";
import { patchSettings, timingProfiles } from "../../../sandbox/core/settings.ts";

let folder: string;
let wall: number;
let cloud: Cloud;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-cloud-"));
  wall = Date.parse("2030-01-01T00:00:00Z");
  cloud = openCloud(folder, () => wall);
});
afterEach(() => {
  cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("clock", () => {
  test("ends with the year 9999, by whatever way it would get there", () => {
    const end = Date.parse("9999-12-31T23:59:59Z");
    expect(() => cloud.clock.advance(end)).toThrow("cannot go past 9999-12-31");
    cloud.clock.advance(end - cloud.clock.now());
    cloud.clock.setScale(100_000);
    wall += 60_000;
    expect(cloud.clock.iso()).toBe("9999-12-31T23:59:59.000Z");
    cloud.clock.reset();
    expect(cloud.clock.now()).toBe(wall);
  });

  test("runs with the wall, scaled and advanced, and never back", () => {
    const start = cloud.clock.now();
    wall += 1000;
    expect(cloud.clock.now() - start).toBe(1000);
    cloud.clock.setScale(60);
    wall += 1000;
    expect(cloud.clock.now() - start).toBe(61_000);
    cloud.clock.advance(24 * 3600 * 1000);
    expect(cloud.clock.now() - start).toBe(61_000 + 24 * 3600 * 1000);
    expect(cloud.clock.realMsUntil(cloud.clock.now() + 60_000)).toBe(1000);
  });

  test("goes on from where it stood after a restart", () => {
    cloud.clock.advance(3_600_000);
    const before = cloud.clock.now();
    cloud.close();
    wall += 5000;
    cloud = openCloud(folder, () => wall);
    expect(cloud.clock.now() - before).toBe(5000);
  });

  test("tells who asked when it was moved by hand", () => {
    let moves = 0;
    const stop = cloud.clock.onMoved(() => moves++);
    cloud.clock.advance(1);
    cloud.clock.setScale(2);
    stop();
    cloud.clock.advance(1);
    expect(moves).toBe(2);
  });
});

describe("operations", () => {
  test("complete when their time has come, oldest first, and only once", () => {
    const done: string[] = [];
    cloud.operations.on("work", (operation) => done.push(operation.target));
    cloud.operations.start("work", "/late", 200);
    cloud.operations.start("work", "/early", 100);
    cloud.operations.settle();
    expect(done).toEqual([]);
    expect(cloud.operations.pendingOn("/EARLY")?.status).toBe("InProgress");
    wall += 1000;
    cloud.operations.settle();
    cloud.operations.settle();
    expect(done).toEqual(["/early", "/late"]);
  });

  test("survive a restart", () => {
    const { id } = cloud.operations.start("work", "/x", 100);
    cloud.close();
    wall += 1000;
    cloud = openCloud(folder, () => wall);
    const done: string[] = [];
    cloud.operations.on("work", (operation) => done.push(operation.target));
    cloud.operations.settle();
    expect(done).toEqual(["/x"]);
    expect(cloud.operations.get(id)?.status).toBe("Succeeded");
  });

  test("one that fails keeps the cloud's error and changes nothing else", () => {
    const things = cloud.store.collection<number>("things");
    cloud.operations.on("doomed", () => {
      things.put("half", 1);
      throw new CloudError(400, "InsufficientQuota", "no room");
    });
    const operation = cloud.operations.start("doomed", "/x", 0);
    expect(operation.status).toBe("Failed");
    expect(operation.error).toEqual({ code: "InsufficientQuota", message: "no room" });
    expect(things.size).toBe(0);
  });
});

describe("throttling", () => {
  test("lets a burst through, then one for each refill, and says how long to wait", () => {
    for (let n = 0; n < 200; n++) cloud.throttle.take("s", "p", "writes");
    try {
      cloud.throttle.take("s", "p", "writes");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CloudError);
      const { status, headers } = error as CloudError;
      expect(status).toBe(429);
      expect(headers).toEqual({ "retry-after-ms": "100", "retry-after": "1" });
    }
    cloud.throttle.take("s", "another", "writes");
    wall += 100;
    expect(cloud.throttle.take("s", "p", "writes")).toBe(0);
  });
});

describe("faults", () => {
  test("strike after, so often, and only what they match", () => {
    cloud.faults.add(
      faultRuleSchema.parse({ effect: "conflict", method: "put", path: "/vaults/", after: 1, times: 2 }),
    );
    const strike = (method: string, where: string) =>
      cloud.faults.strike(method, "management.azure.com", where).length;
    expect(strike("GET", "/vaults/a")).toBe(0);
    expect([1, 2, 3, 4].map(() => strike("PUT", "/x/VAULTS/a"))).toEqual([0, 1, 1, 0]);
    expect(cloud.faults.remove()).toBe(1);
  });

  test("refuse with the words that a rule gives them", () => {
    const [ours, theirs] = [
      { effect: "refuse", path: "/a", status: 403, code: "RequestDisallowedByPolicy", message: "No." },
      { effect: "refuse", path: "/b" },
    ].map((rule) => cloud.faults.add(faultRuleSchema.parse(rule)).id);
    const strike = (where: string) => cloud.faults.strike("PUT", "management.azure.com", where);
    const error = { status: 403, code: "RequestDisallowedByPolicy", message: "No." };
    expect(strike("/a")).toMatchObject([{ effect: "reply", error }]);
    expect(strike("/b")).toMatchObject([{ effect: "reply", error: { status: 400, code: "BadRequest" } }]);
    expect([ours, theirs].map((id) => cloud.faults.remove(id))).toEqual([1, 1]);
  });

  test("hold a request until the rule is removed", async () => {
    cloud.faults.add(faultRuleSchema.parse({ effect: "hold", path: "/a", times: 1 }));
    const [held] = cloud.faults.strike("PUT", "management.azure.com", "/a");
    expect(cloud.faults.strike("PUT", "management.azure.com", "/a")).toEqual([]);
    if (held?.effect !== "delay") throw new Error("it is not held");
    const order: string[] = [];
    const going = held.wait().then(() => order.push("goes on"));
    await new Promise(setImmediate);
    order.push("is held");
    cloud.faults.remove();
    await going;
    expect(order).toEqual(["is held", "goes on"]);
  });

  test("the same seed gives the same draws, evenly spread", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const draws = Array.from({ length: 400 }, (_, n) => draw(seed, n));
        expect(draws).toEqual(Array.from({ length: 400 }, (_, n) => draw(seed, n)));
        expect(draws.every((each) => each >= 0 && each < 1)).toBe(true);
        const low = draws.filter((each) => each < 0.5).length;
        expect(low).toBeGreaterThan(120);
        expect(low).toBeLessThan(280);
      }),
    );
  });
});

describe("roles", () => {
  const scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
  const officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

  test("an assignment takes effect after the propagation delay, below its scope only", () => {
    const { principal } = cloud.principals.createService("someone");
    const read = (where: string) =>
      cloud.rbac.allows(
        principal.objectId,
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        where,
        "data",
      );
    cloud.rbac.assignments.put("x", {
      scope: scope.toLowerCase(),
      name: "x",
      principalId: principal.objectId,
      principalType: "ServicePrincipal",
      roleDefinitionId: officer,
      createdAt: cloud.clock.now(),
      createdBy: "",
    });
    expect(read(`${scope}/secrets/a`)).toBe(false);
    wall += cloud.timings().rolePropagation;
    expect(read(`${scope}/secrets/a`)).toBe(true);
    expect(read(`${scope}2/secrets/a`)).toBe(false);
    expect(cloud.rbac.allows(principal.objectId, "Microsoft.KeyVault/vaults/delete", scope)).toBe(false);
    cloud.rbac.dropBelow(scope);
    expect(read(`${scope}/secrets/a`)).toBe(false);
  });

  test("patterns cover across slashes and take dots as dots", () => {
    expect(covers("*/read", "Microsoft.Web/sites/config/read")).toBe(true);
    expect(covers("Microsoft.Authorization/*/Write", "microsoft.authorization/roleassignments/write")).toBe(
      true,
    );
    expect(covers("Microsoft.Web/*", "MicrosoftXWeb/sites/read")).toBe(false);
  });
});

test("an ARM path says which permission a request needs", () => {
  const cases: [string, string, string][] = [
    ["GET", "/subscriptions/s/resourcegroups/g", "Microsoft.Resources/subscriptions/resourceGroups/read"],
    ["GET", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites", "Microsoft.Web/sites/read"],
    [
      "POST",
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/listKeys",
      "Microsoft.CognitiveServices/accounts/listKeys/action",
    ],
    [
      "PUT",
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/roleAssignments/r",
      "Microsoft.Authorization/roleAssignments/write",
    ],
    [
      "DELETE",
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/a",
      "Microsoft.Web/sites/delete",
    ],
  ];
  for (const [method, path, action] of cases) expect(actionOf(method, parseArmPath(path))).toBe(action);
});

test("settings change by profile, then by single timing, and survive a restart", () => {
  const changed = patchSettings(cloud.settings(), { profile: "azure", timings: { accountCreate: 7 } });
  expect(changed.timings).toEqual({ ...timingProfiles.azure, accountCreate: 7 });
  cloud.changeSettings({ profile: "instant", throttling: false });
  cloud.close();
  cloud = openCloud(folder, () => wall);
  expect(cloud.timings()).toEqual(timingProfiles.instant);
  expect(cloud.settings().throttling).toBe(false);
});

test("minted keys have Azure's shape, are all different and are remembered", () => {
  const keys = Array.from({ length: 50 }, () => cloud.mint.openAiKey("/x"));
  for (const key of keys)
    expect(key).toMatch(/^[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9][A-L][A-Za-z0-9]{12}AAABACOG[A-Za-z0-9]{4}$/);
  expect(new Set(keys).size).toBe(50);
  expect(cloud.mint.all().map(({ value }) => value)).toEqual(expect.arrayContaining(keys));
});
