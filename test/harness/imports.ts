import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** How a TypeScript file names another of the checkout that it imports. */
const relative = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+\.ts)"/g;

/**
 * Whether a file imports `wanted`, itself or through what it imports.
 * @param files absolute paths to begin with
 * @param wanted absolute path
 * @param within imports are followed in this folder only
 */
export function reaches(files: readonly string[], wanted: string, within: string): boolean {
  const seen = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (file === wanted) return true;
    if (seen.has(file) || !file.startsWith(within + path.sep) || !existsSync(file)) continue;
    seen.add(file);
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(relative))
      open.push(path.resolve(path.dirname(file), name));
  }
  return false;
}
