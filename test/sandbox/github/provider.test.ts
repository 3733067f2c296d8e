import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unknown, type ValueMap } from "../../../sandbox/providers/values.ts";
import { initFailure, type ProviderClient } from "../providers-client.ts";
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
});
afterAll(() => under.close());

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

  test("that was made and is not as it should be stays in state", async () => {
    const asked = { name: "partly", topics: ["Not A Topic"] };
    const failed = initFailure(await github.create(repository, asked).catch((error: unknown) => error));
    expect(failed).toMatchObject({ id: "partly", reasons: [expect.stringMatching(/topics: 422/)] });
    const made = { id: "partly", inputs: asked, outputs: failed.outputs };
    const healed = await change(repository, made, { name: "partly", topics: ["topic"] });
    expect(healed.made.outputs).toMatchObject({ topics: ["topic"], repoId: expect.any(Number) });
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
    const same = await make(policy, { ...at, tagPattern: "v*" });
    expect(same.id).toBe(tag.id);
    const { replaces } = await github.diff(policy, tag.inputs, { ...at, branchPattern: "v*" }, tag.outputs);
    expect(replaces.sort()).toEqual(["branchPattern", "tagPattern"]);
  });
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
  const other = await under.connect();
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
  const { failures } = await github.check(type("Team"), {});
  expect(failures).toEqual([expect.stringMatching(/does not serve resource type/)]);
  await expect(github.configure({ baseUrl: "https://ghe.example.test/" })).rejects.toThrow(/has only/);
});
