import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type LockOwner, withLock } from "../../engine/lock.ts";
import { leftovers, scratch } from "./support.ts";

describe("the lock", () => {
  test("tells who holds it and what for, gives it back, and returns the result", async () => {
    const dir = await scratch();
    const file = join(dir, "it.lock");
    const owner = await withLock(file, { work: "kiln up dev" }, async () =>
      JSON.parse(await readFile(`${file}.owner.json`, "utf8")),
    );
    expect(owner).toMatchObject({ pid: process.pid, work: "kiln up dev" });
    expect(await leftovers(dir)).toEqual([]);
  });

  test("is given back when the work fails", async () => {
    const file = join(await scratch(), "it.lock");
    await expect(withLock(file, {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await withLock(file, {}, async () => "free")).toBe("free");
  });

  test("a waiter may give up at once, with the owner in hand, and the owner is not disturbed", async () => {
    const file = join(await scratch(), "it.lock");
    const result = await withLock(file, { work: "the first" }, async () => {
      const onWait = (owner: LockOwner | undefined) => {
        throw new Error(`held by ${owner?.work}`);
      };
      await expect(withLock(file, { onWait }, async () => "second")).rejects.toThrow("held by the first");
      return "first";
    });
    expect(result).toBe("first");
    expect(await withLock(file, {}, async () => "third")).toBe("third");
  });

  test("an owner that died is told to the next one; a damaged note about it is not", async () => {
    const file = join(await scratch(), "it.lock");
    const died: LockOwner = { pid: 1, host: "elsewhere", since: "2026-01-01T00:00:00.000Z" };
    await writeFile(`${file}.owner.json`, JSON.stringify(died));
    const told: LockOwner[] = [];
    const onTakeover = (owner: LockOwner) => told.push(owner);
    await withLock(file, { onTakeover }, async () => {});
    await writeFile(`${file}.owner.json`, "{ half");
    await withLock(file, { onTakeover }, async () => {});
    expect(told).toEqual([died]);
  });
});
