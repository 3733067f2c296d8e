import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { copyPackage, neededPackages } from "../../bench/lib/packages.ts";

let root: string;
const modules = () => path.join(root, "node_modules");
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "kiln-packages-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function install(place: string, manifest: object): void {
  const folder = path.join(modules(), place);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
}

test("a package comes with what it needs, nested or beside it, and without the rest", () => {
  install("sdk", {
    dependencies: { near: "1", far: "1" },
    optionalDependencies: { gone: "1", there: "1" },
    peerDependencies: { compiler: "5", friend: "1" },
    peerDependenciesMeta: { compiler: { optional: true } },
  });
  install("sdk/node_modules/near", { dependencies: { "@scope/deep": "1" } });
  install("near", {});
  install("far", { dependencies: { sdk: "1" } });
  install("friend", {});
  install("@scope/deep", {});
  install("compiler", {});
  install("there", {});
  install("stranger", {});
  const to = path.join(root, "copy");
  copyPackage("sdk", modules(), to);
  const there = (place: string) => existsSync(path.join(to, place, "package.json"));
  for (const place of ["sdk", "sdk/node_modules/near", "far", "friend", "there", "@scope/deep"]) {
    expect(there(place), place).toBe(true);
  }
  for (const place of ["near", "compiler", "stranger"]) expect(there(place), place).toBe(false);
});

test("a package that is needed and not installed is an error", () => {
  install("sdk", { dependencies: { gone: "1" } });
  expect(() => neededPackages("sdk", modules())).toThrow(/needs gone/);
});
