import type { Dirent } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { usageError } from "../errors.ts";
import type { Git } from "./git.ts";

/** A file of more bytes is skipped, and said to be. */
export const LARGEST = 16 * 1024 * 1024;

/** Something that was not searched. */
export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

/** A file to be searched, or why it is not. */
export type FileFound =
  | { readonly path: string; readonly bytes: Buffer }
  | { readonly path: string; readonly skipped: string };

/** How a file is read; another one in tests. */
export type ReadFile = (file: string) => Promise<Buffer>;

const slashes = (file: string): string => file.split(path.sep).join("/");

/** Reads a file unless it is none that can be searched; undefined when it is gone. Links are not followed. */
async function load(file: string, name: string, read: ReadFile): Promise<FileFound | undefined> {
  try {
    const found = await lstat(file);
    // A folder on the way may have become a link since git last looked.
    const folder = path.dirname(file);
    if (found.isSymbolicLink() || (await realpath(folder)) !== folder)
      return { path: name, skipped: "a link" };
    if (found.isDirectory()) return { path: name, skipped: "a repository of its own" };
    if (!found.isFile()) return { path: name, skipped: "no ordinary file" };
    if (found.size > LARGEST) return { path: name, skipped: "too large" };
    return { path: name, bytes: await read(file) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === undefined) throw error;
    return { path: name, skipped: `unreadable (${code})` };
  }
}

/** Every file below a folder, links and `.git` left out; folders that cannot be opened are told. */
async function* walk(folder: string): AsyncGenerator<{ file: string; skipped?: string }> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield { file: folder, skipped: `unreadable (${(error as NodeJS.ErrnoException).code})` };
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (!entry.isDirectory()) yield { file };
    else if (entry.name !== ".git") yield* walk(file);
  }
}

/** What git tracks below a path, and what it does not but would: all but the ignored. */
async function* listed(git: Git, below: string): AsyncGenerator<{ file: string }> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", "--", below];
  // A file in conflict is listed once for each side.
  const names = [...new Set((await git.read(args)).split("\0"))].sort();
  for (const name of names) if (name !== "") yield { file: path.join(git.root, name) };
}

/** Whether git leaves a path out, so that who names it means what is on disk. */
async function isIgnored(git: Git, file: string): Promise<boolean> {
  const relative = path.relative(git.root, file);
  if (relative === "" || relative.split(path.sep)[0] === ".git") return relative !== "";
  // It ends with 1 when none is.
  return (await git.read(["check-ignore", "--", slashes(relative)], [0, 1])) !== "";
}

/** What is at one of the paths that were asked for. */
async function* at(
  git: Git | undefined,
  start: string,
  given: string,
): AsyncGenerator<{ file: string; skipped?: string }> {
  const found = await stat(start).catch((error: NodeJS.ErrnoException): never => {
    throw usageError(
      `there is no ${given} to scan`,
      `${start} cannot be looked at (${error.code}).`,
      "Name files or folders that are there.",
    );
  });
  if (!found.isDirectory()) yield { file: start };
  else if (git === undefined || !isInside(git.root, start) || (await isIgnored(git, start)))
    yield* walk(start);
  else yield* listed(git, start);
}

const isInside = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
};

/**
 * The files of the working tree, or those at some paths, each once: in a repository what git tracks or would track,
 * elsewhere everything. A path that is named is searched even where git ignores it.
 * @param root what names are told from
 * @throws KilnError usage, when a path is not there
 */
export async function* filesOf(options: {
  readonly git: Git | undefined;
  readonly root: string;
  readonly cwd: string;
  readonly paths: readonly string[];
  readonly read?: ReadFile;
}): AsyncGenerator<FileFound> {
  const { git, root, cwd, read = readFile } = options;
  const tree = git?.bare === true ? undefined : git;
  const seen = new Set<string>();
  const paths = options.paths.length === 0 ? [root] : options.paths;
  for (const given of paths) {
    // A link that is named is followed; those that are met are not.
    const start = await realpath(path.resolve(cwd, given)).catch(() => path.resolve(cwd, given));
    for await (const { file, skipped } of at(tree, start, given)) {
      if (seen.has(file)) continue;
      seen.add(file);
      const name = slashes(isInside(root, file) ? path.relative(root, file) : file);
      const found = skipped === undefined ? await load(file, name, read) : { path: name, skipped };
      if (found !== undefined) yield found;
    }
  }
}
