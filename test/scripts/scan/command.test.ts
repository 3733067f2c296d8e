import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { targetOf } from "../../../scripts/verbs/scan.ts";
import { sampleOf } from "./minted.ts";
import { Folder, Repository } from "./support.ts";

const command = fileURLToPath(new URL("../../../scripts/kiln.mjs", import.meta.url));
const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const KEY = sampleOf("azure-openai-key").secret;

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command, in a folder, as a shell runs it. */
function kiln(cwd: string, args: readonly string[], input?: string): Promise<Finished> {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", KILN_HOME: `${cwd}/.kiln-home` },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input ?? "");
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

describe("kiln scan", () => {
  it("ends with 0 and says what it searched, when there is nothing", async () => {
    using folder = new Folder();
    folder.write("file", "clean\n");
    const { code, stdout, stderr } = await kiln(folder.root, ["scan"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/no secret in 1 text/);
  });

  it("ends with 5 and names the place, never the secret, in every form", async () => {
    using folder = new Folder();
    folder.write("src/a.ts", `\nconst key = "${KEY}";\n`);
    folder.write("picture", Buffer.from([1, 0, 2]));
    const text = await kiln(folder.root, ["scan", "src", "picture"]);
    const json = await kiln(folder.root, ["scan", "--json"]);
    const sarif = await kiln(folder.root, ["scan", "--format", "sarif"]);
    const both = await kiln(folder.root, [
      "scan",
      "src",
      "--format",
      "sarif",
      "--output",
      "out.sarif",
      "--json",
    ]);
    for (const { code, stdout, stderr } of [text, json, sarif, both]) {
      expect(code).toBe(5);
      expect(stderr).toBe("");
      expect(stdout).not.toContain(KEY);
    }
    expect(text.stdout).toMatch(/src\/a\.ts:2:14 {2}an Azure OpenAI key \(azure-openai-key\)/);
    expect(text.stdout).toMatch(/not searched: 1 binary/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verb: "scan",
      result: "found",
      findings: [
        { rule: "azure-openai-key", path: "src/a.ts", line: 2, column: 14, fingerprint: expect.any(String) },
      ],
      skipped: [{ path: "picture", reason: "binary" }],
      scanned: { count: 1, bytes: expect.any(Number) },
      durationMs: expect.any(Number),
      error: { code: "SecretsFound", next: expect.any(String) },
    });
    expect(JSON.parse(sarif.stdout)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ level: "error" }] }],
    });
    expect(JSON.parse(both.stdout)).toMatchObject({ result: "found" });
    const written = readFileSync(folder.at("out.sarif"), "utf8");
    expect(JSON.parse(written).runs[0].results).toHaveLength(1);
    expect(written).not.toContain(KEY);
  });

  it("keeps a baseline, with which the same is clean and more is not", async () => {
    using repository = new Repository();
    repository.write("a", KEY);
    repository.commit();
    const args = ["scan", "--baseline", "known.json"];
    expect((await kiln(repository.root, [...args, "--write-baseline"])).code).toBe(0);
    expect(readFileSync(repository.at("known.json"), "utf8")).not.toContain(KEY);
    expect((await kiln(repository.root, args)).code).toBe(0);
    expect((await kiln(repository.root, [...args, "--history"])).code).toBe(0);
    repository.write("b", KEY);
    expect((await kiln(repository.root, args)).code).toBe(5);
  });

  it("reads what is piped in, and a range, and what is staged", async () => {
    using repository = new Repository();
    repository.commit();
    repository.write("a", KEY);
    repository.git("add", "a");
    expect((await kiln(repository.root, ["scan", "--staged"])).code).toBe(5);
    repository.commit();
    expect((await kiln(repository.root, ["scan", "--range", "HEAD~1..HEAD"])).code).toBe(5);
    expect((await kiln(repository.root, ["scan", "--log", "-"], `x ${KEY}`)).code).toBe(5);
    expect((await kiln(repository.root, ["scan", "--log", "-"], "AZURE_OPENAI_API_KEY: ***")).code).toBe(0);
  });

  it.each([
    ["a path that is not there", ["nowhere"]],
    ["no repository", ["--history"]],
    ["a log that is not there", ["--log", "no.log"]],
    ["a baseline that is not there", ["--baseline", "no.json"]],
    ["a baseline to be written nowhere", ["--write-baseline"]],
    ["two things at once", ["file", "--history"]],
    ["a form that is none", ["--format", "xml"]],
    ["two documents on stdout", ["--format", "sarif", "--json"]],
    ["a file for text", ["--output", "x"]],
    ["a file in a folder that is not there", ["file", "--format", "sarif", "--output", "no/such/out.sarif"]],
    ["reflogs without the history", ["--reflog"]],
  ])("ends with 2 and says what, why and what next: %s", async (_, args) => {
    using folder = new Folder();
    folder.write("file", "clean\n");
    const { code, stdout, stderr } = await kiln(folder.root, ["scan", ...args]);
    expect(code).toBe(2);
    const told = args.includes("--json") ? JSON.stringify(JSON.parse(stdout)) : stderr;
    for (const part of args.includes("--json") ? ["message", "cause", "next"] : ["error:", "why:", "next:"]) {
      expect(told).toContain(part);
    }
  });

  it("is not to be had with --help: what it needs is not loaded", async () => {
    using folder = new Folder();
    folder.write(
      "told.mjs",
      'import module from "node:module"; process.on("exit", () => console.error(JSON.stringify(performance.getEntriesByType("mark").length))); module.registerHooks({ load: (url, context, next) => { if (url.includes("secretlint")) console.error("loaded"); return next(url, context); } });',
    );
    const loaded = (args: readonly string[]) =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, ["--import", folder.at("told.mjs"), command, ...args], {
          cwd: folder.root,
        });
        let stderr = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        child.on("close", () => resolve(stderr));
      });
    expect(await loaded(["--help"])).not.toContain("loaded");
    expect(await loaded(["scan", "--help"])).not.toContain("loaded");
    // The same hook does see it where it is needed.
    expect(await loaded(["scan", "told.mjs"])).toContain("loaded");
  });

  it("scans one thing", () => {
    const none = { paths: [], format: "text" } as const;
    expect(targetOf(none)).toEqual({ kind: "files", paths: [] });
    expect(targetOf({ ...none, history: true, reflog: true })).toEqual({ kind: "history", reflog: true });
    expect(() => targetOf({ ...none, staged: true, log: "x" })).toThrow(/more than one/);
  });
});

describe("kiln smoke --log", () => {
  it("of a log that is not there is wrong usage, before anybody is asked", async () => {
    using folder = new Folder();
    const { code, stderr } = await kiln(folder.root, ["smoke", "dev", "--log", "no.log"]);
    expect(code).toBe(2);
    expect(stderr).toContain("no.log");
  });
});

// What was handed over without its history has no list of what belongs to it either.
describe.skipIf(!existsSync(`${checkout}/.git`))("this repository", () => {
  it("is clean, with nothing allowed in vain", async () => {
    const { code, stdout } = await kiln(checkout, ["scan", "--json"]);
    const { findings, notices } = JSON.parse(stdout) as { findings: unknown[]; notices: unknown[] };
    expect({ code, findings, notices }).toEqual({ code: 0, findings: [], notices: [] });
  });

  it("has a clean history, where it is all here", async () => {
    const { code, stdout } = await kiln(checkout, ["scan", "--history", "--json"]);
    const { findings, error } = JSON.parse(stdout) as { findings?: unknown[]; error?: { message: string } };
    if (error?.message === "the history is not all here") expect(code).toBe(2);
    else expect({ code, findings }).toEqual({ code: 0, findings: [] });
  });
});
