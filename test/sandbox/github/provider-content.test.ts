import sodium from "libsodium-wrappers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Secret } from "../../../sandbox/providers/values.ts";
import type { ProviderClient } from "../providers-client.ts";
import { type GitHubProviderUnderTest, gitHubProvider, type } from "./provider-support.ts";
import type { GitHubSandbox } from "./support.ts";

let under: GitHubProviderUnderTest;
let it: GitHubSandbox;
let github: ProviderClient;
let make: GitHubProviderUnderTest["make"];
let expectSettled: GitHubProviderUnderTest["expectSettled"];
let change: GitHubProviderUnderTest["change"];

const repository = type("Repository");
const owner = "kiln";

beforeAll(async () => {
  under = await gitHubProvider();
  ({ sandbox: it, github, make, expectSettled, change } = under);
  await sodium.ready;
});
afterAll(() => under.close());

describe("variables", () => {
  test.each([
    ["ActionsVariable", {}, "base:NAME"],
    ["ActionsEnvironmentVariable", { environment: "prod" }, "base:prod:NAME"],
  ])("%s lives", async (name, where, id) => {
    const token = type(name);
    const asked = { repository: "base", ...where, variableName: "NAME", value: "one" };
    const made = await make(token, asked);
    expect(made.id).toBe(id);
    await expectSettled(token, made);
    const { made: changed } = await change(token, made, { ...asked, value: "two" });
    expect(changed.outputs.value).toBe("two");
    await github.delete(token, id, changed);
    expect((await github.read(token, id, changed)).id).toBe("");
  });

  test("that someone changed are put right", async () => {
    const token = type("ActionsVariable");
    const made = await make(token, { repository: "base", variableName: "DRIFTS", value: "as said" });
    const by = { owner, repo: "base", name: "DRIFTS", value: "by hand" };
    await it.octokit().rest.actions.updateRepoVariable(by);
    const { inputs, outputs } = await github.read(token, made.id, made);
    expect(inputs.value).toBe("by hand");
    expect((await github.diff(token, inputs, made.inputs, outputs)).details).toEqual({ value: "UPDATE" });
  });
});

describe("secrets", () => {
  test.each([
    ["ActionsSecret", {}, "base:WORD"],
    ["ActionsEnvironmentSecret", { environment: "prod" }, "base:prod:WORD"],
  ])("%s is sealed, and stays secret", async (name, where, id) => {
    const token = type(name);
    const word = `a word for ${name}`;
    const asked = { repository: "base", ...where, secretName: "WORD", value: word };
    const made = await make(token, asked);
    expect(made).toMatchObject({
      id,
      inputs: { value: new Secret(word) },
      outputs: { value: new Secret(word) },
    });
    expect(it.sandbox.cloud.mint.all().map(({ value }) => value)).toContain(word);
    const { inputs, outputs } = await github.read(token, id, made);
    expect({ inputs, outputs }).toEqual({ inputs: made.inputs, outputs: made.outputs });
    const { made: changed } = await change(token, made, { ...asked, value: `${word}, again` });
    expect(changed.outputs.value).toEqual(new Secret(`${word}, again`));
    await github.delete(token, id, changed);
  });

  test("that someone else wrote are written again", async () => {
    const token = type("ActionsSecret");
    const made = await make(token, { repository: "base", secretName: "THEIRS", value: "as it was said" });
    await it.control("POST", "/clock", { advanceMs: 60_000 });
    const { actions } = it.octokit().rest;
    const { data: key } = await actions.getRepoPublicKey({ owner, repo: "base" });
    const sealed = sodium.crypto_box_seal(Buffer.from("by hand"), Buffer.from(key.key, "base64"));
    const encrypted_value = Buffer.from(sealed).toString("base64");
    const secret = { owner, repo: "base", secret_name: "THEIRS", encrypted_value, key_id: key.key_id };
    await actions.createOrUpdateRepoSecret(secret);
    const read = await github.read(token, made.id, made);
    expect((await github.diff(token, read.inputs, made.inputs, read.outputs)).details).toEqual({
      remoteUpdatedAt: "UPDATE",
    });
    const outputs = await github.update(token, made.id, read, made.inputs);
    expect((await github.diff(token, made.inputs, made.inputs, outputs)).details).toEqual({});
  });

  test("need exactly one value", async () => {
    const token = type("ActionsSecret");
    expect((await github.check(token, { repository: "base", secretName: "NONE" })).failures).toHaveLength(1);
  });
});

describe("content", () => {
  const file = type("RepositoryFile");

  test("a file is committed, and committed again", async () => {
    const asked = { repository: "base", file: "docs/a.md", content: "one", commitMessage: "Say one" };
    const made = await make(file, asked);
    expect(made.id).toBe("base:docs/a.md:main");
    expect(made.outputs).toMatchObject({ branch: "main", ref: "main", commitMessage: "Say one" });
    const read = await github.read(file, made.id, made);
    expect(read.outputs).toEqual(made.outputs);
    const { made: changed, diff } = await change(file, made, { ...asked, content: "two" });
    expect(diff.details).toEqual({ content: "UPDATE" });
    expect(changed.outputs.commitSha).not.toBe(made.outputs.commitSha);
    await github.delete(file, made.id, changed);
    expect((await github.read(file, made.id, changed)).id).toBe("");
  });

  test("a file that is there is not overwritten unasked", async () => {
    const asked = { repository: "base", file: "README.md", content: "mine" };
    await expect(make(file, asked)).rejects.toThrow(/refusing to overwrite existing file/);
    const made = await make(file, { ...asked, overwriteOnCreate: true });
    expect(made.outputs.content).toBe("mine");
  });

  test("a branch can be made for a file", async () => {
    const asked = { repository: "base", file: "b.md", content: "b", branch: "side/one" };
    await expect(make(file, asked)).rejects.toThrow(/404 Branch side\/one not found/);
    const made = await make(file, { ...asked, autocreateBranch: true });
    expect(made).toMatchObject({ id: "base:b.md:side/one", outputs: { ref: "side/one" } });
  });

  test("the default branch is another, or has another name", async () => {
    const token = type("BranchDefault");
    await make(repository, { name: "branched", autoInit: true });
    const made = await make(token, { repository: "branched", branch: "trunk", rename: true });
    expect(made.outputs).toMatchObject({ branch: "trunk" });
    await expectSettled(token, made, { repository: "branched", branch: "trunk" });
    await github.delete(token, made.id, made);
  });
});

test("a ruleset is made, found, changed and deleted", async () => {
  const token = type("RepositoryRuleset");
  const asked = {
    repository: "base",
    name: "safe",
    target: "branch",
    enforcement: "active",
    conditions: { refName: { includes: ["~DEFAULT_BRANCH"], excludes: [] } },
    rules: {
      deletion: true,
      nonFastForward: true,
      pullRequest: { requiredApprovingReviewCount: 1 },
      requiredStatusChecks: { requiredChecks: [{ context: "test" }], strictRequiredStatusChecksPolicy: true },
    },
  };
  const made = await make(token, asked);
  await expectSettled(token, made);
  const { data } = await it.octokit().rest.repos.getRepoRulesets({ owner, repo: "base" });
  expect(data).toMatchObject([{ name: "safe", enforcement: "active" }]);
  const { made: changed } = await change(token, made, { ...asked, enforcement: "disabled" });
  expect(changed.outputs.enforcement).toBe("disabled");
  await github.delete(token, made.id, changed);
});

test("a branch protection is made by pattern, holds, is found, changed and deleted", async () => {
  const token = type("BranchProtection");
  const { outputs } = await make(repository, { name: "protected", autoInit: true });
  const asked = {
    repositoryId: outputs.nodeId ?? "",
    pattern: "main",
    enforceAdmins: true,
    requiredPullRequestReviews: [{ requiredApprovingReviewCount: 1 }],
    requiredStatusChecks: [{ strict: true, contexts: ["test"] }],
  };
  const made = await make(token, asked);
  expect(made.id).toMatch(/^BPR_/);
  await expectSettled(token, made);
  const by = { repositoryId: "protected", pattern: "main" };
  expect((await github.read(token, "protected:main")).inputs).toEqual({ ...asked, ...by });

  const at = { owner, repo: "protected" };
  const { repos, git } = it.octokit().rest;
  expect((await repos.getBranch({ ...at, branch: "main" })).data.protected).toBe(true);
  const put = () => repos.createOrUpdateFileContents({ ...at, path: "x", message: "x", content: "eA==" });
  await expect(put()).rejects.toThrow(/must be made through a pull request/);
  const { made: changed, diff } = await change(token, made, { ...asked, enforceAdmins: false });
  expect(diff.details).toEqual({ enforceAdmins: "UPDATE" });
  const { commit } = (await put()).data;
  const parent = commit.parents?.[0]?.sha ?? "";
  const rewind = git.updateRef({ ...at, ref: "heads/main", sha: parent, force: true });
  await expect(rewind).rejects.toThrow(/non_fast_forward/);
  await expect(make(token, asked)).rejects.toThrow(/Name already protected: main/);
  await github.delete(token, made.id, changed);
  await github.delete(token, made.id, changed);
  expect((await repos.getBranch({ ...at, branch: "main" })).data.protected).toBe(false);
  expect((await github.read(token, made.id, changed)).id).toBe("");
});

test("a template of subjects is set, and reset", async () => {
  const token = type("ActionsRepositoryOidcSubjectClaimCustomizationTemplate");
  const asked = { repository: "base", useDefault: false, includeClaimKeys: ["repo", "context"] };
  const made = await make(token, asked);
  await expectSettled(token, made);
  await github.delete(token, made.id, made);
  expect((await github.read(token, made.id)).inputs).toEqual({ repository: "base", useDefault: true });
});
