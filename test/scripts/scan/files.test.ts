import { mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { sampleOf } from "./minted.ts";
import { everything, Folder, places, Repository } from "./support.ts";

const KEY = sampleOf("azure-openai-key").secret;
const REFUSED = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });

describe("the working tree", () => {
  it("is what git tracks and what it would, but not what it ignores", async () => {
    using repository = new Repository();
    repository.write(".gitignore", "*.env\nbuild/\n");
    repository.write("src/tracked.ts", `const key = "${KEY}";\n`);
    repository.commit();
    repository.write("src/untracked.ts", `\n\n  ${KEY}\n`);
    repository.write("local.env", KEY);
    repository.write("build/out.js", KEY);
    const report = await repository.scan();
    expect(places(report)).toEqual([
      "azure-openai-key src/tracked.ts:1:14",
      "azure-openai-key src/untracked.ts:3:3",
    ]);
    expect(report.scanned.count).toBe(3);
    expect(everything(report)).not.toContain(KEY);
  });

  it("is the whole tree, and named from its top, also from a folder within it", async () => {
    using repository = new Repository();
    repository.write("a/one.txt", KEY);
    repository.write("b/two.txt", KEY);
    const report = await repository.scan({ kind: "files", paths: [] }, { cwd: repository.at("a") });
    expect(places(report)).toEqual(["azure-openai-key a/one.txt:1:1", "azure-openai-key b/two.txt:1:1"]);
  });

  it("has no file that was deleted, and each in conflict once", async () => {
    using repository = new Repository();
    repository.write("file", "base\n");
    repository.write("gone", "gone\n");
    repository.commit();
    repository.git("checkout", "--quiet", "-b", "side");
    repository.write("file", "side\n");
    repository.commit();
    repository.git("checkout", "--quiet", "main");
    repository.write("file", "main\n");
    repository.commit();
    expect(() => repository.git("merge", "side")).toThrow();
    repository.write("file", `<<<<<<<\n${KEY}\n`);
    repository.git("rm", "--quiet", "--cached", "gone");
    repository.git(
      "update-index",
      "--add",
      "--cacheinfo",
      "100644",
      repository.git("hash-object", "-w", "file"),
      "absent",
    );
    const report = await repository.scan();
    expect(places(report)).toEqual(["azure-openai-key file:2:1"]);
    expect(report.skipped).toEqual([]);
  });

  it("is everything where there is no repository", async () => {
    using folder = new Folder();
    folder.write("deep/er/file.env", `x\r\ny ${KEY}\r\n`);
    const report = await folder.scan();
    expect(places(report)).toEqual(["azure-openai-key deep/er/file.env:2:3"]);
  });

  it("of another owner is refused by git, which is not the same as none", async () => {
    using repository = new Repository();
    repository.write(".git/config", "[core\nbroken");
    await expect(repository.scan()).rejects.toMatchObject({
      code: "GitFailed",
      cause: expect.stringMatching(/config/),
    });
  });
});

describe("paths", () => {
  it("that are named are searched even where git ignores them", async () => {
    using repository = new Repository();
    repository.write(".gitignore", "*.env\nbuild/\n");
    repository.write("local.env", KEY);
    repository.write("build/out.js", KEY);
    repository.write("other.txt", KEY);
    const report = await repository.scan({ kind: "files", paths: ["local.env", "build", "local.env"] });
    expect(places(report)).toEqual(["azure-openai-key local.env:1:1", "azure-openai-key build/out.js:1:1"]);
  });

  it("outside the repository are named whole", async () => {
    using repository = new Repository();
    using elsewhere = new Folder();
    elsewhere.write("file", KEY);
    const report = await repository.scan({ kind: "files", paths: [elsewhere.root] });
    expect(places(report)).toEqual([`azure-openai-key ${elsewhere.at("file")}:1:1`]);
  });

  it("that are not there are wrong usage", async () => {
    using folder = new Folder();
    await expect(folder.scan({ kind: "files", paths: ["nowhere"] })).rejects.toMatchObject({
      code: "Usage",
      exitCode: 2,
      message: expect.stringContaining("nowhere"),
      next: expect.any(String),
    });
  });
});

describe("what cannot be searched is told", () => {
  it("links, wherever they lead, which are not followed", async () => {
    using repository = new Repository();
    using elsewhere = new Folder();
    elsewhere.write("secret", KEY);
    repository.write("folder/file", "clean\n");
    repository.commit();
    symlinkSync(elsewhere.at("secret"), repository.at("link"));
    symlinkSync(elsewhere.root, repository.at("folder-link"));
    symlinkSync("/nowhere", repository.at("dangling"));
    const report = await repository.scan();
    expect(report.findings).toEqual([]);
    expect(report.skipped.map(({ path, reason }) => `${path}: ${reason}`).sort()).toEqual([
      "dangling: a link",
      "folder-link: a link",
      "link: a link",
    ]);
  });

  it("a folder that became a link to outside", async () => {
    using repository = new Repository();
    using elsewhere = new Folder();
    elsewhere.write("file", KEY);
    repository.git(
      "update-index",
      "--add",
      "--cacheinfo",
      "100644",
      repository.git("hash-object", "-w", elsewhere.at("file")),
      "folder/file",
    );
    symlinkSync(elsewhere.root, repository.at("folder"));
    const report = await repository.scan();
    expect(report.findings).toEqual([]);
    expect(report.skipped).toContainEqual({ path: "folder/file", reason: "a link" });
  });

  it("but a link that is named is followed", async () => {
    using folder = new Folder();
    using elsewhere = new Folder();
    elsewhere.write("secret", KEY);
    symlinkSync(elsewhere.at("secret"), folder.at("link"));
    expect((await folder.scan({ kind: "files", paths: ["link"] })).findings).toHaveLength(1);
  });

  it("binary files, by a zero byte", async () => {
    using folder = new Folder();
    folder.write("program", Buffer.concat([Buffer.from("MZ\0\0"), Buffer.from(KEY)]));
    const report = await folder.scan();
    expect(report).toMatchObject({
      findings: [],
      skipped: [{ path: "program", reason: "binary" }],
      scanned: { count: 0 },
    });
  });

  it("files that are too large", async () => {
    using folder = new Folder();
    folder.write("dump.sql", Buffer.alloc(16 * 1024 * 1024 + 1, "a\n"));
    expect((await folder.scan()).skipped).toEqual([{ path: "dump.sql", reason: "too large" }]);
  });

  it("files that cannot be read, and the rest is searched", async () => {
    using folder = new Folder();
    folder.write("a", KEY);
    folder.write("b", KEY);
    const read = (file: string) =>
      file.endsWith("a") ? Promise.reject(REFUSED) : Promise.resolve(Buffer.from(KEY));
    const report = await folder.scan(undefined, { read });
    expect(report.skipped).toEqual([{ path: "a", reason: "unreadable (EACCES)" }]);
    expect(places(report)).toEqual(["azure-openai-key b:1:1"]);
  });

  it("sockets and pipes, which would never end", async () => {
    using folder = new Folder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(folder.at("socket"), resolve));
    const report = await folder.scan();
    await new Promise((resolve) => server.close(resolve));
    expect(report.skipped).toEqual([{ path: "socket", reason: "no ordinary file" }]);
  });

  it("repositories within", async () => {
    using repository = new Repository();
    repository.write("file", "clean\n");
    repository.commit();
    mkdirSync(repository.at("inner"));
    repository.git("-C", "inner", "init", "--quiet");
    repository.write("inner/file", KEY);
    const report = await repository.scan();
    expect(report.skipped).toEqual([{ path: "inner", reason: "a repository of its own" }]);
    expect((await repository.scan({ kind: "files", paths: ["inner/file"] })).findings).toHaveLength(1);
  });
});

describe("texts of every kind", () => {
  it.each([
    [
      "little-endian UTF-16 with a mark",
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`line\r\nkey ${KEY}`, "utf16le")]),
    ],
    ["little-endian UTF-16 without one", Buffer.from(`line\r\nkey ${KEY}`, "utf16le")],
    [
      "big-endian UTF-16 with a mark",
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(`line\r\nkey ${KEY}`, "utf16le").swap16()]),
    ],
    ["UTF-8 with a mark", Buffer.from(`\ufeffline\r\nkey ${KEY}`)],
    ["Latin-1", Buffer.from(`l\u00e4\u00dfe\r\nkey ${KEY}`, "latin1")],
  ])("%s", async (_, bytes) => {
    using folder = new Folder();
    folder.write("file", bytes);
    expect(places(await folder.scan())).toEqual(["azure-openai-key file:2:5"]);
  });

  it("a line of some million characters", async () => {
    using folder = new Folder();
    folder.write("bundle.js", `${"var a=1;".repeat(500_000)}${KEY}${";".repeat(500_000)}`);
    expect(places(await folder.scan())).toEqual(["azure-openai-key bundle.js:1:4000001"]);
  });

  it("a file's name, which is then shown without it", async () => {
    using folder = new Folder();
    folder.write(`${KEY}.txt`, "clean");
    const report = await folder.scan();
    expect(places(report)).toEqual(["azure-openai-key [removed].txt:1:1"]);
    expect(everything(report)).not.toContain(KEY);
  });

  it("names that would write over a terminal", async () => {
    using folder = new Folder();
    folder.write("a\u001b[2Jb", KEY);
    expect(places(await folder.scan())).toEqual(["azure-openai-key a\\u001b[2Jb:1:1"]);
  });
});
