import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const project = path.resolve(import.meta.dirname, "../..");

/** What a process that loads the SDK leanly finds. Its V8 must not be changed, or its compile cache is lost. */
const program = `
  require("./scripts/lib/lean-sdk.cjs");
  const pulumi = require("@pulumi/pulumi");
  const has = (name) => Object.values(require.cache).some(({ filename, children }) =>
    filename.includes(name) && children.length > 0);
  const heavy = () => ["/@npmcli/arborist/", "/closure/v8.js"].filter(has);
  const natives = () => { try { new Function("return %IsSmi(1)"); return true } catch { return false } };
  const before = { heavy: heavy(), natives: natives() };
  const seven = 7;
  pulumi.runtime.serializeFunction(() => seven * 6).then(async ({ text }) => {
    const paths = await pulumi.runtime.computeCodePaths();
    console.log(JSON.stringify({ before, text, paths: paths.size, after: heavy() }));
  });
`;

test("the SDK loads without what few programs ask for, and has it when one does", () => {
  const found = JSON.parse(
    execFileSync(process.execPath, ["-e", program], { cwd: project, encoding: "utf8", stdio: "pipe" }),
  ) as { before: unknown; text: string; paths: number; after: string[] };
  expect(found.before).toEqual({ heavy: [], natives: false });
  expect(found.text).toContain("seven * 6");
  expect(found.paths).toBeGreaterThan(10);
  expect(found.after).toEqual(["/@npmcli/arborist/", "/closure/v8.js"]);
});
