import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reaches } from "../harness/imports.ts";
import { scratch } from "./support.ts";

test("the setup sees which test files need the control plane, through what they import", async () => {
  const dir = await scratch();
  const write = async (name: string, text: string) => {
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const wanted = await write("harness/control-plane.ts", "");
  const helper = 'import {\n  a,\n} from "../harness/control-plane.ts";\nimport b from "./itself.ts";';
  await write("kubernetes/itself.ts", 'export { c } from "./support.ts";');
  await write("kubernetes/support.ts", helper);
  const direct = await write("direct.test.ts", 'const { a } = await import("./harness/control-plane.ts");');
  const through = await write("kubernetes/through.test.ts", 'import { c } from "./itself.ts";');
  const other = await write("other.test.ts", '// speaks of harness/control-plane.ts\nimport "../gone.ts";');
  expect(reaches([other, direct], wanted, dir)).toBe(true);
  expect(reaches([through], wanted, dir)).toBe(true);
  expect(reaches([other], wanted, dir)).toBe(false);
  expect(reaches([], wanted, dir)).toBe(false);
});
