import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/**
 * Flags of every build, which win over GOFLAGS: sums are never added to, no version control is asked (the checkout may belong to
 * someone else), no path of this machine gets into the result.
 */
export const buildFlags = ["-mod=readonly", "-buildvcs=false", "-trimpath"] as const;

/**
 * Identifies what a build makes: what is pinned, the flags, and every main module with its sums.
 * @param pinned what else decides on the result; hashed as JSON
 * @param moduleDirs folders with a go.mod and a go.sum, each ending in `/`
 */
export async function goRecipe(pinned: unknown, moduleDirs: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([pinned, buildFlags]));
  for (const dir of moduleDirs) {
    for (const file of ["go.mod", "go.sum"]) hash.update(await readFile(`${dir}${file}`));
  }
  return `go:${hash.digest("hex").slice(0, 16)}`;
}
