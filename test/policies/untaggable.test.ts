import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { isTaggable } from "../../policies/rules/required-tags.ts";
import { UNTAGGABLE } from "../../policies/untaggable.ts";

const SDK = dirname(createRequire(import.meta.url).resolve("@pulumi/azure-native/package.json"));

/** The resources of a module of azure-native, and whether their arguments have tags, by its declarations. */
async function resourcesOf(module: string): Promise<Map<string, boolean>> {
  const resources = new Map<string, boolean>();
  for (const file of await readdir(join(SDK, module))) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(join(SDK, module, file), "utf8");
    const name = /export declare class (\w+) extends pulumi\.CustomResource/.exec(text)?.[1];
    if (name === undefined) continue;
    const args = text.slice(text.indexOf(`export interface ${name}Args {`));
    resources.set(name, /^ {4}tags\?/m.test(args));
  }
  return resources;
}

describe("the table of types without tags", () => {
  it.each(Object.keys(UNTAGGABLE))("agrees with the SDK on %s", async (module) => {
    const resources = await resourcesOf(module);
    const without = [...resources].filter(([, tagged]) => !tagged).map(([name]) => name);
    expect([...(UNTAGGABLE[module] ?? [])].sort()).toEqual(without.sort());
  });

  it("takes what it does not know for taggable", () => {
    for (const type of ["web:WebApp", "cognitiveservices:Deployment", "unheard:Of", "azure:core/x:Y"])
      expect(isTaggable(type)).toBe(true);
    for (const type of [
      "authorization:RoleAssignment",
      "web:WebAppApplicationSettings",
      "managedidentity:FederatedIdentityCredential",
    ])
      expect(isTaggable(type)).toBe(false);
  });
});
