import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
beforeAll(async () => {
  it = await gitHubSandbox();
});
afterAll(() => it.close());

const owner = "kiln";

async function repository(name: string, more: object = {}) {
  return (await it.octokit().rest.repos.createInOrg({ org: owner, name, ...more })).data;
}

describe("who asks", () => {
  test("each principal of the sandbox is someone on its GitHub", async () => {
    const { data, headers } = await it.octokit().rest.users.getAuthenticated();
    expect(data).toMatchObject({ login: "kiln-owner", type: "User" });
    expect(headers["x-ratelimit-limit"]).toBe("5000");
    expect(headers["x-github-request-id"]).toMatch(/^[0-9A-F]{4}:[0-9A-F]{6}:/);
    expect(it.tokenOf("owner")).toMatch(/^ghp_[A-Za-z0-9]{36}$/);
  });

  test("a token of nobody is a bad credential", async () => {
    const nobody = it.octokit({ token: ["ghp", "0".repeat(36)].join("_") });
    expect(await refusal(nobody.rest.users.getAuthenticated())).toEqual({
      status: 401,
      message: "Bad credentials",
      documentation_url: "https://docs.github.com/rest",
    });
  });

  test("the tokens are found by a leak scan", async () => {
    const known = it.sandbox.cloud.mint.all().map(({ value }) => value);
    expect(known).toContain(it.tokenOf("owner"));
  });

  test("what someone may not see is not there, and what they may not change is forbidden", async () => {
    await repository("closed", { private: true });
    const at = { owner, repo: "closed" };
    expect((await refusal(it.octokit("stranger").rest.repos.get(at))).status).toBe(404);
    expect((await it.octokit("reader").rest.repos.get(at)).data.permissions).toMatchObject({
      admin: false,
      push: false,
      pull: true,
    });
    expect(await refusal(it.octokit("contributor").rest.repos.delete(at))).toMatchObject({
      status: 403,
      message: "Must have admin rights to Repository.",
    });
  });

  test("an unknown path is not found, in GitHub's words", async () => {
    expect(await refusal(it.octokit().request("GET /no/such/thing"))).toEqual({
      status: 404,
      message: "Not Found",
      documentation_url: "https://docs.github.com/rest",
    });
  });
});

describe("a repository", () => {
  test("is made as GitHub makes it", async () => {
    const made = await repository("made", {
      description: "One",
      auto_init: true,
      delete_branch_on_merge: true,
    });
    expect(made).toMatchObject({
      full_name: "kiln/made",
      private: false,
      default_branch: "main",
      has_issues: true,
      delete_branch_on_merge: true,
      allow_auto_merge: false,
      owner: { login: "kiln", type: "Organization" },
      clone_url: "https://github.com/kiln/made.git",
    });
    expect(Number.isInteger(made.id)).toBe(true);
    const readme = await it.octokit().rest.repos.getContent({ owner, repo: "MADE", path: "README.md" });
    expect(readme.data).toMatchObject({ type: "file", encoding: "base64" });
    expect((await it.octokit().request("GET /repositories/{id}", { id: made.id })).data.name).toBe("made");
  });

  test("cannot have the name of another", async () => {
    await repository("twice");
    expect(await refusal(repository("Twice"))).toMatchObject({
      status: 422,
      message: "Repository creation failed.",
      errors: [{ resource: "Repository", field: "name", message: "name already exists on this account" }],
    });
  });

  test("says what is wrong with a request", async () => {
    const wrong = it.octokit().request("POST /orgs/kiln/repos");
    expect(await refusal(wrong)).toMatchObject({ status: 422, message: expect.stringContaining('"name"') });
    const none = { allow_merge_commit: false, allow_squash_merge: false, allow_rebase_merge: false };
    expect((await refusal(repository("none", none))).status).toBe(422);
  });

  test("changes, and its old name leads to it", async () => {
    const made = await repository("before");
    const { rest } = it.octokit();
    await rest.repos.update({
      owner,
      repo: "before",
      name: "after",
      has_wiki: false,
      allow_update_branch: true,
    });
    const { data } = await rest.repos.get({ owner, repo: "before" });
    expect(data).toMatchObject({ id: made.id, name: "after", has_wiki: false, allow_update_branch: true });
    await repository("before");
    expect((await rest.repos.get({ owner, repo: "before" })).data.id).not.toBe(made.id);
  });

  test("has topics", async () => {
    await repository("topical");
    const { rest } = it.octokit();
    await rest.repos.replaceAllTopics({ owner, repo: "topical", names: ["Kiln", "gitops"] });
    expect((await rest.repos.getAllTopics({ owner, repo: "topical" })).data.names).toEqual([
      "kiln",
      "gitops",
    ]);
    const wrong = rest.repos.replaceAllTopics({ owner, repo: "topical", names: ["no spaces"] });
    expect((await refusal(wrong)).status).toBe(422);
  });

  test("that is archived is read-only", async () => {
    await repository("old", { auto_init: true });
    const { rest } = it.octokit();
    await rest.repos.update({ owner, repo: "old", archived: true });
    const write = rest.repos.createOrUpdateFileContents({
      owner,
      repo: "old",
      path: "a",
      message: "a",
      content: "YQ==",
    });
    expect(await refusal(write)).toMatchObject({
      status: 403,
      message: expect.stringContaining("read-only"),
    });
    await rest.repos.update({ owner, repo: "old", archived: false });
  });

  test("is deleted with all that is in it", async () => {
    await repository("gone", { auto_init: true });
    const { rest } = it.octokit();
    const at = { owner, repo: "gone" };
    await rest.actions.createRepoVariable({ ...at, name: "A", value: "b" });
    await rest.repos.delete(at);
    expect(await refusal(rest.repos.get(at))).toMatchObject({
      status: 404,
      message: "Not Found",
      documentation_url: "https://docs.github.com/rest/repos/repos#get-a-repository",
    });
    await repository("gone");
    expect((await rest.actions.listRepoVariables(at)).data.total_count).toBe(0);
    expect((await refusal(rest.repos.getContent({ ...at, path: "README.md" }))).status).toBe(404);
  });

  test("comes from a template with one commit", async () => {
    await repository("mould", { is_template: true, auto_init: true });
    const { rest } = it.octokit();
    const made = await rest.repos.createUsingTemplate({
      template_owner: owner,
      template_repo: "mould",
      owner,
      name: "cast",
    });
    expect(made.data.template_repository?.name).toBe("mould");
    const readme = await rest.repos.getContent({ owner, repo: "cast", path: "README.md" });
    expect(readme.data).toMatchObject({ name: "README.md" });
  });
});

describe("a list", () => {
  test("has pages that a client follows", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await repository(name);
    const { rest, paginate } = it.octokit();
    const all = await paginate(rest.repos.listForOrg, { org: owner, per_page: 2 });
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(["page-a", "page-b", "page-c"]));
    const first = await rest.repos.listForOrg({ org: owner, per_page: 2 });
    expect(first.data).toHaveLength(2);
    expect(first.headers.link).toMatch(/page=2>; rel="next".*rel="last"/);
  });

  test("that did not change is not sent again", async () => {
    const { rest } = it.octokit();
    const first = await rest.orgs.get({ org: owner });
    const again = rest.orgs.get({ org: owner, headers: { "if-none-match": first.headers.etag ?? "" } });
    expect((await refusal(again)).status).toBe(304);
  });
});

describe("limits and faults", () => {
  test("who asks too often is told until when to wait", async () => {
    const ask = () => fetch("https://api.github.com/orgs/kiln");
    const statuses = [];
    for (let n = 0; n < 60; n++) statuses.push((await ask()).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const refused = await ask();
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining("rate limit exceeded") });
    expect(refused.headers.get("x-ratelimit-remaining")).toBe("0");
    const wait = Number(refused.headers.get("x-ratelimit-reset")) - Date.now() / 1000;
    expect(wait).toBeGreaterThan(3000);
    const known = await it.octokit().rest.rateLimit.get();
    expect(known.data.rate).toMatchObject({ limit: 5000 });
    await it.control("POST", "/clock", { advanceMs: 60 * 60 * 1000 });
    expect((await ask()).status).toBe(200);
  });

  test("what goes wrong on purpose goes wrong in GitHub's words", async () => {
    const fault = { effect: "throttle", host: "^api\\.github\\.com$", times: 1 };
    expect((await it.control("POST", "/faults", fault)).status).toBe(200);
    const call = it.octokit().rest.orgs.get({ org: owner });
    expect(await refusal(call)).toMatchObject({ status: 429, documentation_url: expect.any(String) });
    expect((await it.octokit().rest.orgs.get({ org: owner })).status).toBe(200);
  });

  test("a request that is no JSON, or of an unknown version, is refused", async () => {
    const headers = { authorization: `token ${it.tokenOf("owner")}`, "content-type": "application/json" };
    const wrong = await fetch("https://api.github.com/orgs/kiln/repos", {
      method: "POST",
      headers,
      body: "{",
    });
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ message: "Problems parsing JSON" });
    const version = { ...headers, "x-github-api-version": "1999-01-01" };
    expect((await fetch("https://api.github.com/user", { headers: version })).status).toBe(400);
  });
});
