import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "objects" };
let first: string;

beforeAll(async () => {
  it = await gitHubSandbox();
  const { repos } = it.octokit().rest;
  await repos.createInOrg({ org: at.owner, name: at.repo, auto_init: true });
  first = (await repos.getBranch({ ...at, branch: "main" })).data.commit.sha;
});
afterAll(() => it.close());

describe("git's objects", () => {
  test("make a commit of several files, which a branch then points to", async () => {
    const { git, repos } = it.octokit().rest;
    const blob = await git.createBlob({
      ...at,
      content: Buffer.from("binary").toString("base64"),
      encoding: "base64",
    });
    const tree = await git.createTree({
      ...at,
      base_tree: first,
      tree: [
        { path: "a/one.txt", mode: "100644", type: "blob", content: "one" },
        { path: "run.sh", mode: "100755", type: "blob", sha: blob.data.sha },
        { path: "README.md", mode: "100644", type: "blob", sha: null },
      ],
    });
    expect(tree.data.tree.map(({ path }) => path)).toEqual(["a", "run.sh"]);
    const author = { name: "A", email: "a@example.test", date: "2026-01-02T03:04:05Z" };
    const commit = await git.createCommit({
      ...at,
      message: "all at once",
      tree: tree.data.sha,
      parents: [first],
      author,
    });
    expect(commit.data).toMatchObject({ message: "all at once", author, committer: author });
    await git.createRef({ ...at, ref: "refs/heads/work", sha: commit.data.sha });
    const whole = await git.getTree({ ...at, tree_sha: "work", recursive: "1" });
    expect(whole.data.tree.map(({ path, mode }) => [path, mode])).toEqual([
      ["a", "040000"],
      ["a/one.txt", "100644"],
      ["run.sh", "100755"],
    ]);
    const shown = await repos.getCommit({ ...at, ref: "work" });
    expect(shown.data.files?.map(({ filename, status }) => `${status} ${filename}`)).toEqual([
      "removed README.md",
      "added a/one.txt",
      "added run.sh",
    ]);
    const listed = await repos.listCommits({ ...at, sha: "work", path: "a/one.txt" });
    expect(listed.data.map(({ sha }) => sha)).toEqual([commit.data.sha]);
  });

  test("that are not there, or lead outside, are refused", async () => {
    const { git } = it.octokit().rest;
    const none = "1".repeat(40);
    expect((await refusal(git.getBlob({ ...at, file_sha: none }))).status).toBe(404);
    expect((await refusal(git.createCommit({ ...at, message: "x", tree: none }))).status).toBe(422);
    const tree = [{ path: "../x", mode: "100644" as const, content: "x" }];
    expect((await refusal(git.createTree({ ...at, tree }))).status).toBe(422);
    const option = git.createTree({ ...at, base_tree: "--index-output=/tmp/x", tree: [] });
    expect((await refusal(option)).status).toBe(422);
  });
});

describe("a ref", () => {
  test("is made once, moves forward, and back only by force", async () => {
    const { git } = it.octokit().rest;
    const sha = first;
    expect(await refusal(git.createRef({ ...at, ref: "refs/heads/work", sha }))).toMatchObject({
      status: 422,
      message: "Reference already exists",
    });
    const work = (await git.getRef({ ...at, ref: "heads/work" })).data.object.sha;
    await git.createRef({ ...at, ref: "refs/heads/moving", sha });
    await git.updateRef({ ...at, ref: "heads/moving", sha: work });
    expect(await refusal(git.updateRef({ ...at, ref: "heads/moving", sha }))).toMatchObject({
      status: 422,
      message: "Update is not a fast forward",
    });
    await git.updateRef({ ...at, ref: "heads/moving", sha, force: true });
    await git.deleteRef({ ...at, ref: "heads/moving" });
    expect((await refusal(git.getRef({ ...at, ref: "heads/moving" }))).status).toBe(404);
    await git.createRef({ ...at, ref: "refs/tags/v0.1.0", sha });
    const tags = await git.listMatchingRefs({ ...at, ref: "tags/v" });
    expect(tags.data.map(({ ref }) => ref)).toEqual(["refs/tags/v0.1.0"]);
  });

  test("of nothing is refused", async () => {
    const { git, repos } = it.octokit().rest;
    const sha = "2".repeat(40);
    expect((await refusal(git.createRef({ ...at, ref: "refs/heads/none", sha }))).status).toBe(422);
    await repos.createInOrg({ org: at.owner, name: "hollow" });
    const hollow = { owner: at.owner, repo: "hollow" };
    expect((await refusal(git.getRef({ ...hollow, ref: "heads/main" }))).status).toBe(409);
    expect((await repos.listBranches(hollow)).data).toEqual([]);
  });

  test("that is the default branch can be another, or be renamed", async () => {
    const { repos, git } = it.octokit().rest;
    expect((await refusal(repos.update({ ...at, default_branch: "none" }))).status).toBe(422);
    await repos.update({ ...at, default_branch: "work" });
    await repos.renameBranch({ ...at, branch: "work", new_name: "trunk/one" });
    expect((await repos.get(at)).data.default_branch).toBe("trunk/one");
    expect((await refusal(git.deleteRef({ ...at, ref: "heads/trunk/one" }))).status).toBe(422);
    await repos.update({ ...at, default_branch: "main" });
  });
});

describe("a ruleset", () => {
  const ruleset = {
    ...at,
    name: "main is safe",
    target: "branch" as const,
    enforcement: "active" as const,
    conditions: { ref_name: { include: ["~DEFAULT_BRANCH", "refs/heads/release/*"], exclude: [] } },
    rules: [{ type: "deletion" as const }, { type: "pull_request" as const }],
  };

  test("holds for the branches that it names, as long as it is active", async () => {
    const { repos, git } = it.octokit().rest;
    const made = (await repos.createRepoRuleset(ruleset)).data;
    expect((await repos.getBranch({ ...at, branch: "main" })).data.protected).toBe(true);
    const put = (branch: string, path: string) =>
      repos.createOrUpdateFileContents({ ...at, path, message: "m", content: "eA==", branch });
    expect(await refusal(put("main", "direct"))).toMatchObject({
      status: 409,
      message: expect.stringContaining("must be made through a pull request"),
    });
    await put("trunk/one", "elsewhere");
    await git.createRef({ ...at, ref: "refs/heads/release/1", sha: first });
    expect((await refusal(git.deleteRef({ ...at, ref: "heads/release/1" }))).status).toBe(409);
    await repos.updateRepoRuleset({ ...at, ruleset_id: made.id, enforcement: "disabled" });
    await git.deleteRef({ ...at, ref: "heads/release/1" });
    expect((await repos.getRepoRulesets(at)).data.map(({ name }) => name)).toEqual(["main is safe"]);
    await repos.deleteRepoRuleset({ ...at, ruleset_id: made.id });
    expect((await repos.getRepoRulesets(at)).data).toEqual([]);
  });

  test("with an unknown rule is refused", async () => {
    const wrong = { ...ruleset, rules: [{ type: "no_such_rule" as "deletion" }] };
    expect((await refusal(it.octokit().rest.repos.createRepoRuleset(wrong))).status).toBe(422);
  });
});
