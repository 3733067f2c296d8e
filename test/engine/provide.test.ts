import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { EngineError } from "../../engine/errors.ts";
import { findEngine, type ProvideOptions, provideEngine } from "../../engine/index.ts";
import { cacheKey } from "../../engine/paths.ts";
import { pinned } from "../../engine/pulumi/recipe.ts";
import {
  cheapWay,
  environment,
  fakePulumi,
  fillStaging,
  leftovers,
  recorder,
  scratch,
  script,
} from "./support.ts";

const fill = cheapWay(({ staging }) => fillStaging(staging));

function failing(code: ConstructorParameters<typeof EngineError>[0], cause: string) {
  return cheapWay(({ part }) =>
    part("install", "try it", async () => {
      throw new EngineError(code, { message: "It failed.", cause, next: "Do this." });
    }),
  );
}

async function world() {
  const dir = await scratch();
  const cacheDir = join(dir, "cache");
  const bin = join(dir, "bin");
  const env = environment(dir, bin);
  const provide = (options: Partial<ProvideOptions> = {}) =>
    provideEngine({ cacheDir, env, ways: [fill], ...options });
  return { dir, bin, env, cacheDir, engineDir: join(cacheDir, cacheKey(pinned.version)), provide };
}

/** The rejection as an EngineError; anything else fails the test. */
async function rejection(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error as EngineError;
}

describe("providing an engine", () => {
  test("makes it once, then takes it from the cache", async () => {
    const { cacheDir, env, provide } = await world();
    const { events, onProgress } = recorder();
    const made = await provide({ onProgress });
    expect(made).toMatchObject({ source: "built", version: pinned.version });
    expect(made.considered.map((it) => it.candidate)).toEqual([
      "pulumi on PATH",
      join(cacheDir, cacheKey(pinned.version)),
      "a cheap way",
    ]);
    expect(events.map(({ part, phase }) => `${part} ${phase}`)).toEqual(["check started", "check done"]);
    expect(await leftovers(cacheDir)).toEqual([]);

    const never = cheapWay(() => Promise.reject(new Error("made again")));
    const again = await provide({ ways: [never] });
    expect(again).toMatchObject({ source: "cache-built", pulumi: made.pulumi });
    expect((await findEngine({ cacheDir, env, recipes: ["test:1"] })).engine?.pulumi).toBe(made.pulumi);
  });

  test("makes nothing when PATH has one", async () => {
    const { bin, cacheDir, provide } = await world();
    await fakePulumi(bin, "3.245.0");
    expect((await provide()).source).toBe("path");
    expect(existsSync(cacheDir)).toBe(false);
  });

  test("goes on to the next way, and tells why", async () => {
    const { provide } = await world();
    const { events, onProgress } = recorder();
    const ways = [failing("ENGINE_DOWNLOAD_FAILED", "no network here"), fill];
    const engine = await provide({ ways, onProgress });
    expect(engine.considered.map((it) => it.verdict)).toContain("no network here");
    expect(events).toContainEqual(
      expect.objectContaining({ part: "install", phase: "skipped", detail: "no network here" }),
    );
  });

  test("ends with everything it looked at when no way works", async () => {
    const { bin, cacheDir, provide } = await world();
    await fakePulumi(bin, "3.100.0");
    const ways = [
      failing("ENGINE_DOWNLOAD_FAILED", "no network here"),
      failing("ENGINE_GO_MISSING", "no go here"),
    ];
    const { events, onProgress } = recorder();
    const error = await rejection(provide({ ways, onProgress }));
    expect(error.code).toBe("ENGINE_GO_MISSING");
    for (const part of ["3.100.0", "nothing there", "no network here", "no go here"])
      expect(error.cause).toContain(part);
    expect(error.next).toBe("Do this.");
    expect(events.at(-1)).toMatchObject({ phase: "failed", detail: "no go here" });
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("a full disk ends it at once, leaves nothing, and the next run heals", async () => {
    const { cacheDir, engineDir, provide } = await world();
    let second = false;
    const ways = [
      cheapWay(async ({ staging }) => {
        await fillStaging(staging);
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      }),
      cheapWay(async () => {
        second = true;
      }),
    ];
    const error = await rejection(provide({ ways }));
    expect(error.code).toBe("ENGINE_DISK_FULL");
    expect(error.cause).toContain("ENOSPC");
    expect(second).toBe(false);
    expect(existsSync(engineDir)).toBe(false);
    expect(await leftovers(cacheDir)).toEqual([]);
    expect((await provide()).source).toBe("built");
  });

  test("a cache that is a file is named", async () => {
    const { cacheDir, provide } = await world();
    await writeFile(cacheDir, "");
    const error = await rejection(provide());
    expect(error).toMatchObject({
      code: "ENGINE_CACHE_UNUSABLE",
      message: expect.stringContaining(cacheDir),
    });
  });

  test("a programming error is not dressed up", async () => {
    const { provide } = await world();
    const bug = cheapWay(() => Promise.reject(new TypeError("x is not a function")));
    await expect(provide({ ways: [bug] })).rejects.toThrow(new TypeError("x is not a function"));
  });
});

describe("what was made is checked", () => {
  const wrong: [string, (bin: string) => Promise<unknown>, string][] = [
    [
      "a part is missing",
      (bin) => fakePulumi(bin, pinned.version, ["pulumi-language-nodejs"]),
      "pulumi-analyzer-policy is missing",
    ],
    ["it has another version", (bin) => fakePulumi(bin, "3.219.0"), "3.219.0, not"],
    ["it does not run", (bin) => fakePulumi(bin, "").then((path) => script(path, "exit 9")), "does not run"],
  ];
  test.each(wrong)("%s", async (_, make, cause) => {
    const { engineDir, provide } = await world();
    const error = await rejection(
      provide({ ways: [cheapWay(({ staging }) => make(join(staging, "bin")).then(() => {}))] }),
    );
    expect(error.code).toBe("ENGINE_BROKEN");
    expect(error.cause).toContain(cause);
    expect(existsSync(engineDir)).toBe(false);
  });
});

describe("a cache that was left half-way", () => {
  test("a folder without a manifest is made anew", async () => {
    const { engineDir, cacheDir, provide } = await world();
    await mkdir(join(engineDir, "bin"), { recursive: true });
    await writeFile(join(engineDir, "bin", "pulumi"), "half of it");
    const engine = await provide();
    expect(engine.source).toBe("built");
    expect(engine.considered).toContainEqual({
      candidate: engineDir,
      verdict: "it is half-made (no manifest)",
    });
    expect(await readFile(engine.pulumi, "utf8")).toContain(pinned.version);
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("a damaged engine is made anew", async () => {
    const { provide } = await world();
    const { pulumi } = await provide();
    await chmod(pulumi, 0o644);
    expect((await provide()).source).toBe("built");
    expect((await provide()).source).toBe("cache-built");
  });

  test("what killed processes left is swept", async () => {
    const { cacheDir, provide } = await world();
    const key = cacheKey(pinned.version);
    for (const name of [`.staging-${key}-1`, `.old-${key}-2`, "other"]) {
      await mkdir(join(cacheDir, name, "bin"), { recursive: true });
    }
    await provide();
    expect((await readdir(cacheDir)).sort()).toEqual([key, `${key}.lock`, "other"].sort());
  });
});

describe("two at once", () => {
  test("one makes it, the other waits, says so, and takes the result", async () => {
    const { provide } = await world();
    const started = Promise.withResolvers<void>();
    const otherWaits = Promise.withResolvers<void>();
    const slow = cheapWay(async ({ staging }) => {
      started.resolve();
      await otherWaits.promise;
      await fillStaging(staging);
    });
    const first = provide({ ways: [slow] });
    await started.promise;
    const { events, onProgress } = recorder();
    const never = cheapWay(() => Promise.reject(new Error("made twice")));
    const second = provide({
      ways: [never],
      onProgress: (event) => {
        onProgress(event);
        otherWaits.resolve();
      },
    });
    expect((await first).source).toBe("built");
    const waited = await second;
    expect(waited.source).toBe("cache-built");
    expect(waited.reason).toContain("another kiln made it while this one waited");
    expect(events.map(({ part, phase }) => `${part} ${phase}`)).toEqual(["wait started", "wait done"]);
    expect(events[0]?.detail).toContain(`process ${process.pid}`);
  });

  test("when the first fails, the other makes it", async () => {
    const { provide } = await world();
    const started = Promise.withResolvers<void>();
    const otherWaits = Promise.withResolvers<void>();
    const first = rejection(
      provide({
        ways: [
          cheapWay(async () => {
            started.resolve();
            await otherWaits.promise;
            throw new EngineError("ENGINE_BUILD_FAILED", { message: "", cause: "", next: "" });
          }),
        ],
      }),
    );
    await started.promise;
    const second = await provide({ onProgress: () => otherWaits.resolve() });
    expect((await first).code).toBe("ENGINE_BUILD_FAILED");
    expect(second.source).toBe("built");
  });

  test("one that waits can be interrupted", async () => {
    const { provide } = await world();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = cheapWay(async ({ staging }) => {
      started.resolve();
      await release.promise;
      await fillStaging(staging);
    });
    const first = provide({ ways: [slow] });
    await started.promise;
    const stop = new AbortController();
    const second = await rejection(provide({ signal: stop.signal, onProgress: () => stop.abort() }));
    expect(second.code).toBe("ENGINE_INTERRUPTED");
    release.resolve();
    expect((await first).source).toBe("built");
  });
});

describe("progress", () => {
  test("comes while a part runs, with its latest detail and its time", async () => {
    const { provide } = await world();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const { events, onProgress } = recorder();
      const way = cheapWay(({ part, staging }) =>
        part("cli", "build it", async (report) => {
          report("1 of 2");
          vi.advanceTimersByTime(2000);
          report("2 of 2");
          await fillStaging(staging);
        }),
      );
      await provide({ ways: [way], onProgress });
      const cli = events.filter((event) => event.part === "cli");
      expect(cli.map(({ phase, detail }) => [phase, detail])).toEqual([
        ["started", undefined],
        ["running", "1 of 2"],
        ["running", "1 of 2"],
        ["done", "2 of 2"],
      ]);
      expect(cli.every(({ title, elapsedMs }) => title === "build it" && elapsedMs >= 0)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
