import { createReadStream } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { usageError } from "../errors.ts";
import { type Allowance, type BaselineEntry, loadAllowances, type Scope } from "./config.ts";
import { textOf, textsOf } from "./decode.ts";
import { filesOf, type ReadFile, type Skipped } from "./files.ts";
import { findGit, type Git } from "./git.ts";
import {
  listObjects,
  listStaged,
  type ObjectListed,
  type Placement,
  placementsOf,
  type Revisions,
  readObjects,
  readRange,
  reasonToSkip,
  refuseShallow,
} from "./history.ts";
import { type Hit, hitsOf } from "./hits.ts";
import { type InlineAllowance, inlineAllowances } from "./inline.ts";
import { type Allowed, type Finding, Judge } from "./judge.ts";
import { hitsInName, shownPath } from "./paths.ts";

/** What is searched. */
export type Target =
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "history"; readonly reflog: boolean }
  | { readonly kind: "staged" }
  | { readonly kind: "range"; readonly range: string }
  /** A log; `-` is what is piped in. */
  | { readonly kind: "log"; readonly file: string };

export interface ScanOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly baseline?: readonly BaselineEntry[];
  readonly signal?: AbortSignal;
  /** What `-` reads. */
  readonly stdin?: Readable;
  /** Default now. */
  readonly now?: Date;
  /** How a file is read; default from disk. */
  readonly read?: ReadFile;
}

export interface ScanReport {
  readonly findings: readonly Finding[];
  /** What was not searched, each with the reason. */
  readonly skipped: readonly Skipped[];
  /** How many files, versions of files and messages, or logs were searched. */
  readonly scanned: { readonly count: number; readonly bytes: number };
  /** What was found and let pass. */
  readonly allowed: Allowed;
  /** What people should know beside. */
  readonly notices: readonly string[];
  readonly durationMs: number;
}

/** What a run gathers on its way. */
class Tally {
  readonly skipped: Skipped[] = [];
  count = 0;
  bytes = 0;

  skip(name: string, reason: string): void {
    this.skipped.push({ path: shownPath(name), reason });
  }

  add(bytes: number): void {
    this.count++;
    this.bytes += bytes;
  }
}

const scopes: Readonly<Record<Target["kind"], Scope>> = {
  files: "files",
  staged: "files",
  range: "history",
  history: "history",
  log: "logs",
};

/**
 * Searches for secrets. What it gives names places and holds nothing of any secret.
 * @throws KilnError usage: no repository for what needs one, a path, log or range that is not there, a wrong allow list
 */
export async function scan(target: Target, options: ScanOptions): Promise<ScanReport> {
  const began = performance.now();
  const { cwd, env, signal, now = new Date() } = options;
  const git = await findGit(cwd, env, signal);
  const root = git?.root ?? cwd;
  const allowances: readonly Allowance[] = loadAllowances(root);
  const judge = new Judge({
    scope: scopes[target.kind],
    allowances,
    baseline: options.baseline ?? [],
    today: now.toISOString().slice(0, 10),
    whole: target.kind === "history" || (target.kind === "files" && target.paths.length === 0),
  });
  const tally = new Tally();
  if (target.kind === "files") {
    for await (const file of filesOf({ git, root, cwd, paths: target.paths, ...read(options) })) {
      signal?.throwIfAborted();
      if ("skipped" in file) tally.skip(file.path, file.skipped);
      else await judgeFile(judge, tally, file.path, file.bytes, signal);
    }
  } else if (target.kind === "log") await judgeLog(judge, tally, target.file, options);
  else if (git === undefined) throw noRepository(cwd, target.kind);
  else if (target.kind === "staged") {
    const objects = searchable(await listStaged(git), tally);
    for await (const { object, bytes } of readObjects(git, objects)) {
      await judgeFile(judge, tally, object.name, bytes, signal);
    }
  } else {
    if (target.kind === "history") await refuseShallow(git);
    const revisions: Revisions =
      target.kind === "history" ? { kind: "all", reflog: target.reflog } : await readRange(git, target.range);
    await judgeHistory(git, revisions, judge, tally, signal);
  }
  const { findings, allowed, notices } = judge.verdict();
  return {
    findings,
    skipped: tally.skipped,
    scanned: { count: tally.count, bytes: tally.bytes },
    allowed,
    notices,
    durationMs: Math.round(performance.now() - began),
  };
}

const read = ({ read: given }: ScanOptions) => (given === undefined ? {} : { read: given });

async function judgeFile(
  judge: Judge,
  tally: Tally,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  await judge.judge({ path: name }, hitsInName(name));
  const text = textOf(bytes);
  if (text === undefined) {
    tally.skip(name, "binary");
    return;
  }
  tally.add(bytes.length);
  await judge.judge({ path: name, inline: inlineAllowances(text) }, hitsOf([text], signal));
}

/** A log may be of any size. Its lines are written by programs: what they allow does not count. */
async function judgeLog(judge: Judge, tally: Tally, file: string, options: ScanOptions): Promise<void> {
  const { cwd, stdin, signal } = options;
  const name = file === "-" ? "stdin" : path.normalize(file);
  const input = file === "-" ? stdin : createReadStream(path.resolve(cwd, file));
  if (input === undefined) throw new Error("nothing is piped in");
  let bytes = 0;
  const counted = async function* () {
    try {
      for await (const part of input) {
        bytes += (part as Buffer).length;
        yield part as Buffer;
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined || signal?.aborted === true) throw error;
      throw usageError(
        `the log ${name} cannot be read`,
        `The system says ${code}.`,
        "Name a file that is there.",
      );
    }
  };
  const texts = textsOf(counted(), () => {
    throw usageError(
      `${name} is no text`,
      "Its bytes are those of an archive or a program; searched as it is it would pass as clean.",
      "Unpack it first, then scan what is in it.",
    );
  });
  await judge.judge({ path: name }, hitsOf(texts, signal));
  tally.add(bytes);
}

function searchable(objects: readonly ObjectListed[], tally: Tally): ObjectListed[] {
  return objects.filter((object) => {
    const reason = reasonToSkip(object);
    if (reason !== undefined) tally.skip(object.name || object.id, reason);
    return reason === undefined;
  });
}

/** Each content once; where it was is looked up only for those that hold something. */
async function judgeHistory(
  git: Git,
  revisions: Revisions,
  judge: Judge,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  interface Held {
    readonly object: ObjectListed;
    readonly hits: readonly Hit[];
    readonly inline: readonly InlineAllowance[];
  }
  const held: Held[] = [];
  const objects = searchable(await listObjects(git, revisions), tally);
  for await (const { object, bytes } of readObjects(git, objects)) {
    signal?.throwIfAborted();
    await judge.judge({ path: object.name }, hitsInName(object.name));
    const text = textOf(bytes);
    if (text === undefined) tally.skip(object.name || object.id, "binary");
    else {
      tally.add(bytes.length);
      const hits: Hit[] = [];
      for await (const hit of hitsOf([text], signal)) hits.push(hit);
      if (hits.length > 0)
        held.push({ object, hits, inline: object.type === "blob" ? inlineAllowances(text) : [] });
    }
  }
  const contents = held.filter(({ object }) => object.type === "blob").map(({ object }) => object.id);
  const placements = await placementsOf(git, revisions, new Set(contents));
  const sources = held.flatMap(({ object, hits, inline }) =>
    placesOf(object, placements.get(object.id)).map((place) => ({ place: { ...place, inline }, hits })),
  );
  sources.sort((a, b) => a.place.order - b.place.order);
  for (const { place, hits } of sources) await judge.judge(place, hits);
}

interface Place {
  readonly path: string;
  readonly commit?: string;
  /** The oldest first. */
  readonly order: number;
}

function placesOf(
  { type, id, name }: ObjectListed,
  found: readonly Placement[] | undefined,
): readonly Place[] {
  if (type === "commit") return [{ path: "(commit message)", commit: id, order: Number.MAX_SAFE_INTEGER }];
  if (type === "tag") return [{ path: `(tag ${name})`, order: Number.MAX_SAFE_INTEGER }];
  // A tag may name a content that no commit ever had.
  return found ?? [{ path: name || id, order: -1 }];
}

function noRepository(cwd: string, kind: string) {
  return usageError(
    "this is no git repository",
    `\`--${kind}\` reads git's history, and ${cwd} is in none.`,
    "Run it in a clone, or name the files: `kiln scan PATH…`.",
  );
}
