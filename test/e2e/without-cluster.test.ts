import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestCheckout, testCheckout } from "../harness/checkout.ts";
import { testEngine } from "../harness/engine.ts";
import { type TestKiln, testKiln } from "../harness/kiln.ts";
import { project, serve } from "./serving-configuration.ts";

let checkout: TestCheckout;
let kiln: TestKiln;
let cache: string;
let nothingToBuildWith: Record<string, string>;

beforeAll(async () => {
  const { binDir } = await testEngine();
  checkout = testCheckout();
  kiln = await testKiln({ project: checkout.folder });
  cache = mkdtempSync(path.join(tmpdir(), "kiln-cache-"));
  // The Pulumi engine is there; a control plane is neither found nor could it be built.
  const PATH = [binDir, path.dirname(process.execPath)].join(path.delimiter);
  nothingToBuildWith = { PATH, KILN_ENGINE_CACHE: cache };
});
afterAll(async () => {
  await kiln?.dispose();
  checkout?.dispose();
  rmSync(cache, { recursive: true, force: true });
});

const run = (...args: string[]) => kiln.run([...args, "--json"], nothingToBuildWith);

test("a key is rotated, and a lock let go of, without a control plane, though the configuration has a cluster", async () => {
  serve(checkout, "dev", [project("fraud")], { foundry: {}, serving: { enabled: false } });
  expect((await run("up", "dev")).json()).toMatchObject({ result: "succeeded" });

  serve(checkout, "dev", [project("fraud")], { foundry: {} });
  expect((await run("up", "dev")).json()).toMatchObject({ result: "failed" });
  const rotation = await run("rotate-key", "dev", "--drain", "0s");
  expect(rotation.json()).toMatchObject({ result: "succeeded", outcome: "rotated" });
  const unlocked = await run("unlock", "dev", "--yes");
  expect(unlocked.json()).toMatchObject({ result: "succeeded", released: [] });

  const cluster = (await run("sandbox", "kubernetes", "status")).json();
  expect(cluster).toMatchObject({ running: false, state: "stopped", users: [] });
  expect(existsSync(path.join(kiln.home, "sandbox", "kubernetes"))).toBe(false);
});
