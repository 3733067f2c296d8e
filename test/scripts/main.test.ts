import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main, subjectOf } from "../../scripts/main.ts";

describe("what a command line is about", () => {
  it.each([
    [["up", "dev"], { verb: "up", env: "dev" }],
    [["--cloud", "azure", "down", "pr-7", "--yes"], { verb: "down", env: "pr-7" }],
    [["status", "--cloud", "azure", "dev"], { verb: "status", env: "dev" }],
    [["preview"], { verb: "preview" }],
    [["sandbox"], { verb: "sandbox" }],
    [["sandbox", "clock", "advance", "1h"], { verb: "sandbox clock" }],
    [["engine", "--look"], { verb: "engine" }],
    [["bake", "dev"], { verb: "bake" }],
    [["--json"], {}],
    [[], {}],
  ])("%j", (args, subject) => {
    expect(subjectOf(args)).toEqual(subject);
  });
});

let stdout = "";
let stderr = "";
const keep = (take: (text: string) => void) => (text: string | Uint8Array) => {
  take(stripVTControlCharacters(String(text)));
  return true;
};

/** What the command listens to for the rest of its process, here of the file. */
const lasting: readonly (readonly [NodeJS.EventEmitter, string])[] = [
  [process, "unhandledRejection"],
  [process.stdout, "error"],
  [process.stderr, "error"],
];
let before: ReturnType<NodeJS.EventEmitter["listeners"]>[];

beforeEach(() => {
  before = lasting.map(([emitter, name]) => emitter.listeners(name));
  stdout = "";
  stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation(
    keep((text) => {
      stdout += text;
    }),
  );
  vi.spyOn(process.stderr, "write").mockImplementation(
    keep((text) => {
      stderr += text;
    }),
  );
});
afterEach(() => {
  for (const [at, [emitter, name]] of lasting.entries())
    for (const listener of emitter.listeners(name))
      if (!before[at]?.includes(listener)) emitter.off(name, listener as () => void);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const wrong: [args: string[], message: RegExp, next: string, subject: object][] = [
  [["bake", "dev"], /^unknown command 'bake'$/, "See `kiln --help`.", { verb: "bake" }],
  [["up", "dev", "--fast"], /^unknown option '--fast'$/, "See `kiln up --help`.", { verb: "up", env: "dev" }],
  [["up"], /^missing required argument 'env'$/, "See `kiln up --help`.", { verb: "up" }],
  [["up", "dev", "more"], /^too many arguments/, "See `kiln up --help`.", { verb: "up", env: "dev" }],
  [
    ["down", "dev", "--cloud", "mars"],
    /^option '--cloud <cloud>' argument 'mars' is invalid\. Allowed choices are sandbox, azure\.$/,
    "See `kiln down --help`.",
    { verb: "down", env: "dev" },
  ],
  [
    ["sandbox", "start", "--port", "70000"],
    /A port is 1 to 65535\.$/,
    "See `kiln sandbox start --help`.",
    { verb: "sandbox start" },
  ],
  [
    ["sandbox", "clock", "advance", "soon"],
    /A span is a number and ms, s, m, h or d/,
    "See `kiln sandbox clock --help`.",
    { verb: "sandbox clock" },
  ],
  [["sandbox", "stat"], /^unknown command 'stat'$/, "See `kiln sandbox --help`.", { verb: "sandbox stat" }],
  [
    ["sandbox", "kubernetes", "begin"],
    /^unknown command 'begin'$/,
    "See `kiln sandbox kubernetes --help`.",
    { verb: "sandbox kubernetes" },
  ],
  [[], /^no command was given$/, "See `kiln --help`.", {}],
];

describe("wrong usage ends with 2", () => {
  it.each(wrong)("%j, told to people on stderr", async (args, message, next) => {
    expect(await main(args)).toBe(2);
    const lines = stderr.trimEnd().split("\n");
    expect(lines[0]?.replace(/^error: /, "")).toMatch(message);
    expect(lines[0]).toMatch(/^error: /);
    expect(lines.slice(1).map((line) => line.slice(0, 8))).toEqual(["  why:  ", "  next: ", "  code: "]);
    expect(lines[2]).toBe(`  next: ${next}`);
    expect(lines[3]).toBe("  code: Usage");
    expect(stdout).toBe("");
  });

  // Alone, --json is an option that nobody knows.
  it.each(wrong.filter(([args]) => args.length > 0))(
    "%j --json, told in one document on stdout",
    async (args, message, next, subject) => {
      expect(await main([...args, "--json"])).toBe(2);
      const { error, ...rest } = JSON.parse(stdout) as { error: Record<string, unknown> };
      expect(rest).toEqual({ ...subject, result: "failed" });
      expect(error.message).toMatch(message);
      expect(error.next).toBe(next);
      expect(error.code).toBe("Usage");
      expect(stderr).toBe("");
    },
  );

  it("suggests what was meant", async () => {
    expect(await main(["statsu", "dev"])).toBe(2);
    expect(stderr).toContain("Did you mean status?");
  });

  it("for an environment that there is not, before anything is touched", async () => {
    vi.stubEnv("KILN_HOME", "/nowhere/that/can/be");
    expect(await main(["up", "production", "--json"])).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      verb: "up",
      env: "production",
      result: "failed",
      error: {
        code: "InvalidConfiguration",
        message: expect.stringContaining("did you mean prod?"),
        next: "Use one of the allowed names.",
        problems: [{ file: "", key: "environment" }],
      },
    });
    expect(stderr).toBe("");
  });

  it.each(["up", "down"])("for %s in Azure where nobody can be asked", async (verb) => {
    expect(await main([verb, "dev", "--cloud", "azure", "--json"])).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "Usage", next: "Add --yes." } });
  });
});

describe("help and version end with 0", () => {
  it("kiln --help tells of every verb and of the exit codes", async () => {
    expect(await main(["--help"])).toBe(0);
    for (const verb of ["up", "preview", "down", "status", "smoke", "env", "sandbox", "engine"])
      expect(stdout).toMatch(new RegExp(`^ {2}${verb}\\b`, "m"));
    expect(stdout).toContain("2 wrong usage or configuration");
    expect(stderr).toBe("");
  });

  it("kiln --version is that of the package", async () => {
    expect(await main(["--version"])).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

it("listens to signals only while it works", async () => {
  const before = process.listenerCount("SIGINT");
  await main(["--version"]);
  expect(process.listenerCount("SIGINT")).toBe(before);
});
