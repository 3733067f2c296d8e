import { nodeId } from "./accounts.ts";
import type { GitStore } from "./git-store.ts";
import { apiUrl, htmlUrl } from "./repository-body.ts";
import { instant, type Repository } from "./state.ts";

interface Signature {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

const fields = ["H", "T", "P", "an", "ae", "aI", "cn", "ce", "cI", "B"];
const format = fields.map((field) => `%${field}`).join("%x1f");

/** Commits from a starting point backwards, newest first. */
export async function readCommits(
  git: GitStore,
  id: number,
  from: string,
  options: {
    readonly path?: string;
    readonly limit?: number;
    readonly since?: string;
    readonly until?: string;
  } = {},
): Promise<Commit[]> {
  const { path, limit, since, until } = options;
  const out = await git.text(id, [
    "log",
    "-z",
    `--format=${format}`,
    ...(limit === undefined ? [] : [`--max-count=${limit}`]),
    ...(since === undefined ? [] : [`--since=${since}`]),
    ...(until === undefined ? [] : [`--until=${until}`]),
    from,
    "--",
    ...(path === undefined ? [] : [path]),
  ]);
  return out
    .split("\0")
    .filter((each) => each !== "")
    .map((each) => {
      const [
        sha = "",
        tree = "",
        parents = "",
        an = "",
        ae = "",
        ad = "",
        cn = "",
        ce = "",
        cd = "",
        ...rest
      ] = each.split("\x1f");
      return {
        sha,
        tree,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        author: { name: an, email: ae, date: utc(ad) },
        committer: { name: cn, email: ce, date: utc(cd) },
        message: rest.join("\x1f").replace(/\n$/, ""),
      };
    });
}

export async function readCommit(git: GitStore, id: number, sha: string): Promise<Commit> {
  const [commit] = await readCommits(git, id, sha, { limit: 1 });
  if (commit === undefined) throw new Error(`git knows ${sha} and does not show it`);
  return commit;
}

function utc(date: string): string {
  return instant(Date.parse(date));
}

/** A commit as the Git data API shows it. */
export function gitCommitBody(repository: Repository, commit: Commit): Record<string, unknown> {
  const url = apiUrl(repository);
  return {
    sha: commit.sha,
    node_id: nodeId("C", repository.id),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${htmlUrl(repository)}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    message: commit.message,
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    parents: parentsOf(repository, commit),
    verification: { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null },
  };
}

/** A commit as the commits API shows it. */
export function commitBody(repository: Repository, commit: Commit): Record<string, unknown> {
  const url = apiUrl(repository);
  const { author, committer, message, tree, verification } = gitCommitBody(repository, commit);
  return {
    sha: commit.sha,
    node_id: nodeId("C", repository.id),
    commit: {
      author,
      committer,
      message,
      tree,
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification,
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${htmlUrl(repository)}/commit/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    // Which account an address belongs to is not kept: addresses on the sandbox are nobody's.
    author: null,
    committer: null,
    parents: parentsOf(repository, commit),
  };
}

function parentsOf(repository: Repository, commit: Commit): object[] {
  return commit.parents.map((sha) => ({
    sha,
    url: `${apiUrl(repository)}/git/commits/${sha}`,
    html_url: `${htmlUrl(repository)}/commit/${sha}`,
  }));
}
