import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scanForLeaks } from "../../../sandbox/core/leak-scan.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-leaks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const secret = { value: 'correct/horse+"battery"', kind: "test-secret", owner: "me" };

test("finds a secret in each form that serializers give it, with its place", async () => {
  const forms = {
    plain: secret.value,
    base64: Buffer.from(secret.value).toString("base64"),
    "url-encoded": encodeURIComponent(secret.value),
    "json-escaped": JSON.stringify(secret.value).slice(1, -1),
  };
  for (const [form, text] of Object.entries(forms)) {
    const file = path.join(folder, "file");
    writeFileSync(file, `before ${text} after`);
    const report = await scanForLeaks([folder], [secret]);
    expect(report.leaks).toEqual([{ file, offset: 7, kind: "test-secret", owner: "me", form }]);
    expect(JSON.stringify(report)).not.toContain(secret.value);
  }
});

test("finds it across the edges of what is read at once, and nothing where there is none", async () => {
  const chunk = 1 << 20;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: chunk - 40, max: chunk + 5 }), async (offset) => {
      const file = path.join(folder, "big");
      writeFileSync(
        file,
        Buffer.concat([Buffer.alloc(offset, "x"), Buffer.from(secret.value), Buffer.alloc(50, "y")]),
      );
      const { leaks } = await scanForLeaks([file], [secret]);
      expect(leaks.map((each) => each.offset)).toEqual([offset]);
    }),
    { numRuns: 20 },
  );
  writeFileSync(path.join(folder, "big"), Buffer.alloc(3 * chunk, "x"));
  expect((await scanForLeaks([folder], [secret])).leaks).toEqual([]);
});
