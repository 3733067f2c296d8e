import { usageError } from "../errors.ts";
import { LARGEST } from "./files.ts";
import type { Git } from "./git.ts";

/** What of the history is searched. */
export type Revisions =
  /** Everything that a branch, a tag, the stash or another ref reaches; with reflogs what only they still know. */
  | { readonly kind: "all"; readonly reflog: boolean }
  /** What `to` has and `from` has not; without `from` everything that `to` reaches. */
  | { readonly kind: "range"; readonly from: string | undefined; readonly to: string };

/** An object as git lists it: a file's content, a commit's or a tag's message. */
export interface ObjectListed {
  readonly id: string;
  readonly type: "blob" | "commit" | "tag";
  /** In bytes. */
  readonly size: number;
  /** A path it had, or a tag's name. */
  readonly name: string;
}

/** Git's arguments for some revisions. Pure. */
export function revisionArguments(revisions: Revisions): string[] {
  if (revisions.kind === "all") return ["--all", ...(revisions.reflog ? ["--reflog"] : [])];
  return [revisions.to, ...(revisions.from === undefined ? [] : [`^${revisions.from}`])];
}

/**
 * Reads `A..B`. What a push brings is named by the hosts with forty zeros for A where the branch is new; that is
 * everything B reaches.
 * @throws KilnError usage, for anything else, and for a commit that is not there
 */
export async function readRange(git: Git, text: string): Promise<Revisions> {
  const [, from = "", to = ""] = /^([^.\s][^\s]*?)\.\.(?:\.(?!\.))?([^.\s][^\s]*)$/.exec(text) ?? [];
  if (from === "" || to === "") {
    throw usageError(
      `${text} is no range`,
      "A range is two commits with two dots between them: A..B.",
      "Say for example `--range origin/main..HEAD`.",
    );
  }
  const commit = async (name: string): Promise<string> => {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
    const id = (await git.read(args, [0, 1, 128])).trim();
    if (id !== "") return id;
    throw usageError(
      `there is no commit ${name}`,
      "The range cannot be followed: it is misspelt, or the clone is shallow and ends before it.",
      "Fetch the whole history (actions/checkout: `fetch-depth: 0`), then run it again.",
    );
  };
  return { kind: "range", from: /^0+$/.test(from) ? undefined : await commit(from), to: await commit(to) };
}

/** @throws KilnError usage, for a clone that ends early: what is not there would pass as clean */
export async function refuseShallow(git: Git): Promise<void> {
  if ((await git.read(["rev-parse", "--is-shallow-repository"])).trim() !== "true") return;
  throw usageError(
    "the history is not all here",
    "This clone is shallow: what came before its first commit cannot be searched, and would pass as clean.",
    "Fetch it all (`git fetch --unshallow`, or actions/checkout with `fetch-depth: 0`), then run it again.",
  );
}

/** Every object of some revisions, each once. */
export async function listObjects(git: Git, revisions: Revisions): Promise<ObjectListed[]> {
  const names = new Map<string, string>();
  const listing = git.stream(["rev-list", "--objects", ...revisionArguments(revisions)]);
  for await (const line of whole(linesOf(listing))) {
    const space = line.indexOf(" ");
    names.set(space === -1 ? line : line.slice(0, space), space === -1 ? "" : line.slice(space + 1));
  }
  return describe(git, names);
}

/** @throws KilnError usage, for a repository from which objects are gone: what is not there would pass as clean */
async function* whole(lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (typeof cause !== "string" || !/missing \w+ object|bad object|unable to read/i.test(cause))
      throw error;
    throw usageError(
      "the history is not all here",
      `Some of what it reaches is gone from this clone: ${cause}.`,
      "Clone it anew (`git fsck` tells what else is gone), then run it again.",
    );
  }
}

/** Type and size of objects, without those that hold no text of anybody's. */
async function describe(git: Git, names: ReadonlyMap<string, string>): Promise<ObjectListed[]> {
  const objects: ObjectListed[] = [];
  const answers = git.stream(["cat-file", "--batch-check", "--buffer"], lines(names.keys()));
  for await (const line of linesOf(answers)) {
    const [id = "", type = "", size = ""] = line.split(" ");
    const name = names.get(id);
    if (name === undefined || type === "tree") continue;
    if (type !== "missing")
      objects.push({ id, type: type as ObjectListed["type"], size: Number(size), name });
    else objects.push({ id, type: "blob", size: Number.NaN, name });
  }
  return objects;
}

/** The lines of what comes in parts; the history of a large repository is longer than one text can be. */
async function* linesOf(parts: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of parts) {
    const all = `${rest}${decoder.decode(part, { stream: true })}`.split("\n");
    rest = all.pop() ?? "";
    yield* all;
  }
  if (rest !== "") yield rest;
}

function* lines(ids: Iterable<string>): Generator<string> {
  for (const id of ids) yield `${id}\n`;
}

/** Why an object is not read; undefined when it is. Pure. */
export function reasonToSkip({ size }: ObjectListed): string | undefined {
  if (Number.isNaN(size)) return "missing from this clone";
  return size > LARGEST ? "too large" : undefined;
}

/** The content of objects, one after the other, in their order. */
export async function* readObjects(
  git: Git,
  objects: readonly ObjectListed[],
): AsyncGenerator<{ object: ObjectListed; bytes: Buffer }> {
  const parts = git.stream(["cat-file", "--batch", "--buffer"], lines(objects.map(({ id }) => id)));
  let held: Buffer[] = [];
  let length = 0;
  const more = async (): Promise<void> => {
    const { value, done } = await parts.next();
    if (done) throw new Error("git cat-file ended before its last object");
    held.push(value);
    length += value.length;
  };
  const join = (): Buffer => {
    const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
    held = [whole];
    return whole;
  };
  try {
    for (const object of objects) {
      let end = -1;
      for (;;) {
        end = length === 0 ? -1 : join().indexOf(10);
        if (end !== -1) break;
        await more();
      }
      const head = join().subarray(0, end).toString("latin1");
      if (head !== `${object.id} ${object.type} ${object.size}`)
        throw new Error(`git cat-file answered ${head}`);
      // Its head, its content and a line's end.
      const total = end + 1 + object.size + 1;
      while (length < total) await more();
      const whole = join();
      yield { object, bytes: whole.subarray(end + 1, total - 1) };
      held = [whole.subarray(total)];
      length -= total;
    }
  } finally {
    await parts.return(undefined);
  }
}

/** A path that a content had, and the first commit in which it had it. */
export interface Placement {
  readonly path: string;
  readonly commit: string;
  /** The commit's place among all, the oldest first. */
  readonly order: number;
}

/**
 * Where contents came into the history: every path each had, oldest first. A merge counts only for what it made itself.
 * @param wanted ids of the contents
 */
export async function placementsOf(
  git: Git,
  revisions: Revisions,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Placement[]>> {
  const found = new Map<string, Placement[]>();
  if (wanted.size === 0) return found;
  const args = [
    "log",
    "--reverse",
    "--topo-order",
    "--root",
    "-c",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
  ];
  let commit = "";
  let order = -1;
  let id: string | undefined;
  const take = (token: string): void => {
    if (id === undefined) {
      const text = token.replace(/^\n/, "");
      // `:mode mode old new A`, and of a merge `::mode mode mode old old new AA`: the new one stands last but one.
      if (text.startsWith(":")) id = text.split(" ").at(-2);
      else if (text.startsWith("commit ")) {
        commit = text.slice("commit ".length);
        order++;
      }
      return;
    }
    const content = id;
    id = undefined;
    if (!wanted.has(content)) return;
    const places = found.get(content) ?? [];
    if (!places.some((each) => each.path === token)) places.push({ path: token, commit, order });
    found.set(content, places);
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of git.stream([
    ...args,
    "--format=tformat:commit %H",
    ...revisionArguments(revisions),
  ])) {
    let whole = rest.length === 0 ? part : Buffer.concat([rest, part]);
    for (let end = whole.indexOf(0); end !== -1; end = whole.indexOf(0)) {
      take(whole.subarray(0, end).toString("utf8"));
      whole = whole.subarray(end + 1);
    }
    rest = whole;
  }
  return found;
}

/** What is staged: the contents that the next commit would bring. */
export async function listStaged(git: Git): Promise<ObjectListed[]> {
  const raw = await git.read([
    "diff",
    "--cached",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--diff-filter=ACMT",
  ]);
  const tokens = raw.split("\0");
  const objects = new Map<string, string[]>();
  for (let at = 0; at + 1 < tokens.length; at += 2) {
    const [, mode = "", , id = ""] = (tokens[at] ?? "").split(" ");
    // A submodule is a commit of another repository.
    if (mode !== "160000") objects.set(id, [...(objects.get(id) ?? []), tokens[at + 1] ?? ""]);
  }
  const described = await describe(git, new Map([...objects.keys()].map((id) => [id, ""])));
  return described.flatMap((object) => (objects.get(object.id) ?? []).map((name) => ({ ...object, name })));
}
