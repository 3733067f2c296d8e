import { commitOf } from "./commits-write.ts";
import type { GitHub } from "./http.ts";
import { openFrom, type PullRequest, putPull } from "./pulls-state.ts";
import { startRun } from "./runs.ts";
import type { Repository } from "./state.ts";
import type { Viewer } from "./tokens.ts";
import { startsOnPullRequest, startsOnPush } from "./workflow-file.ts";
import { permissionsOf, startOf, workflowsAt } from "./workflows.ts";

/** A ref that moved. */
export interface Push {
  readonly ref: string;
  /** Undefined for a ref that was not there. */
  readonly before: string | undefined;
  readonly after: string;
}

/**
 * Starts the workflows that wait for a push, and carries it on to the pull requests from that branch. What a job's `GITHUB_TOKEN` pushes starts none, so that no run starts the
 * next. Source: docs.github.com, "Triggering a workflow".
 */
export async function pushed(
  github: GitHub,
  repository: Repository,
  viewer: Viewer,
  push: Push,
): Promise<void> {
  await synchronize(github, repository, viewer, push);
  if (viewer.job !== undefined || !permissionsOf(github, repository).enabled) return;
  const waiting = (await workflowsAt(github, repository, push.after)).filter(
    ({ record, workflow }) => record.state === "active" && workflow?.events.has("push"),
  );
  if (waiting.length === 0) return;
  const files = await changedFiles(github, repository, push);
  // An annotated tag is an object of its own; a run has the commit.
  const sha = (await commitOf(github.git, repository.id, push.after)) ?? push.after;
  for (const { record, workflow } of waiting) {
    if (workflow === undefined || !startsOnPush(workflow, push.ref, files)) continue;
    startRun(github, repository, viewer, {
      ...startOf(workflow, record),
      event: "push",
      ref: push.ref,
      sha,
      inputs: {},
    });
  }
}

/** The files that a push changed. */
export async function changedFiles({ git }: GitHub, { id }: Repository, push: Push): Promise<string[]> {
  const args =
    push.before === undefined
      ? ["ls-tree", "-r", "-z", "--name-only", push.after]
      : ["diff", "-z", "--name-only", push.before, push.after];
  return (await git.text(id, args)).split("\0").filter((file) => file !== "");
}

async function synchronize(
  github: GitHub,
  repository: Repository,
  viewer: Viewer,
  push: Push,
): Promise<void> {
  const branch = /^refs\/heads\/(.+)$/.exec(push.ref)?.[1];
  if (branch === undefined) return;
  for (const pull of openFrom(github, repository, branch)) {
    const updatedAt = github.cloud.clock.now();
    const moved = putPull(github, repository, { ...pull, headSha: push.after, updatedAt });
    await github.git.run(repository.id, ["update-ref", `refs/pull/${pull.number}/head`, push.after]);
    await pullRequestHappened(github, repository, viewer, moved, "synchronize");
  }
}

/** Starts the workflows that wait for a pull request, as its head has them. */
export async function pullRequestHappened(
  github: GitHub,
  repository: Repository,
  viewer: Viewer,
  pull: PullRequest,
  action: "opened" | "synchronize" | "reopened" | "closed",
): Promise<void> {
  if (viewer.job !== undefined || !permissionsOf(github, repository).enabled) return;
  const push = { ref: "", before: pull.baseSha, after: pull.headSha };
  const happened = { action, base: pull.base, files: await changedFiles(github, repository, push) };
  for (const { record, workflow } of await workflowsAt(github, repository, pull.headSha)) {
    if (record.state !== "active" || workflow === undefined) continue;
    if (!startsOnPullRequest(workflow, happened)) continue;
    startRun(github, repository, viewer, {
      ...startOf(workflow, record),
      event: "pull_request",
      ref: `refs/heads/${pull.head}`,
      sha: pull.headSha,
      inputs: {},
    });
  }
}
