import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, parseDocument } from "yaml";
import { PROJECT, stackFile } from "../../stacks/config.ts";

/** The key that holds an environment to a region which is not its first choice. */
export const pinKey = `${PROJECT}:pinnedLocation`;

/** The region that a stack's configuration holds the environment to; undefined when it says nothing. */
export function readPin(folder: string, environment: string): string | undefined {
  const content = parse(textOf(path.join(folder, stackFile(environment)))) as { config?: unknown } | null;
  const pinned = (content?.config as Record<string, unknown> | null | undefined)?.[pinKey];
  return typeof pinned === "string" ? pinned : undefined;
}

/**
 * Holds an environment to a region, or lets go of it, in the stack's configuration file, of which everything else stays as it
 * is, comments included. A file that has nothing else is made, and goes again.
 */
export function writePin(folder: string, environment: string, location: string | undefined): void {
  const file = path.join(folder, stackFile(environment));
  const before = textOf(file);
  const after = pinned(before, location);
  if (after === before) return;
  if (after === "") rmSync(file, { force: true });
  else writeWhole(file, after);
}

/** A configuration file's text with the region it pins, or without. Pure. */
export function pinned(text: string, location: string | undefined): string {
  const document = parseDocument(text);
  const before = document.getIn(["config", pinKey]);
  if (before === location) return text;
  if (location !== undefined) {
    // Not by a path at once: what lies on the way may be there without a value.
    if (document.get("config") === null || document.get("config") === undefined)
      document.set("config", document.createNode({}));
    document.setIn(["config", pinKey], location);
  } else {
    document.deleteIn(["config", pinKey]);
    const rest = document.toJS() as { config?: object | null } | null;
    if (Object.keys(rest?.config ?? {}).length === 0) document.delete("config");
    if (Object.keys(document.toJS() ?? {}).length === 0) return commentsOf(text);
  }
  return document.toString({ lineWidth: 0 });
}

/** The lines of a configuration file that are nothing but comments. */
function commentsOf(text: string): string {
  return text
    .split("\n")
    .filter((line) => line.trimStart().startsWith("#"))
    .map((line) => `${line}\n`)
    .join("");
}

/** Writes a file so that whoever reads it at the same time sees all of it or none. */
export function writeWhole(file: string, text: string): void {
  if (textOf(file) === text) return;
  const half = `${file}.${process.pid}.tmp`;
  writeFileSync(half, text);
  renameSync(half, file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
