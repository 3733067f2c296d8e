import { commitOf, personOf, treeOf, writeCommit } from "./commits-write.ts";
import { GitHubError } from "./errors.ts";
import { GitError } from "./git-store.ts";
import type { GitHub } from "./http.ts";
import { type PullRequest, putPull } from "./pulls-state.ts";
import { rulesInForce } from "./rules-in-force.ts";
import type { Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";

export interface Merge {
  readonly method: "merge" | "squash" | "rebase";
  readonly title: string | undefined;
  readonly message: string | undefined;
}

/**
 * Merges a pull request into its base. To be called in the repository's turn.
 * @throws GitHubError 405 when it is not open, conflicts, lacks a review that a ruleset wants, or may not be merged so
 */
export async function mergePull(
  github: GitHub,
  repository: Repository,
  viewer: Viewer,
  pull: PullRequest,
  merge: Merge,
): Promise<{ sha: string; before: string; pull: PullRequest }> {
  const { git, cloud, repositories } = github;
  const { id, settings } = repository;
  const refuse = (message: string) => new GitHubError(405, message);
  if (pull.state !== "open" || pull.draft) throw refuse("Pull Request is not mergeable");
  if (merge.method === "merge" && !settings.allow_merge_commit) {
    throw refuse("Merge commits are not allowed on this repository.");
  }
  if (merge.method === "squash" && !settings.allow_squash_merge) {
    throw refuse("Squash merges are not allowed on this repository.");
  }
  if (merge.method === "rebase") throw refuse("The sandbox merges by merge commit or squash, not by rebase.");
  const ref = `refs/heads/${pull.base}`;
  requireReview(github, repository, ref);
  const before = await commitOf(git, id, ref);
  if (before === undefined) throw refuse("Pull Request is not mergeable");
  const tree = await mergedTree(github, id, before, pull.headSha);
  const person = personOf(viewer.account);
  const sha = await writeCommit(git, id, {
    tree,
    parents: merge.method === "merge" ? [before, pull.headSha] : [before],
    message: messageOf(repository, pull, merge),
    author: person,
    committer: person,
    now: cloud.clock.iso(),
  });
  await git.run(id, ["update-ref", ref, sha, before]);
  const at = cloud.clock.now();
  repositories.update(id, { pushedAt: at });
  if (settings.delete_branch_on_merge && pull.head !== repository.defaultBranch) {
    await git.run(id, ["update-ref", "-d", `refs/heads/${pull.head}`]);
  }
  const merged = { sha, byId: viewer.account.id, at };
  const closed: PullRequest = { ...pull, state: "closed", merged, closedAt: at, updatedAt: at };
  return { sha, before, pull: putPull(github, repository, closed) };
}

/** Nobody reviews on the sandbox: a rule that wants a review is never met. */
function requireReview(github: GitHub, repository: Repository, ref: string): void {
  for (const { type, parameters } of rulesInForce(github, repository, ref)) {
    const wanted = Number(parameters?.required_approving_review_count ?? 0);
    if (type !== "pull_request" || wanted === 0) continue;
    const reviews = wanted === 1 ? "1 approving review is" : `${wanted} approving reviews are`;
    throw new GitHubError(405, `Repository rule violations found\n\nAt least ${reviews} required.`);
  }
}

async function mergedTree({ git }: GitHub, id: number, base: string, head: string): Promise<string> {
  try {
    const out = await git.text(id, ["merge-tree", "--write-tree", base, head]);
    return out.split("\n")[0] ?? "";
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const tree = error.exitCode === 1 ? undefined : await treeOf(git, id, head);
    if (error.exitCode !== 1 && tree === undefined) throw error;
    throw new GitHubError(405, "Pull Request is not mergeable");
  }
}

function messageOf({ owner, settings }: Repository, pull: PullRequest, merge: Merge): string {
  const titled = `${pull.title} (#${pull.number})`;
  const [title, message] =
    merge.method === "squash"
      ? [titled, settings.squash_merge_commit_message === "PR_BODY" ? (pull.body ?? "") : ""]
      : [`Merge pull request #${pull.number} from ${owner}/${pull.head}`, pull.title];
  return [merge.title ?? title, merge.message ?? message].filter((part) => part !== "").join("\n\n");
}
