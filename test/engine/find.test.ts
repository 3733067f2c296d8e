import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findEngine } from "../../engine/index.ts";
import { writeManifest } from "../../engine/manifest.ts";
import { cacheKey, defaultCacheDir, onPath } from "../../engine/paths.ts";
import { printedVersion } from "../../engine/processes.ts";
import { pinned } from "../../engine/pulumi/recipe.ts";
import { environment, fakePulumi, fillStaging, program, scratch, script } from "./support.ts";

const recipes = ["test:1"];

/** A complete engine in the cache. */
async function cachedEngine(cacheDir: string, recipe = "test:1"): Promise<string> {
  const dir = join(cacheDir, cacheKey(pinned.version));
  await fillStaging(dir);
  const about = {
    version: pinned.version,
    made: "built",
    recipe,
    madeAt: "2026-01-02T03:04:05.000Z",
  } as const;
  await writeManifest(dir, about);
  return dir;
}

async function world() {
  const dir = await scratch();
  const cacheDir = join(dir, "cache");
  const bin = join(dir, "bin");
  const find = (extra: { verify?: boolean; path?: string[] } = {}) =>
    findEngine({
      cacheDir,
      env: environment(dir, ...(extra.path ?? [bin])),
      recipes,
      ...(extra.verify !== undefined && { verify: extra.verify }),
    });
  return { dir, cacheDir, bin, find };
}

describe("the cache's place", () => {
  test.each([
    [{ KILN_ENGINE_CACHE: "/k", XDG_CACHE_HOME: "/x", HOME: "/h" }, "/k"],
    [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/kiln/engine"],
    [{ XDG_CACHE_HOME: "relative", HOME: "/h" }, "/h/.cache/kiln/engine"],
    [{ HOME: "/h" }, "/h/.cache/kiln/engine"],
  ])("%j", (env, expected) => expect(defaultCacheDir(env)).toBe(expected));
});

describe("PATH", () => {
  test("finds executables in its order, once, and no folders, plain files or relative entries", async () => {
    const dir = await scratch();
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => join(dir, name)) as [
      string,
      string,
      string,
      string,
    ];
    await script(join(a, "tool"), "");
    await script(join(b, "tool"), "");
    await mkdir(join(c, "tool"), { recursive: true });
    await mkdir(d);
    await writeFile(join(d, "tool"), "not executable");
    const env = { PATH: [b, c, "relative", "", d, a, b].join(":") };
    expect(await onPath("tool", env)).toEqual([join(b, "tool"), join(a, "tool")]);
    expect(await onPath("tool", {})).toEqual([]);
  });
});

describe("a pulumi on PATH", () => {
  test("is chosen when it is complete", async () => {
    const { bin, find } = await world();
    const pulumi = await fakePulumi(bin, "3.245.0");
    const { engine } = await find();
    expect(engine).toMatchObject({ pulumi, binDir: bin, version: "3.245.0", source: "path" });
    expect(engine?.reason).toContain("version 3.245.0 is within >=3.220.0 <4");
    expect(engine?.considered).toHaveLength(1);
  });

  test("comes before the cache", async () => {
    const { bin, find, cacheDir } = await world();
    await cachedEngine(cacheDir);
    await fakePulumi(bin, "3.245.0");
    expect((await find()).engine?.source).toBe("path");
  });

  test("gives way to a later one when it is too old, and both are told", async () => {
    const { dir, bin, find } = await world();
    const old = await fakePulumi(join(dir, "old"), "3.100.0");
    const good = await fakePulumi(bin, "3.230.0");
    const { engine } = await find({ path: [join(dir, "old"), bin] });
    expect(engine?.pulumi).toBe(good);
    expect(engine?.considered).toEqual([
      { candidate: old, verdict: "version 3.100.0 is outside >=3.220.0 <4" },
      { candidate: good, verdict: expect.stringContaining("chosen") },
    ]);
  });

  test("may be a link to an installation elsewhere, whose folder then comes first on PATH", async () => {
    const { dir, bin, find } = await world();
    const home = join(dir, "opt", "pulumi");
    await fakePulumi(home, "3.245.0");
    await mkdir(bin);
    await symlink(join(home, "pulumi"), join(bin, "pulumi"));
    expect((await find()).engine).toMatchObject({ pulumi: join(bin, "pulumi"), binDir: home });
  });

  test("without its language host is refused, and the cache is taken", async () => {
    const { bin, find, cacheDir } = await world();
    await cachedEngine(cacheDir);
    await fakePulumi(bin, "3.245.0", []);
    const { engine } = await find();
    expect(engine?.source).toBe("cache-built");
    expect(engine?.considered[0]?.verdict).toContain("pulumi-language-nodejs");
  });

  test("that fails is refused with its own words", async () => {
    const { bin, find } = await world();
    await script(join(bin, "pulumi"), "echo the license expired >&2; exit 3");
    const { engine, considered } = await find();
    expect(engine).toBeUndefined();
    expect(considered[0]?.verdict).toContain("the license expired");
  });

  test("that hangs, with a child that holds its output, is ended", async () => {
    const { dir, bin } = await world();
    const fifo = join(dir, "never");
    const hang = await script(join(bin, "pulumi"), `mkfifo ${fifo}; cat ${fifo} & wait`);
    expect(await printedVersion(hang, ["version"], environment(dir), 200)).toMatchObject({
      failure: "no answer within 0.2 s",
    });
  });

  test("is the cached engine itself when `kiln env` put that on PATH", async () => {
    const { cacheDir, find } = await world();
    const engineDir = await cachedEngine(cacheDir);
    const { engine } = await find({ path: [join(engineDir, "bin")] });
    expect(engine?.source).toBe("cache-built");
  });

  test("is asked for its version once, until its file changes", async () => {
    const { dir, bin, find } = await world();
    await fakePulumi(bin, "3.245.0");
    const asked = join(dir, "asked");
    const pulumi = await program(join(bin, "pulumi"), `echo asked >> ${asked}; echo v3.245.0`);
    const times = async () => (await readFile(asked, "utf8")).split("\n").length - 1;
    expect((await find()).engine?.version).toBe("3.245.0");
    expect((await find()).engine?.version).toBe("3.245.0");
    expect(await times()).toBe(1);
    await program(pulumi, `echo asked again >> ${asked}; echo v3.246.0`);
    expect((await find()).engine?.version).toBe("3.246.0");
    expect(await times()).toBe(2);
  });

  test("is asked each time when it is a launcher, which can start another version tomorrow", async () => {
    const { dir, bin, find } = await world();
    await fakePulumi(bin, "3.245.0");
    const version = join(dir, "version");
    await script(join(bin, "pulumi"), `cat ${version}`);
    await writeFile(version, "v3.245.0");
    expect((await find()).engine?.version).toBe("3.245.0");
    await writeFile(version, "v3.250.0");
    expect((await find()).engine?.version).toBe("3.250.0");
  });

  test("does not depend on a damaged memory of versions", async () => {
    const { bin, cacheDir, find } = await world();
    await fakePulumi(bin, "3.245.0");
    await program(join(bin, "pulumi"), "echo v3.245.0");
    await mkdir(cacheDir);
    await writeFile(join(cacheDir, "path-versions.json"), "{ half");
    expect((await find()).engine?.version).toBe("3.245.0");
  });
});

describe("the cached engine", () => {
  test("is taken without starting anything when it is as recorded", async () => {
    const { cacheDir, dir, find } = await world();
    const engineDir = await cachedEngine(cacheDir);
    const ran = join(dir, "ran");
    await script(join(engineDir, "bin", "pulumi"), `touch ${ran}; echo v${pinned.version}`);
    const about = {
      version: pinned.version,
      made: "built",
      recipe: "test:1",
      madeAt: "2026-01-02T00:00:00Z",
    } as const;
    await writeManifest(engineDir, about);
    const { engine } = await find();
    const bin = join(engineDir, "bin");
    expect(engine).toMatchObject({
      pulumi: join(bin, "pulumi"),
      binDir: bin,
      version: pinned.version,
      source: "cache-built",
    });
    expect(engine?.reason).toContain("2026-01-02");
    expect(existsSync(ran)).toBe(false);
  });

  test("nothing anywhere: says where it looked", async () => {
    const { cacheDir, find } = await world();
    const { engine, considered } = await find();
    expect(engine).toBeUndefined();
    expect(considered).toEqual([
      { candidate: "pulumi on PATH", verdict: "none there" },
      { candidate: join(cacheDir, cacheKey(pinned.version)), verdict: "nothing there" },
    ]);
    expect(existsSync(cacheDir)).toBe(false);
  });

  const damages: [string, string, (dir: string) => Promise<unknown>][] = [
    ["no manifest", "half-made", (dir) => rm(join(dir, "manifest.json"))],
    ["a cut manifest", "manifest is damaged", (dir) => writeFile(join(dir, "manifest.json"), '{"format":1,')],
    [
      "a manifest of another shape",
      "not one that",
      (dir) => writeFile(join(dir, "manifest.json"), '{"format":2}'),
    ],
    ["a manifest that points elsewhere", "not one that", (dir) => repoint(dir)],
    ["a missing file", "is missing", (dir) => rm(join(dir, "bin", "pulumi-analyzer-policy"))],
    ["a file cut short", "size changed", (dir) => writeFile(join(dir, "bin", "pulumi"), "")],
    ["a longer file", "size changed", (dir) => appendFile(join(dir, "bin", "pulumi"), "# more")],
    ["a file that lost its run bit", "not executable", (dir) => chmod(join(dir, "bin", "pulumi"), 0o644)],
    ["a rewritten file of the same size", "content changed", (dir) => rewrite(join(dir, "bin", "pulumi"))],
  ];
  test.each(damages)("with %s is refused (%s)", async (_, why, damage) => {
    const { cacheDir, find } = await world();
    await damage(await cachedEngine(cacheDir));
    const { engine, considered } = await find();
    expect(engine).toBeUndefined();
    expect(considered.at(-1)?.verdict).toContain(why);
  });

  test("of another recipe is out of date", async () => {
    const { cacheDir, find } = await world();
    await cachedEngine(cacheDir, "test:0");
    expect((await find()).considered.at(-1)?.verdict).toBe("it was made by another recipe");
  });

  test("restored from an archive (other times, same content) is hashed once and then recorded", async () => {
    const { cacheDir, find } = await world();
    const dir = await cachedEngine(cacheDir);
    const before = await readFile(join(dir, "manifest.json"), "utf8");
    await utimes(join(dir, "bin", "pulumi"), 1_000_000, 1_000_000);
    expect((await find()).engine?.source).toBe("cache-built");
    const after = await readFile(join(dir, "manifest.json"), "utf8");
    expect(after).not.toBe(before);
    expect(after).toContain(`"mtimeMs": ${1_000_000_000}`);
  });

  test("is hashed in full on demand, which finds what size and time do not show", async () => {
    const { cacheDir, find } = await world();
    const dir = await cachedEngine(cacheDir);
    expect((await find({ verify: true })).engine?.reason).toContain("recorded hash");
    const file = join(dir, "bin", "pulumi");
    const manifest = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
    await rewrite(file);
    const seconds = Math.floor(Date.now() / 1000);
    await utimes(file, seconds, seconds);
    for (const entry of manifest.files) if (entry.path === "bin/pulumi") entry.mtimeMs = seconds * 1000;
    await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest));
    expect((await find()).engine).toBeDefined();
    const { engine, considered } = await find({ verify: true });
    expect(engine).toBeUndefined();
    expect(considered.at(-1)?.verdict).toContain("content changed");
  });
});

async function rewrite(path: string): Promise<void> {
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replaceAll("echo", "ECHO"));
}

async function repoint(dir: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
  manifest.files[0].path = "../../elsewhere";
  await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest));
}
