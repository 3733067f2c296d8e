import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const project = path.resolve(import.meta.dirname, "../..");

/** A copy of the checkout, whose configuration and code a test may spoil. */
export interface TestCheckout {
  readonly folder: string;
  /** Replaces a file; a path is relative to the folder. */
  write(file: string, text: string): void;
  /** Replaces a text in a file, which has to be there. */
  replace(file: string, text: string, by: string): void;
  /** Puts the configuration back as it is in the checkout. */
  restore(): void;
  dispose(): void;
}

/** What the kiln command needs of a checkout; packages are shared with the real one. */
const parts = ["components", "engine", "labs", "package.json", "policies", "sandbox", "scripts", "stacks"];
const isConfiguration = (name: string): boolean => /^Pulumi\..*yaml$/.test(name);

export function testCheckout(): TestCheckout {
  const folder = mkdtempSync(path.join(tmpdir(), "kiln-checkout-"));
  for (const part of parts) cpSync(path.join(project, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(project, "node_modules"), path.join(folder, "node_modules"));
  const write = (file: string, text: string) => writeFileSync(path.join(folder, file), text);
  const checkout: TestCheckout = {
    folder,
    write,
    replace: (file, text, by) => {
      const before = readFileSync(path.join(folder, file), "utf8");
      if (!before.includes(text)) throw new Error(`${file} has no ${JSON.stringify(text)}`);
      write(file, before.replace(text, by));
    },
    restore: () => {
      for (const name of readdirSync(folder).filter(isConfiguration))
        rmSync(path.join(folder, name), { recursive: true });
      for (const name of readdirSync(project).filter(isConfiguration))
        cpSync(path.join(project, name), path.join(folder, name));
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
  checkout.restore();
  return checkout;
}
