import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "deployed" };

beforeAll(async () => {
  it = await gitHubSandbox();
  await it.octokit().rest.repos.createInOrg({ org: at.owner, name: at.repo });
});
afterAll(() => it.close());

const prod = { ...at, environment_name: "prod" };

describe("an environment", () => {
  test("has the rules that it was given, and no others", async () => {
    const { repos, teams, users } = it.octokit().rest;
    const team = (await teams.getByName({ org: at.owner, team_slug: "maintainers" })).data;
    const user = (await users.getByUsername({ username: "kiln-owner" })).data;
    const { data } = await repos.createOrUpdateEnvironment({
      ...prod,
      wait_timer: 30,
      prevent_self_review: true,
      reviewers: [
        { type: "User", id: user.id },
        { type: "Team", id: team.id },
      ],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
    expect(data).toMatchObject({
      name: "prod",
      protection_rules: [
        { type: "wait_timer", wait_timer: 30 },
        {
          type: "required_reviewers",
          prevent_self_review: true,
          reviewers: [
            { type: "User", reviewer: { login: "kiln-owner" } },
            { type: "Team", reviewer: { slug: "maintainers" } },
          ],
        },
        { type: "branch_policy" },
      ],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
    const same = await repos.getEnvironment({ ...at, environment_name: "PROD" });
    expect(same.data).toEqual(data);
    const bare = (await repos.createOrUpdateEnvironment({ ...at, environment_name: "bare" })).data;
    expect(bare).toMatchObject({ protection_rules: [], deployment_branch_policy: null });
    const all = await repos.getAllEnvironments(at);
    expect(all.data.environments?.map(({ name }) => name)).toEqual(["prod", "bare"]);
  });

  test.each([
    ["a wait of more than 30 days", { wait_timer: 43_201 }],
    ["a reviewer who is nobody", { reviewers: [{ type: "User" as const, id: 1 }] }],
    [
      "two branch policies at once",
      { deployment_branch_policy: { protected_branches: true, custom_branch_policies: true } },
    ],
  ])("cannot have %s", async (_what, rules) => {
    const { repos } = it.octokit().rest;
    const made = repos.createOrUpdateEnvironment({ ...at, environment_name: "wrong", ...rules });
    expect((await refusal(made)).status).toBe(422);
    expect((await refusal(repos.getEnvironment({ ...at, environment_name: "wrong" }))).status).toBe(404);
  });

  test("has branch policies of its own", async () => {
    const { repos } = it.octokit().rest;
    const made = (await repos.createDeploymentBranchPolicy({ ...prod, name: "release/*" })).data;
    expect(made).toMatchObject({ name: "release/*", type: "branch" });
    const policy = { ...prod, branch_policy_id: Number(made.id) };
    expect((await repos.updateDeploymentBranchPolicy({ ...policy, name: "main" })).data.name).toBe("main");
    expect((await repos.listDeploymentBranchPolicies(prod)).data.total_count).toBe(1);
    await repos.deleteDeploymentBranchPolicy(policy);
    expect((await refusal(repos.getDeploymentBranchPolicy(policy))).status).toBe(404);
    const bare = { ...at, environment_name: "bare", name: "main" };
    expect((await refusal(repos.createDeploymentBranchPolicy(bare))).status).toBe(404);
  });

  test("is deleted with its variables", async () => {
    const { repos, actions } = it.octokit().rest;
    const gone = { ...at, environment_name: "gone" };
    await repos.createOrUpdateEnvironment(gone);
    await actions.createEnvironmentVariable({ ...gone, name: "A", value: "1" });
    await repos.deleteAnEnvironment(gone);
    expect((await refusal(actions.getEnvironmentVariable({ ...gone, name: "A" }))).status).toBe(404);
    await repos.createOrUpdateEnvironment(gone);
    expect((await actions.listEnvironmentVariables(gone)).data.total_count).toBe(0);
  });
});

describe("a variable", () => {
  test("of the repository is one, of the environment another", async () => {
    const { actions } = it.octokit().rest;
    await actions.createRepoVariable({ ...at, name: "place", value: "repository" });
    await actions.createEnvironmentVariable({ ...prod, name: "PLACE", value: "prod" });
    expect((await actions.getRepoVariable({ ...at, name: "Place" })).data).toMatchObject({
      name: "PLACE",
      value: "repository",
    });
    expect((await actions.getEnvironmentVariable({ ...prod, name: "PLACE" })).data.value).toBe("prod");
    await actions.updateEnvironmentVariable({ ...prod, name: "PLACE", value: "changed" });
    expect((await actions.listEnvironmentVariables(prod)).data.variables).toMatchObject([
      { value: "changed" },
    ]);
    expect((await actions.listRepoVariables(at)).data.variables).toMatchObject([{ value: "repository" }]);
  });

  test("is made once", async () => {
    const { actions } = it.octokit().rest;
    const again = actions.createRepoVariable({ ...at, name: "PLACE", value: "x" });
    expect((await refusal(again)).status).toBe(409);
    const unknown = actions.updateRepoVariable({ ...at, name: "UNKNOWN", value: "x" });
    expect((await refusal(unknown)).status).toBe(404);
  });

  test.each(["1A", "A-B", "GITHUB_TOKEN"])("cannot be called %s", async (name) => {
    const made = it.octokit().rest.actions.createRepoVariable({ ...at, name, value: "x" });
    expect((await refusal(made)).status).toBe(422);
  });

  test("comes in pages of ten", async () => {
    const { octokit } = { octokit: it.octokit() };
    for (let n = 0; n < 12; n++) {
      await octokit.rest.actions.createRepoVariable({ ...at, name: `N${n}`, value: String(n) });
    }
    expect((await octokit.rest.actions.listRepoVariables(at)).data.variables).toHaveLength(10);
    expect(await octokit.paginate(octokit.rest.actions.listRepoVariables, at)).toHaveLength(13);
  });
});
