import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kilnPaths } from "../../scripts/lib/paths.ts";
import { pinned, readPin, writePin } from "../../scripts/lib/pin.ts";
import { shadowProject } from "../../scripts/lib/shadow-project.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kiln-pin-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = () => path.join(folder, "Pulumi.dev.yaml");

describe("a configuration file that holds an environment to a region", () => {
  const commented = [
    "# Ours.",
    "secretsprovider: azurekeyvault://x # keep",
    "config:",
    "  # cheaper",
    "  kiln:owner: me",
    "",
  ].join("\n");

  it("keeps everything else, comments included, and is what it was after letting go", () => {
    const held = pinned(commented, "westus");
    expect(held).toContain("  kiln:pinnedLocation: westus");
    for (const line of commented.split("\n")) expect(held.split("\n")).toContain(line);
    expect(pinned(held, undefined)).toBe(commented);
  });

  it("is not touched where nothing changes", () => {
    const odd = "config:   {kiln:owner:   'me'}\n";
    expect(pinned(odd, undefined)).toBe(odd);
    expect(pinned(pinned(odd, "westus"), "westus")).toBe(pinned(odd, "westus"));
  });

  it("is made of nothing, and of a section without a value, and is nothing again", () => {
    for (const text of ["", "config:\n"]) {
      expect(parse(pinned(text, "westus"))).toEqual({ config: { "kiln:pinnedLocation": "westus" } });
      expect(pinned(pinned(text, "westus"), undefined)).toBe("");
    }
  });

  it("keeps the comments of a file that has nothing else", () => {
    for (const text of ["# Ours.\n", "# Ours.\n\n# And more.\n"]) {
      const held = pinned(text, "westus");
      expect(parse(held)).toEqual({ config: { "kiln:pinnedLocation": "westus" } });
      expect(pinned(held, undefined).replaceAll("\n", "")).toBe(text.replaceAll("\n", ""));
    }
    expect(pinned("# Ours.\nconfig:\n  kiln:pinnedLocation: westus\n", undefined)).toBe("# Ours.\n");
  });

  it("says the last region it was held to, and has the rest of its values, whatever came before", () => {
    const value = fc.oneof(fc.boolean(), fc.integer(), fc.stringMatching(/^[a-z]{0,8}$/));
    const config = fc.dictionary(fc.stringMatching(/^kiln:[a-z]{1,6}$/), value, { maxKeys: 4 });
    const region = fc.option(fc.constantFrom("eastus", "westus", "swedencentral"), { nil: undefined });
    fc.assert(
      fc.property(config, fc.array(region, { minLength: 1, maxLength: 5 }), (values, regions) => {
        const text = regions.reduce<string>(pinned, JSON.stringify({ config: values }));
        const last = regions.at(-1);
        const held = last === undefined ? values : { ...values, "kiln:pinnedLocation": last };
        expect(parse(text)?.config ?? {}).toEqual(held);
      }),
    );
  });
});

describe("on disk", () => {
  it("a pin is read back, and the file goes with the last of it", () => {
    expect(readPin(folder, "dev")).toBeUndefined();
    writePin(folder, "dev", undefined);
    expect(existsSync(file())).toBe(false);
    writePin(folder, "dev", "westus");
    expect(readPin(folder, "dev")).toBe("westus");
    expect(readPin(folder, "staging")).toBeUndefined();
    writePin(folder, "dev", "eastus");
    expect(readPin(folder, "dev")).toBe("eastus");
    writePin(folder, "dev", undefined);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(["config:\n", "config: {kiln:pinnedLocation: 5}\n", "{}\n", "\n"])("%j pins nothing", (text) => {
    writeFileSync(file(), text);
    expect(readPin(folder, "dev")).toBeUndefined();
  });
});

describe("the project that the engine sees in a backend of Kiln's own", () => {
  it("has the pin of that backend, and neither the user's nor the user's secrets provider", () => {
    const project = path.join(folder, "project");
    const paths = { ...kilnPaths({ KILN_HOME: path.join(folder, "home") }), project: folder };
    writeFileSync(
      path.join(folder, "Pulumi.yaml"),
      "name: kiln\nmain: stacks/index.ts\nruntime: nodejs\nconfig: {location: eastus}\n",
    );
    writeFileSync(
      file(),
      "secretsprovider: x\nencryptedkey: y\nconfig:\n  kiln:owner: me\n  kiln:pinnedLocation: westus\n",
    );
    const shadow = shadowProject(paths, "dev");
    expect(shadow.startsWith(project)).toBe(false);
    const read = (name: string) => parse(readFileSync(path.join(shadow, name), "utf8"));
    expect(read("Pulumi.yaml")).toEqual({ name: "kiln", runtime: "nodejs", config: { location: "eastus" } });
    expect(read("Pulumi.dev.yaml")).toEqual({ config: { "kiln:owner": "me" } });
    writePin(shadow, "dev", "swedencentral");
    expect(shadowProject(paths, "dev")).toBe(shadow);
    expect(readPin(shadow, "dev")).toBe("swedencentral");
    expect(readPin(folder, "dev")).toBe("westus");
  });
});
