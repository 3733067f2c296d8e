import sodium from "libsodium-wrappers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Secret, unknown, type ValueMap } from "../../../sandbox/providers/values.ts";
import { ProviderClient } from "../providers-client.ts";
import { type GitHubSandbox, gitHubSandbox } from "./support.ts";

/** The provider `github` on its wire, against the sandbox's own GitHub. */
let it: GitHubSandbox;
let github: ProviderClient;

const type = (name: string) => `github:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;
const repository = type("Repository");
const owner = "kiln";

beforeAll(async () => {
  it = await gitHubSandbox();
  const { clientId } = it.sandbox.cloud.principals.byName("owner") ?? {};
  const { body } = await it.control("POST", "/providers", { clientId, projectDir: "/" });
  github = new ProviderClient((body as { github: number }).github, "github");
  await make(repository, { name: "base", autoInit: true });
  await make(type("RepositoryEnvironment"), { repository: "base", environment: "prod" });
  await sodium.ready;
});
afterAll(async () => {
  github.close();
  await it.close();
});

interface Made {
  readonly id: string;
  readonly inputs: ValueMap;
  readonly outputs: ValueMap;
}

async function make(token: string, asked: ValueMap): Promise<Made> {
  const { inputs, failures } = await github.check(token, asked);
  expect(failures).toEqual([]);
  return { inputs, ...(await github.create(token, inputs)) };
}

/** What was made is found as it was made, by a refresh and by an import, and nothing wants to change. */
async function expectSettled(token: string, made: Made, imported: ValueMap = made.inputs): Promise<void> {
  const read = await github.read(token, made.id, made);
  expect(read).toEqual({ id: made.id, inputs: made.inputs, outputs: made.outputs });
  expect((await github.diff(token, made.inputs, made.inputs, made.outputs)).details).toEqual({});
  expect((await github.read(token, made.id)).inputs).toEqual(imported);
}

async function change(token: string, made: Made, asked: ValueMap) {
  const { inputs } = await github.check(token, asked, { olds: made.inputs });
  const diff = await github.diff(token, made.inputs, inputs, made.outputs);
  const outputs = await github.update(token, made.id, made, inputs);
  return { diff, made: { id: made.id, inputs, outputs } };
}

describe("a repository", () => {
  test("lives: made, found, changed, deleted", async () => {
    const asked = {
      name: "living",
      description: "One",
      visibility: "private",
      topics: ["b", "a"],
      hasIssues: true,
      vulnerabilityAlerts: true,
      deleteBranchOnMerge: true,
    };
    const made = await make(repository, asked);
    expect(made.id).toBe("living");
    expect(made.outputs).toMatchObject({
      fullName: "kiln/living",
      repoId: expect.any(Number),
      httpCloneUrl: "https://github.com/kiln/living.git",
      hasIssues: true,
      hasWiki: false,
      topics: ["b", "a"],
    });
    await expectSettled(repository, made);

    const changed = await change(repository, made, { ...asked, description: "Two", topics: ["a", "b"] });
    expect(changed.diff.details).toEqual({ description: "UPDATE" });
    const { data } = await it.octokit().rest.repos.get({ owner, repo: "living" });
    expect(data).toMatchObject({ description: "Two", delete_branch_on_merge: true, private: true });

    const { description: _, ...less } = asked;
    const removed = await change(repository, changed.made, less);
    expect(removed.diff.details).toEqual({ description: "UPDATE" });
    expect(removed.made.outputs.description).toBe("");

    await github.delete(repository, made.id, removed.made);
    expect(await github.read(repository, made.id, removed.made)).toEqual({ id: "", inputs: {}, outputs: {} });
    await github.delete(repository, made.id, removed.made);
  });

  test("can be renamed, and what is in it stays where it is", async () => {
    const made = await make(repository, { name: "old-name", autoInit: true });
    const variable = type("ActionsVariable");
    const inside = await make(variable, { repository: "old-name", variableName: "A", value: "1" });
    const renamed = await change(repository, made, { name: "new-name", autoInit: true });
    expect(renamed.diff.details).toEqual({ name: "UPDATE" });
    expect(renamed.made.outputs).toMatchObject({ fullName: "kiln/new-name", repoId: made.outputs.repoId });
    const moved = { ...inside.inputs, repository: "new-name" };
    const same = await github.diff(variable, inside.inputs, moved, inside.outputs);
    expect(same).toMatchObject({ details: { repository: "UPDATE" }, replaces: [] });
    const other = await github.diff(
      variable,
      inside.inputs,
      { ...moved, repository: "base" },
      inside.outputs,
    );
    expect(other.replaces).toEqual(["repository"]);
  });

  test("is named by the engine, or after the resource, where the program gives no name", async () => {
    const { inputs } = await github.check(repository, {}, { name: "made-up" });
    expect(inputs.name).toMatch(/^made-up-[0-9a-f]{7}$/);
    const again = await github.check(repository, {}, { name: "made-up", olds: inputs });
    expect(again.inputs.name).toBe(inputs.name);
  });

  test("that is to be archived is not deleted", async () => {
    const made = await make(repository, { name: "kept", archiveOnDestroy: true });
    await github.delete(repository, made.id, made);
    expect((await it.octokit().rest.repos.get({ owner, repo: "kept" })).data.archived).toBe(true);
  });

  test("that exists is not taken over unasked", async () => {
    await expect(make(repository, { name: "base" })).rejects.toThrow(
      /422 Repository creation failed.*name already exists on this account/,
    );
  });

  test("previewed knows what the program knows", async () => {
    const { outputs } = await github.create(
      repository,
      { name: "soon", visibility: unknown },
      { preview: true },
    );
    expect(outputs).toMatchObject({
      name: "soon",
      visibility: unknown,
      repoId: unknown,
      allowSquashMerge: true,
    });
  });

  test("comes from a template", async () => {
    await make(repository, { name: "mould", isTemplate: true, autoInit: true });
    const template = { owner, repository: "mould" };
    const made = await make(repository, { name: "cast", template, hasIssues: true });
    expect(made.outputs).toMatchObject({ template, hasIssues: true, defaultBranch: "main" });
  });

  test.each([
    ["both private and visibility", { private: true, visibility: "public" }, /conflicts with visibility/],
    ["a name with spaces", { name: "no good" }, /must include only/],
    ["a property that it has not", { colour: "red" }, /has no property 'colour'/],
  ])("cannot have %s", async (_what, asked, failure) => {
    const { failures } = await github.check(repository, { name: "wrong", ...asked } as ValueMap);
    expect(failures).toEqual([expect.stringMatching(failure)]);
  });
});

describe("an environment", () => {
  const environment = type("RepositoryEnvironment");

  test("has its protection, and no other", async () => {
    const { data: user } = await it.octokit().rest.users.getByUsername({ username: "kiln-owner" });
    const asked = {
      repository: "base",
      environment: "guarded: eu",
      waitTimer: 5,
      preventSelfReview: true,
      reviewers: [{ users: [user.id] }],
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    };
    const made = await make(environment, asked);
    expect(made.id).toBe("base:guarded?? eu");
    await expectSettled(environment, made);
    const open = await change(environment, made, { repository: "base", environment: "guarded: eu" });
    expect(Object.keys(open.diff.details).sort()).toEqual([
      "deploymentBranchPolicy",
      "preventSelfReview",
      "reviewers",
      "waitTimer",
    ]);
    expect(open.made.outputs).toMatchObject({ waitTimer: 0, canAdminsBypass: true });
    await github.delete(environment, made.id, open.made);
  });

  test("of another name is another", async () => {
    const inputs = { repository: "base", environment: "one" };
    const { replaces } = await github.diff(environment, inputs, { ...inputs, environment: "two" });
    expect(replaces).toEqual(["environment"]);
  });

  test("lets branches and tags deploy by pattern", async () => {
    const policy = type("RepositoryEnvironmentDeploymentPolicy");
    const at = { repository: "base", environment: "patterned" };
    const deploymentBranchPolicy = { protectedBranches: false, customBranchPolicies: true };
    await make(environment, { ...at, deploymentBranchPolicy });
    const made = await make(policy, { ...at, branchPattern: "main" });
    await expectSettled(policy, made);
    const { made: changed } = await change(policy, made, { ...at, branchPattern: "release/*" });
    expect(changed.outputs).toMatchObject({ branchPattern: "release/*" });
    const tag = await make(policy, { ...at, tagPattern: "v*" });
    await expectSettled(policy, tag);
    await github.delete(policy, made.id, changed);
    expect((await github.check(policy, at)).failures).toHaveLength(1);
    const { replaces } = await github.diff(policy, tag.inputs, { ...at, branchPattern: "v*" }, tag.outputs);
    expect(replaces.sort()).toEqual(["branchPattern", "tagPattern"]);
  });
});

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

test("a template of subjects is set, and reset", async () => {
  const token = type("ActionsRepositoryOidcSubjectClaimCustomizationTemplate");
  const asked = { repository: "base", useDefault: false, includeClaimKeys: ["repo", "context"] };
  const made = await make(token, asked);
  await expectSettled(token, made);
  await github.delete(token, made.id, made);
  expect((await github.read(token, made.id)).inputs).toEqual({ repository: "base", useDefault: true });
});

test("people, teams and repositories can be looked up", async () => {
  const find = async (name: string, args: ValueMap) =>
    (await github.invoke(`github:index/${name}:${name}`, args)).result;
  expect(await find("getUser", { username: "kiln-reader" })).toMatchObject({ login: "kiln-reader" });
  expect(await find("getOrganization", { name: "kiln" })).toMatchObject({ id: "190000000" });
  expect(await find("getTeam", { slug: "maintainers" })).toMatchObject({
    members: ["kiln-owner", "kiln-contributor"],
  });
  expect(await find("getRepository", { name: "base" })).toMatchObject({ fullName: "kiln/base" });
  await expect(find("getMembership", {})).rejects.toThrow(/does not serve function/);
});

test("a program may be someone else, or work for another owner", async () => {
  const { clientId } = it.sandbox.cloud.principals.byName("owner") ?? {};
  const { body } = await it.control("POST", "/providers", { clientId, projectDir: "/" });
  const other = new ProviderClient((body as { github: number }).github, "github");
  try {
    await other.configure({ token: ["ghp", "0".repeat(36)].join("_") });
    await expect(other.create(repository, { name: "refused" })).rejects.toThrow(/401 Bad credentials/);
    await other.configure({ token: it.tokenOf("reader") });
    await expect(other.create(repository, { name: "refused" })).rejects.toThrow(/403 You need admin access/);
    await other.configure({ owner: "kiln-owner" });
    const { outputs } = await other.create(repository, { name: "own" });
    expect(outputs.fullName).toBe("kiln-owner/own");
  } finally {
    other.close();
  }
});

test("what is not served says so, and so does a configuration that leads elsewhere", async () => {
  const { failures } = await github.check(type("BranchProtection"), {});
  expect(failures).toEqual([expect.stringMatching(/does not serve resource type/)]);
  await expect(github.configure({ baseUrl: "https://ghe.example.test/" })).rejects.toThrow(/has only/);
});
