import { describe, expect, it } from "vitest";
import { baselineText, loadBaseline } from "../../../scripts/lib/scan/config.ts";
import { fingerprint } from "../../../scripts/lib/scan/fingerprint.ts";
import { inlineAllowances } from "../../../scripts/lib/scan/inline.ts";
import { sampleOf } from "./minted.ts";
import { everything, Folder, piped, places, Repository } from "./support.ts";

const KEY = sampleOf("azure-openai-key").secret;
const GITHUB = sampleOf("github-token").secret;
const PASSWORD = sampleOf("url-password");
const WHY = "a key that a test made up";
const comment = (...words: string[]) =>
  ["kiln-scan", "allow:", ...words].join("-").replaceAll("allow:-", "allow: ");
const TODAY = new Date("2026-11-21T12:00:00Z");

describe("the allow list", () => {
  it.each([
    ["a path", { path: "test/a.txt" }],
    ["a glob", { path: "test/**" }],
    ["a rule at a path", { path: "**/a.txt", rule: "azure-openai-key" }],
    ["a pattern in the secret", { pattern: `^${KEY.slice(0, 4)}` }],
    ["a kind of scan", { path: "test/a.txt", in: ["files"] }],
    ["up to a day that has not passed", { path: "test/a.txt", expires: "2026-11-21" }],
    ["a fingerprint", { fingerprint: fingerprint("azure-openai-key", "test/a.txt", KEY, false) }],
  ])("allows by %s", async (_, entry) => {
    using folder = new Folder();
    folder.write("test/a.txt", KEY);
    folder.allow({ ...entry, reason: WHY });
    const report = await folder.scan(undefined, { now: TODAY });
    expect(report).toMatchObject({ findings: [], allowed: { list: 1, inline: 0, baseline: 0 }, notices: [] });
  });

  it.each([
    ["another path", { path: "test/b.txt" }],
    ["another rule", { path: "test/**", rule: "github-token" }],
    ["another secret", { pattern: "^nothing like it" }],
    ["another kind of scan", { path: "test/a.txt", in: ["history", "logs"] }],
    ["a day that has passed", { path: "test/a.txt", expires: "2026-11-20" }],
    ["another fingerprint", { fingerprint: "0".repeat(40) }],
    ["one part that fits of two", { path: "test/a.txt", pattern: "^nothing like it" }],
  ])("does not allow by %s", async (_, entry) => {
    using folder = new Folder();
    folder.write("test/a.txt", KEY);
    folder.allow({ ...entry, reason: WHY });
    const report = await folder.scan(undefined, { now: TODAY });
    expect(places(report)).toEqual(["azure-openai-key test/a.txt:1:1"]);
    expect(everything(report)).not.toContain(KEY);
  });

  it("says which entries ended, and which let nothing pass any more", async () => {
    using folder = new Folder();
    folder.write("a.txt", KEY);
    folder.allow(
      { path: "a.txt", reason: WHY, expires: "2026-11-20" },
      { path: "gone.txt", reason: WHY },
      { path: "gone.txt", reason: WHY, in: ["history"] },
    );
    const { notices } = await folder.scan(undefined, { now: TODAY });
    expect(notices).toEqual([
      expect.stringMatching(/allow\[0\] \(a\.txt\) ended on 2026-11-20/),
      expect.stringMatching(/allow\[1\] \(gone\.txt\) lets nothing pass/),
    ]);
    // Of a part nobody can tell.
    const part = await folder.scan({ kind: "files", paths: ["a.txt"] }, { now: TODAY });
    expect(part.notices).toEqual([expect.stringMatching(/ended/)]);
  });

  it("is told whole when it is wrong, and nothing of it beside", async () => {
    using folder = new Folder();
    folder.allow(
      { path: "a.txt" },
      { path: "a.txt", reason: "short" },
      { reason: WHY },
      { path: "**", reason: WHY },
      { pattern: ".*", reason: WHY },
      { pattern: `(${KEY}`, reason: WHY },
      { path: "a.txt", rule: "no-such-rule", reason: WHY },
      { path: "a.txt", expires: "tomorrow", reason: WHY },
      { path: "a.txt", fingerprint: "abc", reason: WHY },
      { path: "a.txt", reason: WHY, until: "2027-01-01" },
      { path: "a.txt", reason: WHY, in: ["everywhere"] },
    );
    const failure = await folder.scan().catch((error: unknown) => error as Record<string, unknown>);
    expect(failure).toMatchObject({ code: "ConfigInvalid", exitCode: 2, next: expect.any(String) });
    const { problems } = failure as { problems: { key: string; message: string }[] };
    expect(problems.map(({ key }) => key)).toEqual([
      "allow.0.reason",
      "allow.1.reason",
      "allow.2",
      "allow.3.path",
      "allow.4.pattern",
      "allow.5.pattern",
      "allow.6.rule",
      "allow.7.expires",
      "allow.8.fingerprint",
      "allow.9",
      "allow.10.in.0",
    ]);
    expect(JSON.stringify(failure)).not.toContain(KEY);
  });

  it("that is not JSON is refused without a word of what it holds", async () => {
    using folder = new Folder();
    folder.write(".kiln/scan.json", `{ "version": 1, ${KEY}`);
    const failure = await folder.scan().catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: "Usage", exitCode: 2, cause: expect.stringContaining("not JSON") });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(KEY.slice(0, 10));
  });
});

describe("an allowance in a line", () => {
  it.each([
    ["at its end", `key: ${KEY} # ${comment("azure-openai-key")} -- ${WHY}`],
    ["on a line of its own before", `  // ${comment("azure-openai-key")} -- ${WHY}\n  key: ${KEY}`],
    ["in a comment that is closed", `<!-- ${comment("azure-openai-key")} -- ${WHY} -->\r\n${KEY}`],
    ["in a block", `/* ${comment("azure-openai-key")} -- ${WHY} */ ${KEY}`],
  ])("lets pass: %s", async (_, text) => {
    using folder = new Folder();
    folder.write("file", text);
    expect(await folder.scan()).toMatchObject({ findings: [], allowed: { inline: 1 }, notices: [] });
  });

  it("speaks for its rule and its line only", async () => {
    using folder = new Folder();
    folder.write("file", `${KEY} # ${comment("azure-openai-key")} -- ${WHY}\n${KEY}\n`);
    folder.write("other", `${KEY} ${GITHUB} # ${comment("azure-openai-key")} -- ${WHY}`);
    expect(places(await folder.scan())).toEqual([
      "azure-openai-key file:2:1",
      `github-token other:1:${KEY.length + 2}`,
    ]);
  });

  it.each([
    ["no reason", comment("azure-openai-key")],
    ["an empty reason", `${comment("azure-openai-key")} -- */`],
    ["a reason that says nothing", `${comment("azure-openai-key")} -- ok`],
    ["no rule", `${comment("")} -- ${WHY}`],
    ["a rule that is none", `${comment("azure-openai-keys")} -- ${WHY}`],
  ])("is itself a finding with %s, and lets nothing pass", async (_, allowance) => {
    using folder = new Folder();
    folder.write("file", `${KEY} # ${allowance}`);
    expect(places(await folder.scan()).sort()).toEqual([
      "azure-openai-key file:1:1",
      `faulty-allowance file:1:${KEY.length + 4}`,
    ]);
  });

  it("that nothing needs is told", async () => {
    using folder = new Folder();
    folder.write("file", `\n# ${comment("azure-openai-key")} -- ${WHY}\nclean`);
    expect(await folder.scan()).toMatchObject({
      findings: [],
      notices: [expect.stringContaining("file:2 allows azure-openai-key, which is not there")],
    });
  });

  it("may be written of in documentation", () => {
    expect(inlineAllowances(`\`${comment("<rule>")} -- reason\``)).toEqual([]);
  });

  it("holds for the version that has it, in the history", async () => {
    using repository = new Repository();
    repository.write("file", `${KEY} # ${comment("azure-openai-key")} -- ${WHY}`);
    repository.commit();
    expect(await repository.scan({ kind: "history", reflog: false })).toMatchObject({
      findings: [],
      allowed: { inline: 1 },
    });
  });

  it("counts for nothing in a log, which any program may write to", async () => {
    using folder = new Folder();
    const report = await folder.scan(
      { kind: "log", file: "-" },
      { stdin: piped(`${KEY} # ${comment("azure-openai-key")} -- ${WHY}`) },
    );
    expect(report.findings).toHaveLength(1);
  });
});

describe("a baseline", () => {
  it("lets pass what was known, wherever in the file it went, and nothing new", async () => {
    using folder = new Folder();
    folder.write("a.txt", `${KEY}\n`);
    folder.write("b.txt", `${PASSWORD.text}\n`);
    const before = await folder.scan();
    const text = baselineText(before.findings);
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(PASSWORD.secret);
    const baseline = loadBaseline(folder.write("baseline.json", text));
    folder.write("a.txt", `\n\n   ${KEY}\n`);
    expect(await folder.scan(undefined, { baseline })).toMatchObject({
      findings: [],
      allowed: { baseline: 2 },
      notices: [],
    });
    folder.write("a.txt", `${GITHUB}\n`);
    folder.write("c.txt", KEY);
    const after = await folder.scan(undefined, { baseline });
    expect(places(after)).toEqual(["github-token a.txt:1:1", "azure-openai-key c.txt:1:1"]);
    expect(after.notices).toEqual([expect.stringMatching(/baseline's .* of a\.txt is no longer found/)]);
  });

  it("is written in order, each finding once", () => {
    const entry = (path: string, print: string) => ({ fingerprint: print.repeat(40), rule: "r", path });
    const text = baselineText([entry("b", "2"), entry("a", "1"), entry("b", "2"), entry("a", "0")]);
    expect(JSON.parse(text).findings.map((each: { fingerprint: string }) => each.fingerprint[0])).toEqual([
      "0",
      "1",
      "2",
    ]);
  });

  it.each([
    ["is not there", undefined],
    ["is not JSON", `{"findings": "${GITHUB}`],
    ["is of another form", '{"version":2,"findings":[{"fingerprint":"x"}]}'],
  ])("that %s is refused", (_, content) => {
    using folder = new Folder();
    const file = folder.at("baseline.json");
    if (content !== undefined) folder.write("baseline.json", content);
    let failure: unknown;
    try {
      loadBaseline(file);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ exitCode: 2, next: expect.stringContaining("--write-baseline") });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(GITHUB);
  });
});

describe("a fingerprint", () => {
  it("is of rule, path and secret, and of nothing else", () => {
    const prints = [
      fingerprint("r", "p", "s", false),
      fingerprint("q", "p", "s", false),
      fingerprint("r", "q", "s", false),
      fingerprint("r", "p", "t", false),
      fingerprint("r", "p", "s", true),
      fingerprint("rp", "", "s", false),
    ];
    expect(new Set(prints).size).toBe(prints.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{40}$/);
    expect(fingerprint("r", "p", "s", true)).toBe(prints[4]);
  });
});
