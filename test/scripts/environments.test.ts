import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { environmentNames, knownEnvironments } from "../../scripts/lib/environments.ts";
import type { OpenCloud } from "../../scripts/lib/session.ts";
import { project, testContext } from "./support.ts";

describe("the environments among stacks", () => {
  it("are in order: the lasting ones, then pull requests by number", () => {
    expect(environmentNames(["pr-12", "staging", "pr-2", "dev", "prod"])).toEqual([
      "dev",
      "prod",
      "staging",
      "pr-2",
      "pr-12",
    ]);
  });

  it("are those of Kiln, whoever's organization and project stands before them, each once", () => {
    expect(
      environmentNames(["org/kiln/dev", "dev", "test", "pr-0", "org/kiln/pr-7", "x/pr-7/other"]),
    ).toEqual(["dev", "pr-7"]);
    expect(environmentNames([])).toEqual([]);
  });
});

describe("the environments of a state backend", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kiln-environments-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const known = (script: string) => {
    const pulumi = path.join(folder, "engine.sh");
    writeFileSync(pulumi, `#!/bin/sh\n${script}\n`);
    chmodSync(pulumi, 0o755);
    const open = {
      engine: { pulumi, binDir: folder, version: "3.0.0" },
      target: { engineEnv: { MARK: "kiln" } },
      paths: { project },
    };
    return knownEnvironments(testContext(), open as unknown as OpenCloud);
  };

  it("are what the engine lists of this project, asked in the cloud's environment", async () => {
    const stacks = JSON.stringify([{ name: "pr-3" }, { name: "dev", current: true }]);
    const asked = `"$MARK $PWD $*" = "kiln ${project} stack ls --json --project kiln --non-interactive"`;
    expect(await known(`if [ ${asked} ]; then echo '${stacks}'; fi`)).toEqual(["dev", "pr-3"]);
  });

  it("fail of what the engine says", async () => {
    await expect(known("echo 'error: PULUMI_ACCESS_TOKEN must be set' >&2; exit 255")).rejects.toMatchObject({
      code: "StateBackendSignIn",
    });
    await expect(known("echo '{}'")).rejects.toThrow();
  });
});
