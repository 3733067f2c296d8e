import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readWorkflow, startsOnPullRequest } from "../../../sandbox/github/workflow-file.ts";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "proposed" };

const checks = "on: { pull_request: { branches: [main] } }\njobs: { test: { runs-on: x, steps: [] } }\n";

beforeAll(async () => {
  it = await gitHubSandbox();
  const settings = { auto_init: true, delete_branch_on_merge: true, allow_rebase_merge: false };
  await it.octokit().rest.repos.createInOrg({ org: at.owner, name: at.repo, ...settings });
  await put("main", ".github/workflows/checks.yml", checks);
});
afterAll(() => it.close());

async function put(branch: string, path: string, text: string, more: object = {}) {
  const content = Buffer.from(text).toString("base64");
  const { repos } = it.octokit().rest;
  return repos.createOrUpdateFileContents({ ...at, branch, path, message: `put ${path}`, content, ...more });
}

/** A branch with one file of its own, proposed onto main. */
async function propose(branch: string, path = `${branch}.txt`, text = branch) {
  const { repos, git, pulls } = it.octokit().rest;
  const { sha } = (await repos.getBranch({ ...at, branch: "main" })).data.commit;
  await git.createRef({ ...at, ref: `refs/heads/${branch}`, sha });
  await put(branch, path, text);
  return (await pulls.create({ ...at, title: `Add ${branch}`, body: "Because", head: branch, base: "main" }))
    .data;
}

const runs = async () =>
  (await it.octokit().rest.actions.listWorkflowRunsForRepo({ ...at, event: "pull_request" })).data
    .total_count;

describe("a pull request", () => {
  test("is opened, follows its branch, and starts what waits for it", async () => {
    const { pulls } = it.octokit().rest;
    const made = await propose("followed");
    expect(made).toMatchObject({ number: 1, state: "open", merged: false, head: { ref: "followed" } });
    expect(await runs()).toBe(1);
    const pushed = await put("followed", "more.txt", "more");
    const { data } = await pulls.get({ ...at, pull_number: made.number });
    expect(data.head.sha).toBe(pushed.data.commit.sha);
    expect(await runs()).toBe(2);
    const files = await pulls.listFiles({ ...at, pull_number: made.number });
    expect(files.data.map(({ filename }) => filename)).toEqual(["followed.txt", "more.txt"]);
    expect((await pulls.listCommits({ ...at, pull_number: made.number })).data).toHaveLength(2);
  });

  test("is refused between branches that are not there, are the same, or are proposed already", async () => {
    const { pulls } = it.octokit().rest;
    const open = (head: string, base = "main") => pulls.create({ ...at, title: "x", head, base });
    expect((await refusal(open("none"))).errors).toMatchObject([{ field: "head", code: "invalid" }]);
    expect((await refusal(open("followed", "none"))).errors).toMatchObject([{ field: "base" }]);
    expect((await refusal(open("main"))).errors).toMatchObject([
      { message: "No commits between main and main" },
    ]);
    expect((await refusal(open("followed"))).errors).toMatchObject([
      { message: "A pull request already exists for kiln:followed." },
    ]);
  });

  test("is merged by squash, and its branch goes", async () => {
    const { pulls, repos } = it.octokit().rest;
    const made = await propose("squashed");
    const at1 = { ...at, pull_number: made.number };
    const { data } = await pulls.merge({ ...at1, merge_method: "squash" });
    const head = (await repos.getCommit({ ...at, ref: "main" })).data;
    expect(head).toMatchObject({ sha: data.sha, commit: { message: `Add squashed (#${made.number})` } });
    expect(head.parents).toHaveLength(1);
    expect((await pulls.get(at1)).data).toMatchObject({ state: "closed", merged: true });
    expect((await refusal(repos.getBranch({ ...at, branch: "squashed" }))).status).toBe(404);
    expect((await refusal(pulls.merge(at1))).status).toBe(405);
    expect((await pulls.checkIfMerged(at1)).status).toBe(204);
  });

  test("is merged by a merge commit, not by what the repository forbids, nor with conflicts", async () => {
    const { pulls, repos } = it.octokit().rest;
    const [one, two] = [
      await propose("left", "same.txt", "left"),
      await propose("right", "same.txt", "right"),
    ];
    const first = { ...at, pull_number: one.number };
    expect((await refusal(pulls.merge({ ...first, merge_method: "rebase" }))).status).toBe(405);
    expect((await refusal(pulls.merge({ ...first, sha: "0".repeat(40) }))).status).toBe(409);
    await pulls.merge(first);
    expect((await repos.getCommit({ ...at, ref: "main" })).data.parents).toHaveLength(2);
    expect(await refusal(pulls.merge({ ...at, pull_number: two.number }))).toMatchObject({
      status: 405,
      message: "Pull Request is not mergeable",
    });
  });

  test("waits for a review that a ruleset wants", async () => {
    const { pulls, repos } = it.octokit().rest;
    const made = await propose("reviewed");
    const ref_name = { include: ["~DEFAULT_BRANCH"], exclude: [] };
    const rule = { type: "pull_request" as const };
    const parameters = {
      required_approving_review_count: 1,
      dismiss_stale_reviews_on_push: false,
      require_code_owner_review: false,
      require_last_push_approval: false,
      required_review_thread_resolution: false,
    };
    const { data } = await repos.createRepoRuleset({
      ...at,
      name: "reviews",
      target: "branch",
      enforcement: "active",
      conditions: { ref_name },
      rules: [{ ...rule, parameters }],
    });
    const merge = () => pulls.merge({ ...at, pull_number: made.number });
    expect((await refusal(merge())).message).toContain("At least 1 approving review is required");
    await repos.deleteRepoRuleset({ ...at, ruleset_id: data.id });
    expect((await merge()).data.merged).toBe(true);
  });

  test("is closed, opened again, and listed by its state", async () => {
    const { pulls } = it.octokit().rest;
    const pull_number = 1;
    await pulls.update({ ...at, pull_number, state: "closed", title: "Another" });
    const open = async () => (await pulls.list(at)).data.map(({ number }) => number);
    expect(await open()).not.toContain(1);
    await pulls.update({ ...at, pull_number, state: "open" });
    expect(await open()).toContain(1);
    expect((await pulls.list({ ...at, state: "closed" })).data.length).toBeGreaterThan(1);
    expect((await pulls.list({ ...at, head: "kiln:followed" })).data).toMatchObject([{ title: "Another" }]);
  });
});

describe("comments", () => {
  const issue = { ...at, issue_number: 1 };

  test("are written, changed and deleted, by people and by jobs", async () => {
    const { issues } = it.octokit().rest;
    const { body } = await it.control("POST", "/github/job-token", {
      repository: "kiln/proposed",
      access: "write",
    });
    const job = it.octokit(body as { token: string }).rest;
    const { data: made } = await job.issues.createComment({ ...issue, body: "from a job" });
    expect(made.user?.login).toBe("github-actions[bot]");
    await issues.createComment({ ...issue, body: "from a person" });
    await job.issues.updateComment({ ...at, comment_id: made.id, body: "changed" });
    const listed = async () => (await issues.listComments(issue)).data.map((comment) => comment.body);
    expect(await listed()).toEqual(["changed", "from a person"]);
    await issues.deleteComment({ ...at, comment_id: made.id });
    expect(await listed()).toEqual(["from a person"]);
  });

  test("need a pull request, words, and someone who may", async () => {
    const { issues } = it.octokit().rest;
    const nowhere = issues.createComment({ ...issue, issue_number: 999, body: "x" });
    expect((await refusal(nowhere)).status).toBe(404);
    const long = issues.createComment({ ...issue, body: "x".repeat(65_537) });
    expect((await refusal(long)).status).toBe(422);
    const { data } = await issues.createComment({ ...issue, body: "mine" });
    const other = it.octokit("stranger").rest.issues.updateComment({ ...at, comment_id: data.id, body: "x" });
    expect((await refusal(other)).status).toBe(403);
  });
});

test.each([
  ["on: pull_request", { action: "opened" }, true],
  ["on: pull_request", { action: "closed" }, false],
  ["on: { pull_request: { types: [closed] } }", { action: "closed" }, true],
  ["on: { pull_request: { branches: [release/*] } }", { action: "opened" }, false],
  ["on: { pull_request: { paths: ['docs/**'] } }", { action: "opened" }, false],
  ["on: push", { action: "opened" }, false],
])("'%s' when %j: %j", (on, { action }, starts) => {
  const workflow = readWorkflow(`${on}\njobs: {}`);
  if ("problem" in workflow) throw new Error(workflow.problem);
  expect(startsOnPullRequest(workflow, { action, base: "main", files: ["src/a"] })).toBe(starts);
});
