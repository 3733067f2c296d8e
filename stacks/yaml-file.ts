import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { ConfigProblem } from "./config-problems.ts";

/**
 * Reads one YAML file that holds a map.
 * @param missing what is wrong when there is no such file; undefined where it may be missing
 * @param problems what is wrong is added to it
 * @returns the map; an empty one where something is wrong, or the file is empty or missing
 */
export function readYamlMap(
  dir: string,
  file: string,
  missing: string | undefined,
  problems: ConfigProblem[],
): Record<string, unknown> {
  const found = readYaml(join(dir, file), missing);
  if (Array.isArray(found)) {
    problems.push(...found.map((message) => ({ file, key: "", message })));
    return {};
  }
  return found;
}

/** The map, or what is wrong with the file. */
function readYaml(path: string, missing: string | undefined): Record<string, unknown> | string[] {
  if (!existsSync(path)) return missing === undefined ? {} : [missing];
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return [`cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) return document.errors.map((error) => invalid(error));
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    // An alias of nothing, or so many of them that they look like an attack on the reader's memory.
    return [invalid(error)];
  }
  if (content === null || content === undefined) return {};
  if (typeof content === "object" && !Array.isArray(content)) return content as Record<string, unknown>;
  return ["is not a map of keys and values"];
}

function invalid(error: unknown): string {
  const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return `is not valid YAML: ${first.replace(/:$/, "")}`;
}
