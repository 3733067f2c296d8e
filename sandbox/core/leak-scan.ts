import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import type { Minted } from "./minted.ts";

export interface Leak {
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly kind: string;
  readonly owner: string;
  /** How the secret was written down. */
  readonly form: "plain" | "base64" | "url-encoded" | "json-escaped";
}

export interface LeakReport {
  readonly files: number;
  readonly bytes: number;
  readonly secrets: number;
  readonly leaks: readonly Leak[];
}

/** Shorter values would be found everywhere. */
const shortest = 8;

/**
 * Searches files and folders (links are not followed) for every secret by exact match, also in the forms that
 * serializers give it. A report names file, offset and owner, never the value.
 */
export async function scanForLeaks(
  paths: readonly string[],
  secrets: readonly Minted[],
  skip: (file: string) => boolean = () => false,
): Promise<LeakReport> {
  const index = buildIndex(secrets.filter((secret) => secret.value.length >= shortest));
  const leaks: Leak[] = [];
  let files = 0;
  let bytes = 0;
  for (const root of paths) {
    for await (const file of walk(root)) {
      if (skip(file)) continue;
      files++;
      bytes += await scanFile(file, index, leaks);
    }
  }
  return { files, bytes, secrets: secrets.length, leaks };
}

interface Needle {
  readonly text: string;
  readonly secret: Minted;
  readonly form: Leak["form"];
}

interface Index {
  readonly byPrefix: ReadonlyMap<string, readonly Needle[]>;
  readonly longest: number;
}

function buildIndex(secrets: readonly Minted[]): Index {
  const byPrefix = new Map<string, Needle[]>();
  let longest = shortest;
  for (const secret of secrets) {
    const forms: Record<Leak["form"], string> = {
      plain: latin(secret.value),
      base64: Buffer.from(secret.value).toString("base64").replace(/=+$/, ""),
      "url-encoded": encodeURIComponent(secret.value),
      "json-escaped": latin(JSON.stringify(secret.value).slice(1, -1)),
    };
    const seen = new Set<string>();
    for (const [form, text] of Object.entries(forms) as [Leak["form"], string][]) {
      if (seen.has(text)) continue;
      seen.add(text);
      const prefix = text.slice(0, shortest);
      byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), { text, secret, form }]);
      longest = Math.max(longest, text.length);
    }
  }
  return { byPrefix, longest };
}

/** Files are read as bytes, one character each, so that binary files are searched too. */
function latin(text: string): string {
  return Buffer.from(text).toString("latin1");
}

async function scanFile(file: string, index: Index, leaks: Leak[]): Promise<number> {
  let carried = "";
  let start = 0;
  let size = 0;
  for await (const chunk of createReadStream(file, { encoding: "latin1", highWaterMark: 1 << 20 })) {
    const text = carried + String(chunk);
    size += String(chunk).length;
    // What may be the beginning of a secret that goes on in the next chunk is looked at again with it.
    const keep = Math.min(text.length, index.longest - 1);
    search(text, text.length - keep, index, (at, needle) => leaks.push(leak(file, start + at, needle)));
    carried = text.slice(text.length - keep);
    start += text.length - keep;
  }
  search(carried, carried.length, index, (at, needle) => leaks.push(leak(file, start + at, needle)));
  return size;
}

function search(
  text: string,
  before: number,
  index: Index,
  found: (at: number, needle: Needle) => void,
): void {
  for (let at = 0; at < before; at++) {
    for (const needle of index.byPrefix.get(text.slice(at, at + shortest)) ?? []) {
      if (text.startsWith(needle.text, at)) found(at, needle);
    }
  }
}

function leak(file: string, offset: number, needle: Needle): Leak {
  return { file, offset, kind: needle.secret.kind, owner: needle.secret.owner, form: needle.form };
}

async function* walk(root: string): AsyncGenerator<string> {
  const stat = await lstat(root);
  if (stat.isFile()) yield root;
  else if (stat.isDirectory()) {
    for (const name of (await readdir(root)).sort()) yield* walk(path.join(root, name));
  }
}
