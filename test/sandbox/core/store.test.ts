import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CloudError } from "../../../sandbox/core/errors.ts";
import { Store } from "../../../sandbox/core/store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Store => new Store(path.join(folder, "cloud.sqlite"));

test("what was put is there after a restart, what was deleted is not", () => {
  const store = open();
  const things = store.collection<{ n: number }>("things");
  things.put("a", { n: 1 });
  things.put("b", { n: 2 });
  things.delete("b");
  store.close();
  const again = open().collection<{ n: number }>("things");
  expect(again.entries()).toEqual([["a", { n: 1 }]]);
});

test("a transaction that throws leaves neither disk nor memory changed", () => {
  const store = open();
  const things = store.collection<number>("things");
  things.put("kept", 1);
  expect(() =>
    store.transaction(() => {
      things.put("kept", 2);
      things.put("new", 3);
      store.transaction(() => things.delete("kept"));
      expect(() =>
        store.transaction(() => {
          things.put("inner", 4);
          throw new Error("inner");
        }),
      ).toThrow("inner");
      expect(things.get("inner")).toBeUndefined();
      throw new CloudError(409, "Conflict", "no");
    }),
  ).toThrow("no");
  expect(things.entries()).toEqual([["kept", 1]]);
  store.close();
  expect(open().collection<number>("things").entries()).toEqual([["kept", 1]]);
});

test("memory and disk agree after any run of changes", () => {
  const change = fc.record({
    id: fc.constantFrom("a", "b", "c"),
    value: fc.option(fc.integer()),
    fails: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const store = open();
      const things = store.collection<number>("things");
      store.clear([]);
      for (const { id, value, fails } of changes) {
        try {
          store.transaction(() => {
            if (value === null) things.delete(id);
            else things.put(id, value);
            if (fails) throw new Error("fails");
          });
        } catch (error) {
          expect((error as Error).message).toBe("fails");
        }
      }
      const inMemory = new Map(things.entries());
      store.close();
      const again = open();
      const onDisk = new Map(again.collection<number>("things").entries());
      again.close();
      expect(onDisk).toEqual(inMemory);
    }),
    { numRuns: 25 },
  );
});

test("a second process cannot open the same data", () => {
  const store = open();
  expect(open).toThrow(/in use by another sandbox process/);
  store.close();
});
