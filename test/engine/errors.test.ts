import { describe, expect, test } from "vitest";
import { EngineError, fromSystem as fromSystemOf, interrupted, isFinal } from "../../engine/errors.ts";
import { explainGoFailure, findGo, goEnvironment } from "../../engine/go.ts";
import { pulumiKit } from "../../engine/pulumi/kit.ts";

const fromSystem = (error: unknown, place: string) => fromSystemOf(error, pulumiKit, place);

const system = (code: string) => Object.assign(new Error(`${code}: it happened`), { code });

describe("errors of the system", () => {
  test.each(["ENOSPC", "EDQUOT"])("%s is a full disk", (code) => {
    const error = fromSystem(system(code), "/cache") as EngineError;
    expect(error).toMatchObject({ code: "ENGINE_DISK_FULL" });
    expect(error.cause).toContain(code);
    expect(error.cause).toContain("/cache");
    expect(error.next).toContain("KILN_ENGINE_CACHE");
  });

  test.each(["EACCES", "EROFS", "ENOTDIR", "EEXIST"])("%s is a cache that cannot be used", (code) => {
    expect(fromSystem(system(code), "/cache")).toMatchObject({
      code: "ENGINE_CACHE_UNUSABLE",
      message: expect.stringContaining("/cache"),
    });
  });

  test.each([
    [13, "ENGINE_DISK_FULL"],
    [14, "ENGINE_CACHE_UNUSABLE"],
    [8, "ENGINE_CACHE_UNUSABLE"],
  ])("SQLite's %i is %s", (errcode, code) => {
    expect(fromSystem(Object.assign(system("ERR_SQLITE_ERROR"), { errcode }), "/cache")).toMatchObject({
      code,
    });
  });

  test("an EngineError and a programming error stay what they are", () => {
    const own = interrupted();
    const bug = new TypeError("x is not a function");
    expect(fromSystem(own, "/cache")).toBe(own);
    expect(fromSystem(bug, "/cache")).toBe(bug);
    expect(fromSystem("text", "/cache")).toBe("text");
  });

  test("what no other way gets around ends the attempt", () => {
    expect(isFinal(interrupted())).toBe(true);
    const download = { message: "", cause: "", next: "" };
    expect(isFinal(new EngineError("ENGINE_DOWNLOAD_FAILED", download))).toBe(false);
  });
});

describe("what Go printed", () => {
  const explain = (tail: string[], exitCode?: number) =>
    explainGoFailure(pulumiKit, "build it", { exitCode, tail }, "/cache/go.log", "1.24.7");

  test.each([
    ["write /tmp/go-build1/b001/_pkg_.a: no space left on device", "ENGINE_DISK_FULL"],
    ["mkdir /home/u/go: disk quota exceeded", "ENGINE_DISK_FULL"],
    ["go: go.mod requires go >= 1.24.7 (running go 1.22.1; GOTOOLCHAIN=local)", "ENGINE_GO_TOO_OLD"],
    ["go.mod:5: invalid go version '1.24.7': must match format 1.23", "ENGINE_GO_TOO_OLD"],
    ["go: download go1.24.7 for linux/amd64: toolchain not available", "ENGINE_GO_TOO_OLD"],
    ["go: a@v1: Get https://p/x: dial tcp: lookup p: no such host", "ENGINE_MODULES_UNREACHABLE"],
    ["go: a@v1: module lookup disabled by GOPROXY=off", "ENGINE_MODULES_UNREACHABLE"],
    ["go: a@v1: reading https://p/x.zip: 503 Service Unavailable", "ENGINE_MODULES_UNREACHABLE"],
    ["verifying a@v1: checksum mismatch", "ENGINE_BUILD_FAILED"],
    ["compile: signal: killed", "ENGINE_BUILD_FAILED"],
    ["x.go:3:1: undefined: y", "ENGINE_BUILD_FAILED"],
  ])("%s", (line, code) => {
    const error = explain(["# some/package", line], 1);
    expect(error.code).toBe(code);
    expect(error.cause).toContain(line);
    if (code !== "ENGINE_DISK_FULL") expect(error.message).toBe("Go could not build it.");
  });

  test("a full disk comes before what follows from it", () => {
    expect(explain(["no space left on device", "dial tcp: i/o timeout"], 1).code).toBe("ENGINE_DISK_FULL");
  });

  test("the log is named where it helps", () => {
    for (const line of ["undefined: y", "checksum mismatch", "dial tcp", "signal: killed"]) {
      expect(explain([line], 1).next).toContain("/cache/go.log");
    }
  });

  test("a Go that was killed, and one that said nothing", () => {
    expect(explain([])).toMatchObject({
      code: "ENGINE_BUILD_FAILED",
      cause: expect.stringContaining("memory"),
    });
    expect(explain([], 2).cause).toContain("exit code 2");
  });

  test("for a kit that nothing else can give, only Go is named", async () => {
    const kit = { name: "thing", room: "much" };
    const error = await findGo(kit, { PATH: "" }, "1.25.0").catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ENGINE_GO_MISSING",
      message: "The thing cannot be built here.",
      next: "Install Go 1.25.0 or newer (https://go.dev/doc/install), with its folder on PATH, and run it again; Kiln then makes the thing itself.",
    });
  });

  test("one that is too old is told what to install", () => {
    const { next } = explain(["requires go >= 1.24.7"], 1);
    expect(next).toContain("Pulumi CLI >=3.220.0 <4");
    expect(next).toContain("Go 1.24.7 or newer");
  });
});

describe("Go's environment", () => {
  test("keeps the user's choices and drops what would build something else", () => {
    const user = {
      GOFLAGS: "-p=1",
      GOPROXY: "https://p",
      GOMODCACHE: "/m",
      GOTOOLCHAIN: "local",
      CGO_ENABLED: "1",
    };
    const env = goEnvironment({
      ...user,
      GOOS: "plan9",
      GOARCH: "riscv64",
      GOWORK: "/w/go.work",
      GO111MODULE: "off",
    });
    expect(env).toMatchObject({ ...user, GOOS: process.platform, GOWORK: "off", GO111MODULE: "on" });
    expect(env.GOARCH).not.toBe("riscv64");
    expect(goEnvironment({}).CGO_ENABLED).toBe("0");
  });
});
