import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kilnPaths, makeHome } from "../../scripts/lib/paths.ts";

const project = path.resolve(import.meta.dirname, "../..");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-paths-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("Kiln's places", () => {
  it("are in KILN_HOME, and in the checkout", () => {
    expect(kilnPaths({ KILN_HOME: "/srv/kiln/../home" })).toEqual({
      home: "/srv/home",
      sandbox: "/srv/home/sandbox",
      pulumiHome: "/srv/home/pulumi",
      run: "/srv/home/run",
      project,
      policies: path.join(project, "policies"),
    });
  });

  it("are in the user's home where KILN_HOME is not set or empty", () => {
    for (const env of [{}, { KILN_HOME: "" }])
      expect(kilnPaths(env).home).toBe(path.join(homedir(), ".kiln"));
  });

  it("are absolute, wherever Kiln is run", () => {
    expect(kilnPaths({ KILN_HOME: "here" }).home).toBe(path.resolve("here"));
  });
});

describe("making the home", () => {
  it("makes every folder on the way, for its owner only", () => {
    const home = path.join(folder, "a", "b");
    makeHome({ home });
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(path.dirname(home)).mode & 0o777).toBe(0o700);
  });

  it("leaves one that is there as it is", () => {
    const home = path.join(folder, "home");
    mkdirSync(home);
    chmodSync(home, 0o755);
    writeFileSync(path.join(home, "kept"), "");
    makeHome({ home });
    expect(statSync(home).mode & 0o777).toBe(0o755);
    expect(existsSync(path.join(home, "kept"))).toBe(true);
  });

  it("says that a file is none, with exit code 2", () => {
    const home = path.join(folder, "file");
    writeFileSync(home, "");
    expect(() => makeHome({ home })).toThrow(
      expect.objectContaining({
        code: "HomeUnusable",
        message: `Kiln cannot keep its files in ${home}`,
        cause: expect.stringContaining("is a file"),
        next: expect.stringContaining("KILN_HOME"),
        exitCode: 2,
      }),
    );
  });

  it("says that none can be made below a file, or where the system wants none", () => {
    writeFileSync(path.join(folder, "file"), "");
    for (const home of [path.join(folder, "file", "below"), "/proc/kiln-home/below"])
      expect(() => makeHome({ home })).toThrow(
        expect.objectContaining({ code: "HomeUnusable", exitCode: 2 }),
      );
  });

  it.skipIf(process.getuid?.() === 0)("says that one without write access is none", () => {
    chmodSync(folder, 0o500);
    expect(() => makeHome({ home: folder })).toThrow(expect.objectContaining({ code: "HomeUnusable" }));
    chmodSync(folder, 0o700);
  });
});
