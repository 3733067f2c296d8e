import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type Zippable, zipSync } from "fflate";

/** The earliest moment a zip file can name. */
const EPOCH = new Date(1980, 0, 1, 0, 0, 0);

/**
 * A folder as a zip file. The same content gives the same bytes, whatever the machine, the files' dates and owners.
 * @throws when the folder cannot be read or is empty.
 */
export function zipFolder(folder: string): Uint8Array {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
  if (files.length === 0) throw new Error(`There is nothing to deploy in ${folder}`);
  const entries: Zippable = {};
  // Unix, a regular file, rw-r--r--.
  for (const file of files)
    entries[file] = [readFileSync(join(folder, file)), { os: 3, attrs: 0o100644 << 16 }];
  return zipSync(entries, { mtime: EPOCH, level: 9 });
}
