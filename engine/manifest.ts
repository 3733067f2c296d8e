import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

/** One file of a cached kit, as it was when the kit was complete. */
export type ManifestFile = { path: string; size: number; mtimeMs: number; sha256: string };

/** Written last, inside the staging folder: a kit without it is half-made. */
export type Manifest = {
  format: 1;
  version: string;
  made: "installed" | "built";
  recipe: string;
  /** ISO time. */
  madeAt: string;
  files: ManifestFile[];
};

const manifestName = "manifest.json";

/** Folders that a kit consists of. What is in `bin` must be executable. */
const folders = ["bin", "crds"] as const;

/** Records every file in the folders of the kit in `dir`. */
export async function writeManifest(dir: string, about: Omit<Manifest, "format" | "files">): Promise<void> {
  const lists = await Promise.all(folders.map((folder) => list(dir, folder)));
  const files = await Promise.all(lists.flat().map((path) => record(dir, path)));
  const manifest: Manifest = { format: 1, ...about, files };
  await writeAtomically(join(dir, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** What a look at a cached kit found. */
export type CacheCheck = { valid: true; manifest: Manifest } | { valid: false; why: string };

/**
 * Checks the kit in `dir` against its manifest. Sizes and times are compared, which takes no time; content is hashed only where
 * `full` asks for it, or where the times differ (a cache restored from an archive has new ones) and then the manifest is
 * brought up to date.
 * @param required files without which it is not complete, relative to `dir`
 * @param recipes what the caller would make itself; another one is out of date
 */
export async function checkKit(
  dir: string,
  required: readonly string[],
  recipes: readonly string[],
  full = false,
): Promise<CacheCheck> {
  const manifest = await readManifest(dir);
  if (typeof manifest === "string") return { valid: false, why: manifest };
  if (!recipes.includes(manifest.recipe)) return { valid: false, why: "it was made by another recipe" };
  const present = new Set(manifest.files.map(({ path }) => path));
  const missing = required.find((path) => !present.has(path));
  if (missing) return { valid: false, why: `it has no ${basename(missing)}` };
  let touched = false;
  for (const file of manifest.files) {
    const found = await stat(join(dir, file.path)).catch(() => undefined);
    if (!found?.isFile()) return { valid: false, why: `${file.path} is missing` };
    if (found.size !== file.size) return { valid: false, why: `${file.path} is damaged (its size changed)` };
    if (file.path.startsWith("bin/") && (found.mode & 0o100) === 0)
      return { valid: false, why: `${file.path} is not executable` };
    const moved = found.mtimeMs !== file.mtimeMs;
    if ((full || moved) && (await sha256(join(dir, file.path))) !== file.sha256) {
      return { valid: false, why: `${file.path} is damaged (its content changed)` };
    }
    if (moved) touched = true;
    file.mtimeMs = found.mtimeMs;
  }
  // A cache that may not be written is still good; it only costs the hashing again next time.
  if (touched)
    await writeAtomically(join(dir, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`).catch(
      () => {},
    );
  return { valid: true, manifest };
}

async function readManifest(dir: string): Promise<Manifest | string> {
  let text: string;
  try {
    text = await readFile(join(dir, manifestName), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      return `its manifest cannot be read (${(error as Error).message})`;
    const there = await stat(dir).catch(() => undefined);
    return there ? "it is half-made (no manifest)" : "nothing there";
  }
  try {
    const value: unknown = JSON.parse(text);
    return isManifest(value) ? value : "its manifest is not one that this Kiln understands";
  } catch {
    return "its manifest is damaged";
  }
}

function isManifest(value: unknown): value is Manifest {
  const it = value as Partial<Manifest> | null;
  return (
    typeof it === "object" &&
    it?.format === 1 &&
    typeof it.version === "string" &&
    (it.made === "installed" || it.made === "built") &&
    typeof it.recipe === "string" &&
    typeof it.madeAt === "string" &&
    Array.isArray(it.files) &&
    it.files.every(
      (file) =>
        /^(bin|crds)\/[^/]+$/.test(file?.path) &&
        typeof file.size === "number" &&
        typeof file.mtimeMs === "number" &&
        typeof file.sha256 === "string",
    )
  );
}

async function list(dir: string, folder: string): Promise<string[]> {
  const names = await readdir(join(dir, folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.sort().map((name) => `${folder}/${name}`);
}

async function record(dir: string, path: string): Promise<ManifestFile> {
  const { size, mtimeMs } = await stat(join(dir, path));
  return { path, size, mtimeMs, sha256: await sha256(join(dir, path)) };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Writes a file so that a reader sees the old content or the new, never a part. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
