import { unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sampleOf } from "./minted.ts";
import { everything, Folder, places, Repository } from "./support.ts";

const KEY = sampleOf("azure-openai-key").secret;
const OTHER = sampleOf("azure-cognitive-key").secret;
const PASSWORD = sampleOf("url-password");
const HISTORY = { kind: "history", reflog: false } as const;
const ZEROS = "0".repeat(40);

describe("the history", () => {
  it("has what was committed and taken out again, which the files have not", async () => {
    using repository = new Repository();
    repository.write("readme", "hello\n");
    repository.commit();
    repository.write("src/config.ts", `export const key =\n  "${KEY}";\n`);
    const leaked = repository.commit();
    repository.write("src/config.ts", "export const key = process.env.KEY;\n");
    repository.commit();
    expect((await repository.scan()).findings).toEqual([]);
    const report = await repository.scan(HISTORY);
    expect(report.findings).toMatchObject([
      { rule: "azure-openai-key", path: "src/config.ts", line: 2, column: 4, commit: leaked, versions: 1 },
    ]);
    expect(everything(report)).not.toContain(KEY);
    // Three messages, and three versions of two files.
    expect(report.scanned.count).toBe(6);
  });

  it("tells one secret in many versions of a file once, at its first commit", async () => {
    using repository = new Repository();
    repository.write("file", `${KEY}\n`);
    const first = repository.commit();
    for (let more = 0; more < 4; more++) {
      repository.write("file", `${"\n".repeat(more + 1)}${KEY}\n`);
      repository.commit();
    }
    const { findings } = await repository.scan(HISTORY);
    expect(findings).toMatchObject([{ commit: first, line: 1, versions: 5 }]);
  });

  it("tells every path that a content had", async () => {
    using repository = new Repository();
    repository.write("old name.txt", KEY);
    const first = repository.commit();
    repository.git("mv", "old name.txt", "n\u00e9w\tname.txt");
    const second = repository.commit();
    const { findings } = await repository.scan(HISTORY);
    expect(findings).toMatchObject([
      { path: "old name.txt", commit: first },
      { path: "n\u00e9w\\tname.txt", commit: second },
    ]);
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });

  it("has what came by a side branch, and what only the merge itself made", async () => {
    using repository = new Repository();
    repository.write("file", "base\n");
    repository.commit();
    repository.git("checkout", "--quiet", "-b", "side");
    repository.write("side", KEY);
    const onSide = repository.commit();
    repository.git("checkout", "--quiet", "main");
    repository.write("main", "main\n");
    repository.commit();
    repository.git("merge", "--quiet", "--no-ff", "--no-commit", "side");
    repository.write("file", `resolved ${OTHER}\n`);
    repository.git("rm", "--quiet", "--force", "side");
    const merge = repository.commit("merge");
    repository.git("branch", "--quiet", "--delete", "side");
    const { findings } = await repository.scan(HISTORY);
    expect(findings).toMatchObject([
      { rule: "azure-openai-key", path: "side", commit: onSide },
      { rule: "azure-cognitive-key", path: "file", commit: merge },
    ]);
  });

  it("has every ref: other branches, tags, remotes, the stash; and with the reflogs what has none any more", async () => {
    using repository = new Repository();
    repository.write("file", "base\n");
    repository.commit();
    const kept: string[] = [];
    for (const name of ["branch", "tag", "remote", "deleted"]) {
      repository.git("checkout", "--quiet", "-b", name, "main");
      repository.write(name, `${name} ${KEY}\n`);
      kept.push(repository.commit());
    }
    repository.git("checkout", "--quiet", "main");
    repository.git("tag", "v1", "tag");
    repository.git("update-ref", "refs/remotes/origin/x", "remote");
    repository.git("branch", "--quiet", "-D", "tag", "remote", "deleted");
    repository.write("stashed", KEY);
    repository.git("add", "stashed");
    repository.git("stash", "push", "--quiet");
    const paths = async (reflog: boolean) =>
      (await repository.scan({ kind: "history", reflog })).findings.map(({ path }) => path).sort();
    expect(await paths(false)).toEqual(["branch", "remote", "stashed", "tag"]);
    expect(await paths(true)).toEqual(["branch", "deleted", "remote", "stashed", "tag"]);
  });

  it("has messages of commits and tags, names of files, and contents that only a tag names", async () => {
    using repository = new Repository();
    repository.write("file", "clean\n");
    const commit = repository.commit(`the key is ${KEY}`);
    repository.git("tag", "--annotate", "v1", "--message", `released with ${OTHER}`);
    repository.write("loose", `only here ${KEY}\n`);
    const content = repository.git("hash-object", "-w", "loose");
    repository.git("tag", "content", content);
    unlinkSync(repository.at("loose"));
    const report = await repository.scan(HISTORY);
    expect(report.findings.map(({ path, commit: of }) => [path, of]).sort()).toEqual([
      ["(commit message)", commit],
      ["(tag v1)", undefined],
      [content, undefined],
    ]);
    expect(everything(report)).not.toContain(KEY);
  });

  it("is not hidden by a replacement", async () => {
    using repository = new Repository();
    repository.write("file", KEY);
    const bad = repository.commit();
    repository.write("file", "clean\n");
    repository.git("add", "file");
    const tree = repository.git("write-tree");
    repository.git("replace", bad, repository.git("commit-tree", tree, "-m", "clean"));
    repository.write("file", "more\n");
    repository.commit();
    expect((await repository.scan(HISTORY)).findings).toMatchObject([{ path: "file", commit: bad }]);
  });

  it("tells what it cannot search", async () => {
    using repository = new Repository();
    repository.write("binary", Buffer.from([0, 1, 2, 3, 0]));
    repository.write("large", Buffer.alloc(16 * 1024 * 1024 + 1, "b"));
    repository.commit();
    const { skipped } = await repository.scan(HISTORY);
    expect(skipped.map(({ path, reason }) => `${path}: ${reason}`).sort()).toEqual([
      "binary: binary",
      "large: too large",
    ]);
  });

  it("is read to its end, however large its contents", async () => {
    using repository = new Repository();
    for (let file = 0; file < 40; file++)
      repository.write(`f${file}`, `${file}\n${"line\n".repeat(file * 3000)}`);
    repository.write("zz", `\n${KEY}`);
    repository.commit();
    const report = await repository.scan(HISTORY);
    expect(places(report)).toEqual(["azure-openai-key zz:2:1"]);
    expect(report.scanned.count).toBe(42);
  });

  it("of a bare repository is searched as well, and an empty one is clean", async () => {
    using repository = new Repository();
    expect((await repository.scan(HISTORY)).findings).toEqual([]);
    repository.write("file", KEY);
    repository.commit();
    using bare = new Folder();
    repository.git("clone", "--quiet", "--bare", repository.root, bare.at("bare"));
    const report = await bare.scan(HISTORY, { cwd: bare.at("bare") });
    expect(report.findings).toHaveLength(1);
  });

  it("that is not all here is refused", async () => {
    using repository = new Repository();
    repository.write("file", KEY);
    repository.commit();
    repository.write("file", "clean\n");
    repository.commit();
    using shallow = new Folder();
    repository.git("clone", "--quiet", "--depth", "1", `file://${repository.root}`, shallow.at("clone"));
    await expect(shallow.scan(HISTORY, { cwd: shallow.at("clone") })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
      next: expect.stringContaining("fetch-depth: 0"),
    });
  });

  it("of which something is gone is refused", async () => {
    using repository = new Repository();
    repository.write("file", KEY);
    repository.commit();
    const id = repository.git("rev-parse", "HEAD:file");
    unlinkSync(repository.at(`.git/objects/${id.slice(0, 2)}/${id.slice(2)}`));
    await expect(repository.scan(HISTORY)).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
      cause: expect.stringContaining(id),
    });
  });

  it.each([HISTORY, { kind: "staged" }, { kind: "range", range: "a..b" }] as const)(
    "needs a repository: $kind",
    async (target) => {
      using folder = new Folder();
      await expect(folder.scan(target)).rejects.toMatchObject({ code: "Usage", exitCode: 2 });
    },
  );

  it("ends with the signal", async () => {
    using repository = new Repository();
    repository.write("file", KEY);
    repository.commit();
    await expect(repository.scan(HISTORY, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});

describe("a range", () => {
  it("has what its commits brought, also what they took out again, and nothing older", async () => {
    using repository = new Repository();
    repository.write("old", KEY);
    const base = repository.commit();
    repository.write("new", `${OTHER}\n`);
    const brought = repository.commit();
    repository.write("new", "clean\n");
    repository.commit();
    const { findings } = await repository.scan({ kind: "range", range: `${base}..HEAD` });
    expect(findings).toMatchObject([{ rule: "azure-cognitive-key", path: "new", commit: brought }]);
    expect((await repository.scan({ kind: "range", range: "HEAD~1..HEAD" })).findings).toEqual([]);
    expect((await repository.scan({ kind: "range", range: `${ZEROS}..HEAD` })).findings).toHaveLength(2);
    expect((await repository.scan({ kind: "range", range: `${base}...HEAD` })).findings).toHaveLength(1);
  });

  it.each([
    "HEAD",
    "..",
    "HEAD..",
    "a b..c",
    "--all..HEAD",
    "nobody..HEAD",
    "HEAD..nobody",
    `${"1".repeat(40)}..HEAD`,
  ])("that is wrong is refused: %s", async (range) => {
    using repository = new Repository();
    repository.commit();
    await expect(repository.scan({ kind: "range", range })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
    });
  });
});

describe("what is staged", () => {
  it("is what the next commit brings, not what lies beside it", async () => {
    using repository = new Repository();
    repository.write("committed", KEY);
    repository.commit();
    repository.write("staged", `${PASSWORD.text}\n`);
    repository.git("add", "staged");
    writeFileSync(repository.at("staged"), "clean again\n");
    repository.write("unstaged", KEY);
    const report = await repository.scan({ kind: "staged" });
    expect(places(report)).toEqual([`url-password staged:1:${1 + PASSWORD.text.indexOf(PASSWORD.secret)}`]);
    expect(everything(report)).not.toContain(PASSWORD.secret);
  });

  it("may be the first commit of all, deletions, or the same content twice", async () => {
    using repository = new Repository();
    repository.write("a", KEY);
    repository.write("b", KEY);
    repository.git("add", "--all");
    expect(places(await repository.scan({ kind: "staged" }))).toEqual([
      "azure-openai-key a:1:1",
      "azure-openai-key b:1:1",
    ]);
    repository.commit();
    repository.git("rm", "--quiet", "a");
    expect((await repository.scan({ kind: "staged" })).findings).toEqual([]);
  });
});
