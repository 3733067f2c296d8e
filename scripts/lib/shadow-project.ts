import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { stackFile } from "../../stacks/config.ts";
import type { KilnPaths } from "./paths.ts";
import { pinKey, readPin, writeWhole } from "./pin.ts";

/**
 * The project's files as the engine is to see them, without what belongs to the user's own backend (secrets provider,
 * encrypted keys, the region its cloud had room in), in a folder of Kiln's: the engine would otherwise write its own into the
 * checked-in ones.
 */
export function shadowProject(paths: KilnPaths, environment: string): string {
  const folder = path.join(paths.run, "projects", environment);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { name, runtime, config } = readYaml(path.join(paths.project, "Pulumi.yaml"));
  writeWhole(path.join(folder, "Pulumi.yaml"), yamlText({ name, runtime, config }));
  const file = stackFile(environment);
  const { [pinKey]: _theirs, ...own } = configOf(readYaml(path.join(paths.project, file)));
  const pin = readPin(folder, environment);
  const kept = { ...own, ...(pin === undefined ? {} : { [pinKey]: pin }) };
  writeWhole(path.join(folder, file), Object.keys(kept).length === 0 ? "{}\n" : yamlText({ config: kept }));
  return folder;
}

function configOf(content: Record<string, unknown>): Record<string, unknown> {
  return (content.config as Record<string, unknown> | null | undefined) ?? {};
}

/** With every text in quotes: the engine's older YAML would read an unquoted 2025-11-13 as a date. */
function yamlText(content: object): string {
  return stringify(content, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" });
}

function readYaml(file: string): Record<string, unknown> {
  try {
    return (parse(readFileSync(file, "utf8")) as Record<string, unknown> | null) ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
