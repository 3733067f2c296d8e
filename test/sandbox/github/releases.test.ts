import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "released" };
let first: string;

beforeAll(async () => {
  it = await gitHubSandbox();
  const { repos } = it.octokit().rest;
  await repos.createInOrg({ org: at.owner, name: at.repo, private: true, auto_init: true });
  first = (await repos.getBranch({ ...at, branch: "main" })).data.commit.sha;
});
afterAll(() => it.close());

describe("a release", () => {
  test("makes its tag, and is found by it", async () => {
    const { repos, git } = it.octokit().rest;
    const made = (await repos.createRelease({ ...at, tag_name: "v0.1.0", name: "First", body: "Notes" }))
      .data;
    expect(made).toMatchObject({ tag_name: "v0.1.0", draft: false, target_commitish: "main", assets: [] });
    expect((await git.getRef({ ...at, ref: "tags/v0.1.0" })).data.object.sha).toBe(first);
    expect((await repos.getReleaseByTag({ ...at, tag: "v0.1.0" })).data.id).toBe(made.id);
    expect((await repos.getLatestRelease(at)).data.id).toBe(made.id);
    expect((await repos.listTags(at)).data).toMatchObject([{ name: "v0.1.0", commit: { sha: first } }]);
    const again = repos.createRelease({ ...at, tag_name: "v0.1.0" });
    expect((await refusal(again)).errors).toMatchObject([{ field: "tag_name", code: "already_exists" }]);
  });

  test("that is a draft makes no tag before it is published", async () => {
    const { repos, git } = it.octokit().rest;
    const draft = (await repos.createRelease({ ...at, tag_name: "v0.2.0", draft: true })).data;
    expect((await refusal(git.getRef({ ...at, ref: "tags/v0.2.0" }))).status).toBe(404);
    expect((await refusal(repos.getReleaseByTag({ ...at, tag: "v0.2.0" }))).status).toBe(404);
    await repos.updateRelease({ ...at, release_id: draft.id, draft: false, prerelease: true });
    expect((await git.getRef({ ...at, ref: "tags/v0.2.0" })).data.object.sha).toBe(first);
    expect((await repos.getLatestRelease(at)).data.tag_name).toBe("v0.1.0");
    await repos.deleteRelease({ ...at, release_id: draft.id });
    expect((await repos.listReleases(at)).data.map(({ tag_name }) => tag_name)).toEqual(["v0.1.0"]);
  });

  test("is listed by GraphQL as gh asks, drafts only for who may publish them", async () => {
    const { repos } = it.octokit().rest;
    const draft = (await repos.createRelease({ ...at, tag_name: "v0.3.0", draft: true })).data;
    const query = `query { repository(owner: "kiln", name: "released") {
      releases(first: 30, orderBy: { field: CREATED_AT, direction: DESC }) { nodes { tagName isDraft isLatest } }
      release(tagName: "v0.1.0") { databaseId isPrerelease } } }`;
    const ask = async (as: "owner" | "reader") =>
      (
        await it
          .octokit(as)
          .graphql<{ repository: { releases: { nodes: object[] }; release: object } }>(query)
      ).repository;
    const first = { tagName: "v0.1.0", isDraft: false, isLatest: true };
    const unpublished = { tagName: "v0.3.0", isDraft: true, isLatest: false };
    expect((await ask("owner")).releases.nodes).toEqual([unpublished, first]);
    expect(await ask("reader")).toMatchObject({
      releases: { nodes: [first] },
      release: { isPrerelease: false },
    });
    await repos.deleteRelease({ ...at, release_id: draft.id });
  });

  test("of a commit that is not there, or by who may only read, is refused", async () => {
    const wrong = { ...at, tag_name: "v9", target_commitish: "none" };
    expect((await refusal(it.octokit().rest.repos.createRelease(wrong))).status).toBe(422);
    const reader = it.octokit("reader").rest.repos.createRelease({ ...at, tag_name: "v9" });
    expect((await refusal(reader)).status).toBe(403);
  });

  test("has files, which are downloaded as they were", async () => {
    const { repos } = it.octokit().rest;
    const release = (await repos.getReleaseByTag({ ...at, tag: "v0.1.0" })).data;
    const upload = (name: string, data: string, type: string) =>
      repos.uploadReleaseAsset({
        ...at,
        release_id: release.id,
        name,
        data,
        headers: { "content-type": type },
      });
    const asset = (await upload("notes.json", `{"a": 1}`, "application/json")).data;
    expect(asset).toMatchObject({ name: "notes.json", size: 8, content_type: "application/json" });
    expect((await refusal(upload("notes.json", "x", "text/plain"))).status).toBe(422);
    const headers = { authorization: `Bearer ${it.tokenOf("reader")}` };
    const file = await fetch(asset.browser_download_url, { headers });
    expect([file.status, await file.text()]).toEqual([200, `{"a": 1}`]);
    expect((await fetch(asset.browser_download_url)).status).toBe(401);
    await it.restart();
    const shown = (await repos.getRelease({ ...at, release_id: release.id })).data;
    expect(shown.assets.map(({ name }) => name)).toEqual(["notes.json"]);
    expect(await (await fetch(asset.browser_download_url, { headers })).text()).toBe(`{"a": 1}`);
    await repos.deleteReleaseAsset({ ...at, asset_id: asset.id });
    expect((await fetch(asset.browser_download_url, { headers })).status).toBe(404);
  });
});

test("a tag may be an object with a message of its own", async () => {
  const { git } = it.octokit().rest;
  const tagger = { name: "T", email: "t@example.test", date: "2026-05-06T07:08:09Z" };
  const { data } = await git.createTag({
    ...at,
    tag: "v1",
    message: "One\n\nand more",
    object: first,
    type: "commit",
    tagger,
  });
  expect(data).toMatchObject({
    tag: "v1",
    message: "One\n\nand more",
    tagger,
    object: { sha: first, type: "commit" },
  });
  const ref = await git.createRef({ ...at, ref: "refs/tags/v1", sha: data.sha });
  expect(ref.data.object).toMatchObject({ type: "tag", sha: data.sha });
  expect((await git.getTag({ ...at, tag_sha: data.sha })).data.message).toBe("One\n\nand more");
  const none = { ...at, tag: "v2", message: "x", object: "3".repeat(40), type: "commit" as const };
  expect((await refusal(git.createTag(none))).status).toBe(422);
});
