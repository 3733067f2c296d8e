import { join } from "node:path";
import { cacheKey } from "../paths.ts";
import type { Kit } from "../types.ts";
import { supportedRange } from "./judge.ts";
import { pinned, requiredFiles } from "./recipe.ts";

/** The pinned Pulumi engine as Kiln keeps it. */
export const pulumiKit: Kit = {
  name: "Pulumi engine",
  contents: `Pulumi ${pinned.version}`,
  version: pinned.version,
  key: cacheKey(pinned.version),
  files: requiredFiles.map((name) => `bin/${name}`),
  room: "about 3 GB",
  instead: `the Pulumi CLI ${supportedRange.text} (https://www.pulumi.com/docs/install/)`,
  check,
};

async function check(dir: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { printedVersion } = await import("../processes.ts");
  const answer = await printedVersion(join(dir, "bin", "pulumi"), ["version"], env);
  if (answer.printed === undefined) return `pulumi does not run: ${answer.failure}`;
  const printed = answer.printed.trim().replace(/^v/, "");
  return printed === pinned.version ? undefined : `pulumi says that it is ${printed}, not ${pinned.version}`;
}
