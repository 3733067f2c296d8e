import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

const project = path.resolve(import.meta.dirname, "../..");

/** `kiln engine` where nothing is on PATH and nothing is kept yet. */
function engine(...args: string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), "kiln-verb-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const cache = path.join(folder, "cache");
  const command = [path.join(project, "scripts", "kiln.mjs"), "engine", "--look", ...args];
  const env = { HOME: folder, PATH: "", KILN_HOME: folder, KILN_ENGINE_CACHE: cache };
  const said = execFileSync(process.execPath, command, { env, encoding: "utf8", stdio: "pipe" });
  return { cache, said };
}

test("looking for a control plane makes nothing, and says where it looked", () => {
  const { cache, said } = engine("--control-plane", "--json");
  expect(JSON.parse(said)).toEqual({
    verb: "engine",
    result: "missing",
    cacheDir: cache,
    considered: [
      { candidate: "etcd on PATH", verdict: "none there" },
      { candidate: "kube-apiserver on PATH", verdict: "none there" },
      { candidate: "kwok on PATH", verdict: "none there" },
      { candidate: expect.stringContaining(path.join(cache, "control-plane-")), verdict: "nothing there" },
    ],
  });
  expect(existsSync(cache)).toBe(false);
  expect(engine("--control-plane").said).toContain("There is no control plane yet");
});

test("looking for the Pulumi engine does likewise", () => {
  const { cache, said } = engine("--json");
  expect(JSON.parse(said)).toMatchObject({ verb: "engine", result: "missing", cacheDir: cache });
  expect(engine().said).toContain("There is no engine yet");
});
