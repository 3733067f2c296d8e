import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { automationStack } from "../../scripts/lib/automation.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-automation-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A stack on an engine that only writes down what it is asked. */
async function stack() {
  const file = path.join(folder, "pulumi");
  writeFileSync(file, `#!/bin/sh\necho "$PULUMI_HOME $MARK $@" >> ${folder}/asked\n`);
  chmodSync(file, 0o755);
  writeFileSync(path.join(folder, "Pulumi.yaml"), "name: kiln\nruntime: nodejs\n");
  let started = 0;
  const made = await automationStack({
    environment: "dev",
    workDir: folder,
    pulumiHome: "/pulumi-home",
    engine: { pulumi: path.join("/elsewhere", "pulumi"), version: "3.220.0" },
    envVars: { PATH: `${folder}${path.delimiter}${process.env.PATH}`, MARK: "kiln" },
    onStarted: () => {
      started++;
    },
  });
  const asked = () =>
    existsSync(`${folder}/asked`) ? readFileSync(`${folder}/asked`, "utf8").trimEnd().split("\n") : [];
  return { made, asked, started: () => started };
}

it("asks the engine nothing that is known already: neither its version, nor outputs, nor the history", async () => {
  const { made, asked } = await stack();
  expect(await made.outputs()).toEqual({});
  expect(await made.info()).toBeUndefined();
  expect(asked()).toEqual([]);
});

it("runs the engine that PATH finds, on its environment, and tells when it has", async () => {
  const { made, asked, started } = await stack();
  await made.cancel();
  expect(asked()).toEqual([expect.stringMatching(/^\/pulumi-home kiln cancel --yes .*--stack dev/)]);
  expect(started()).toBe(1);
});

it("starts nothing after an interruption", async () => {
  const { made, asked, started } = await stack();
  await expect(made.destroy({ signal: AbortSignal.abort(new Error("interrupted")) })).rejects.toThrow(
    "interrupted",
  );
  expect(asked()).toEqual([]);
  expect(started()).toBe(0);
});
