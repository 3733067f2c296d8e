import { GitError, type GitStore } from "./git-store.ts";

/** One entry of a tree. */
export interface Entry {
  readonly path: string;
  /** `100644`, `100755`, `120000`, `040000`, `160000`. */
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly sha: string;
  /** Bytes; 0 for what is no blob. */
  readonly size: number;
}

/** What is in a tree, or below it too. */
export async function listTree(
  git: GitStore,
  id: number,
  tree: string,
  options: { readonly recursive?: boolean; readonly path?: string } = {},
): Promise<Entry[]> {
  const out = await git.text(id, [
    "ls-tree",
    "-z",
    "--long",
    ...(options.recursive ? ["-r", "-t"] : []),
    tree,
    ...(options.path === undefined ? [] : ["--", options.path]),
  ]);
  return out
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", type = "", sha = "", size = ""] = line.slice(0, tab).split(/ +/);
      return {
        path: line.slice(tab + 1),
        mode,
        type: type as Entry["type"],
        sha,
        size: size === "-" ? 0 : Number(size),
      };
    });
}

/** What a commit has at a path; the empty path is its whole tree. */
export async function entryAt(
  git: GitStore,
  id: number,
  commit: string,
  path: string,
): Promise<Entry | undefined> {
  if (path === "") {
    const sha = (await git.text(id, ["rev-parse", `${commit}^{tree}`])).trim();
    return { path, mode: "040000", type: "tree", sha, size: 0 };
  }
  try {
    return (await listTree(git, id, commit, { path })).find((entry) => entry.path === path);
  } catch (error) {
    // Git refuses a path that leads out of the tree.
    if (error instanceof GitError) return undefined;
    throw error;
  }
}
