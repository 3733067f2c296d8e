import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const project = path.resolve(import.meta.dirname, "../..");

/** How many frames the SDK would send to the engine with a resource, and how many it finds without Kiln. */
function frames(stackTraces: boolean): unknown {
  const program = `
    const { Resource } = (await import("@pulumi/pulumi")).default;
    const count = () => Resource.stackTrace(0).length;
    const before = count() > 0;
    const { automationStack } = await import("./scripts/lib/automation.ts");
    await automationStack({
      environment: "dev", workDir: process.cwd(), pulumiHome: "/none", stackTraces: ${stackTraces},
      engine: { pulumi: "/none/pulumi", version: "3.220.0" }, envVars: {},
    });
    console.log(JSON.stringify({ before, after: count() > 0 }));`;
  const args = ["--input-type=module", "-e", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: "pipe" }));
}

test("the engine gets no stack trace of a resource, which it would keep in the state, unless someone wants it", () => {
  expect(frames(false)).toEqual({ before: true, after: false });
  expect(frames(true)).toEqual({ before: true, after: true });
});
