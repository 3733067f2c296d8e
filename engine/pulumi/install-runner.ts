// Runs the Automation API's installer: `install-runner.ts <root> <version>`. Prints `reachable` on stdout as soon as the download
// site has answered, and `reason: …` on stderr when it fails.
import { createRequire } from "node:module";
import type { PulumiCommandOptions } from "@pulumi/pulumi/automation/cmd.js";

const site = "https://get.pulumi.com/install.sh";
const reachMs = 5000;

async function run(root: string, versionText: string): Promise<void> {
  const answer = await fetch(site, { method: "HEAD", signal: AbortSignal.timeout(reachMs) });
  if (!answer.ok) throw new Error(`${site} answered ${answer.status}`);
  console.log("reachable");
  const { PulumiCommand } = await import("@pulumi/pulumi/automation/cmd.js");
  // The version must be an object of the very `semver` package that the Automation API compares it with.
  const asPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
  const { SemVer } = asPulumi("semver") as {
    SemVer: new (text: string) => NonNullable<PulumiCommandOptions["version"]>;
  };
  await PulumiCommand.install({ root, version: new SemVer(versionText) });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${inner}`.replaceAll(/\s*\n\s*/g, " ").slice(0, 400);
}

const [root, version] = process.argv.slice(2);
if (root === undefined || version === undefined)
  throw new TypeError("usage: install-runner.ts <root> <version>");
try {
  await run(root, version);
} catch (error) {
  console.error(`reason: ${reason(error)}`);
  process.exitCode = 1;
}
