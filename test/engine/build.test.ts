import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { oldestGo as oldestGoOf } from "../../engine/go-build.ts";
import { EngineError, type EngineProgress, type ProvideOptions, provideEngine } from "../../engine/index.ts";
import { cacheKey } from "../../engine/paths.ts";
import { buildWay } from "../../engine/pulumi/build.ts";
import { moduleDirs, pinned } from "../../engine/pulumi/recipe.ts";
import { environment, leftovers, recorder, runs, scratch, script } from "./support.ts";

const oldestGo = () => oldestGoOf(Object.values(moduleDirs));

/** A `go` that does what the build asks of it, except that `build` first runs the shell text in `<dir>/before-build`. */
async function fakeGo(dir: string, version = "go1.26.0"): Promise<void> {
  const sdk = join(dir, "sdk");
  for (const name of pinned.shims) {
    await script(join(sdk, "nodejs", "dist", name), "exit 0");
  }
  await writeFile(join(dir, "before-build"), "");
  await script(
    join(dir, "bin", "go"),
    `echo "$@" >> ${dir}/calls
case "$1 $*" in
  env*) echo ${version}; echo local ;;
  *" -m "*) echo ${sdk} ;;
  list*) echo "go: downloading example.com/m v1.0.0" >&2; echo a; echo b; echo c ;;
  build*)
    . ${dir}/before-build
    echo a >&2; echo b >&2
    while [ "$1" != -o ]; do shift; done
    { echo '#!/bin/sh'; echo echo v${pinned.version}; } > "$2"
    chmod +x "$2" ;;
esac`,
  );
}

async function world() {
  const dir = await scratch();
  const cacheDir = join(dir, "cache");
  const options = {
    cacheDir,
    env: environment(dir, join(dir, "bin")),
    ways: [buildWay],
  } satisfies ProvideOptions;
  const beforeBuild = (text: string) => writeFile(join(dir, "before-build"), text);
  return { dir, cacheDir, options, beforeBuild, engineDir: join(cacheDir, cacheKey(pinned.version)) };
}

async function rejection(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
}

describe("building from Go modules", () => {
  test("builds both executables from pinned modules and copies the scripts, part by part", async () => {
    const { dir, options, engineDir } = await world();
    await fakeGo(dir);
    const { events, onProgress } = recorder();
    const engine = await provideEngine({ ...options, onProgress });
    expect(engine).toMatchObject({ source: "built", binDir: join(engineDir, "bin") });
    const done = events.filter(({ phase }) => phase === "done");
    expect(done.map(({ part, detail }) => [part, detail])).toEqual([
      ["modules", "2 fetched, now example.com/m v1.0.0"],
      ["cli", "2 of 3 packages"],
      ["language-host", "2 of 3 packages"],
      ["policy-shim", undefined],
      ["check", undefined],
    ]);
    const calls = await readFile(join(dir, "calls"), "utf8");
    const builds = calls.split("\n").filter((line) => line.startsWith("build "));
    expect(builds).toHaveLength(2);
    for (const line of builds) expect(line).toContain("-mod=readonly");
    expect(builds[0]).toContain(`version.Version=${pinned.version}`);
    expect((await readdir(engineDir)).sort()).toEqual(["bin", "manifest.json"]);
    expect((await provideEngine(options)).source).toBe("cache-built");
  });

  test("asks for the Go that the modules need", async () => {
    expect(await oldestGo()).toMatch(/^1\.\d+/);
  });

  test("without Go it says exactly what to install", async () => {
    const { options, cacheDir } = await world();
    const error = await rejection(provideEngine(options));
    expect(error.code).toBe("ENGINE_GO_MISSING");
    expect(error.cause).toContain("no `go` on PATH");
    expect(error.next).toContain("Pulumi CLI >=3.220.0 <4 (https://www.pulumi.com/docs/install/)");
    expect(error.next).toContain(`Go ${await oldestGo()} or newer (https://go.dev/doc/install)`);
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("with a Go that is too old it says which one is needed, before it downloads anything", async () => {
    const { dir, options } = await world();
    await fakeGo(dir, "go1.20.4");
    const error = await rejection(provideEngine(options));
    expect(error.code).toBe("ENGINE_GO_TOO_OLD");
    expect(error.cause).toContain(
      `the installed Go is 1.20.4, and ${await oldestGo()} or newer is needed`.slice(1),
    );
    expect(await readFile(join(dir, "calls"), "utf8")).toBe("env GOVERSION GOTOOLCHAIN\n");
  });

  test("on a full disk it ends in words, with nothing half-made, and the next run heals", async () => {
    const { dir, options, beforeBuild, cacheDir, engineDir } = await world();
    await fakeGo(dir);
    await beforeBuild('echo "write /tmp/go-build: no space left on device" >&2; exit 1');
    const error = await rejection(provideEngine(options));
    expect(error.code).toBe("ENGINE_DISK_FULL");
    expect(existsSync(engineDir)).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
    await beforeBuild("");
    expect((await provideEngine(options)).source).toBe("built");
  });

  test("a failure names the log, which has all that Go said", async () => {
    const { dir, options, beforeBuild } = await world();
    await fakeGo(dir);
    await beforeBuild('echo "first words" >&2; echo "x.go:1: undefined: y" >&2; exit 1');
    const error = await rejection(provideEngine(options));
    expect(error.code).toBe("ENGINE_BUILD_FAILED");
    expect(error.cause).toContain("undefined: y");
    const log = /Look into (\S+),/.exec(error.next)?.[1] ?? "";
    expect(await readFile(log, "utf8")).toContain("first words\nx.go:1: undefined: y\n");
  });
});

describe("interrupting a build", () => {
  /** Shell text for a build that tells its process id and then never ends. */
  const hang = (dir: string) =>
    `mkfifo ${dir}/never; echo $$ > ${dir}/pid.new; mv ${dir}/pid.new ${dir}/pid; cat ${dir}/never`;
  const pidOf = async (dir: string) => Number(await readFile(join(dir, "pid"), "utf8"));

  test("by the caller: Go ends, nothing half-made stays", async () => {
    const { dir, options, beforeBuild, cacheDir, engineDir } = await world();
    await fakeGo(dir);
    await beforeBuild(hang(dir));
    const stop = new AbortController();
    const onProgress = (event: EngineProgress) => {
      if (existsSync(join(dir, "pid"))) stop.abort();
      expect(event.part).not.toBe("language-host");
    };
    const error = await rejection(provideEngine({ ...options, signal: stop.signal, onProgress }));
    expect(error.code).toBe("ENGINE_INTERRUPTED");
    expect(runs(await pidOf(dir))).toBe(false);
    expect(existsSync(engineDir)).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("by kill -9: Go ends too, the lock is free, and the next run makes the engine", async () => {
    const { dir, options, beforeBuild, cacheDir } = await world();
    await fakeGo(dir);
    await beforeBuild(hang(dir));
    const url = (name: string) => JSON.stringify(new URL(`../../engine/${name}`, import.meta.url).href);
    const program = `
      import { provideEngine } from ${url("index.ts")};
      import { buildWay } from ${url("pulumi/build.ts")};
      await provideEngine({ ...${JSON.stringify({ cacheDir, env: options.env })}, ways: [buildWay] });`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "ignore" });
    await vi.waitUntil(() => existsSync(join(dir, "pid")), { timeout: 60_000 });
    const go = await pidOf(dir);
    expect(runs(go)).toBe(true);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    await vi.waitUntil(() => !runs(go), { timeout: 60_000 });

    await rm(join(dir, "pid"));
    await beforeBuild("");
    const { events, onProgress } = recorder();
    expect((await provideEngine({ ...options, onProgress })).source).toBe("built");
    expect(events.some(({ part }) => part === "wait")).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
  });
});
