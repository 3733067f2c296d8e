import { rmSync } from "node:fs";
import path from "node:path";
import { type Account, actionsBot } from "./accounts.ts";
import { GitHubError, unprocessable } from "./errors.ts";
import { GitError, type GitStore } from "./git-store.ts";
import type { GitHub } from "./http.ts";
import type { Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601. @default now */
  readonly date?: string | undefined;
}

export interface FileChange {
  readonly path: string;
  /** Undefined removes the file. */
  readonly content: Buffer | undefined;
}

export interface NewCommit {
  readonly branch: string;
  readonly message: string;
  readonly files: readonly FileChange[];
  /** A tree to begin with, instead of the branch's own. */
  readonly tree?: string;
  readonly author?: Person | undefined;
  readonly committer?: Person | undefined;
}

const nothing = "0".repeat(40);
let drafts = 0;

/**
 * Puts a commit with these changes on a branch, which it makes where it is not there. To be called in the repository's
 * turn.
 * @returns the commit's id
 * @throws GitHubError 409 when the branch moved meanwhile, 422 when a path cannot be
 */
export async function commitFiles(
  github: GitHub,
  repository: Repository,
  viewer: Viewer,
  commit: NewCommit,
): Promise<string> {
  const { git, cloud, repositories } = github;
  const { id } = repository;
  const dir = await git.ensure(id, repository.defaultBranch);
  const ref = `refs/heads/${commit.branch}`;
  await requireBranchName(git, id, commit.branch);
  const parent = await commitOf(git, id, ref);
  const index = path.join(dir, `index.${process.pid}.${++drafts}`);
  try {
    const env = { GIT_INDEX_FILE: index };
    const from = commit.tree ?? parent;
    await git.run(id, from === undefined ? ["read-tree", "--empty"] : ["read-tree", from], { env });
    const lines = await Promise.all(commit.files.map((file) => indexLine(git, id, file)));
    if (lines.length > 0) {
      await git.run(id, ["update-index", "-z", "--index-info"], { env, input: lines.join("") });
    }
    const tree = (await git.text(id, ["write-tree"], { env })).trim();
    const now = cloud.clock.iso();
    const committer = commit.committer ?? commit.author ?? personOf(viewer.account);
    const made = await writeCommit(git, id, {
      tree,
      parents: parent === undefined ? [] : [parent],
      message: commit.message,
      author: commit.author ?? committer,
      committer,
      now,
    });
    await git.run(id, ["update-ref", ref, made, parent ?? nothing]);
    repositories.update(id, { pushedAt: cloud.clock.now() });
    return made;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (/cannot lock ref|but expected/.test(error.message)) {
      throw new GitHubError(409, `${commit.branch} moved meanwhile: ${error.message}`);
    }
    throw unprocessable(error.message);
  } finally {
    rmSync(index, { force: true });
  }
}

async function indexLine(git: GitStore, id: number, file: FileChange): Promise<string> {
  requirePath(file.path);
  if (file.content === undefined) return `0 ${nothing}\t${file.path}\0`;
  const blob = await writeBlob(git, id, file.content);
  return `100644 ${blob}\t${file.path}\0`;
}

/** What git would leave out of its index without failing. @throws GitHubError 422 */
export function requirePath(file: string): void {
  const malformed = file.split("/").some((part) => /^(\.{0,2}|\.git)$/i.test(part)) || file.includes("\0");
  if (malformed) throw unprocessable(`path contains a malformed path component: ${file}`);
}

export async function writeBlob(git: GitStore, id: number, content: Buffer): Promise<string> {
  return (await git.text(id, ["hash-object", "-w", "--stdin"], { input: content })).trim();
}

export async function writeCommit(
  git: GitStore,
  id: number,
  commit: {
    tree: string;
    parents: readonly string[];
    message: string;
    author: Person;
    committer: Person;
    /** ISO 8601, for who has no date. */
    now: string;
  },
): Promise<string> {
  const { author, committer, now } = commit;
  const env = {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: author.date ?? now,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
    GIT_COMMITTER_DATE: committer.date ?? now,
  };
  const parents = commit.parents.flatMap((parent) => ["-p", parent]);
  const args = ["commit-tree", commit.tree, ...parents, "-F", "-"];
  return (await git.text(id, args, { env, input: commit.message })).trim();
}

/** Who a commit is by when nobody is named. */
export function personOf(account: Account): Person {
  return {
    name: account === actionsBot ? account.login : account.name,
    email: `${account.id}+${account.login}@users.noreply.github.com`,
  };
}

/** The commit that a branch, tag or id names; undefined when there is none. */
export async function commitOf(git: GitStore, id: number, ref: string): Promise<string | undefined> {
  return resolve(git, id, `${ref}^{commit}`);
}

export async function treeOf(git: GitStore, id: number, ref: string): Promise<string | undefined> {
  return resolve(git, id, `${ref}^{tree}`);
}

async function resolve(git: GitStore, id: number, what: string): Promise<string | undefined> {
  try {
    return (await git.text(id, ["rev-parse", "--verify", "--quiet", "--end-of-options", what])).trim();
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

/** @throws GitHubError 422 */
export async function requireBranchName(git: GitStore, id: number, branch: string): Promise<void> {
  try {
    await git.run(id, ["check-ref-format", `refs/heads/${branch}`]);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw unprocessable(`refs/heads/${branch} is not a valid ref name.`);
  }
}
