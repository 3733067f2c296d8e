import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "files" };

beforeAll(async () => {
  it = await gitHubSandbox();
  await it.octokit().rest.repos.createInOrg({ org: at.owner, name: at.repo });
});
afterAll(() => it.close());

const base64 = (text: string) => Buffer.from(text).toString("base64");

async function put(path: string, text: string, more: object = {}) {
  const content = base64(text);
  const { repos } = it.octokit().rest;
  return repos.createOrUpdateFileContents({ ...at, path, message: `put ${path}`, content, ...more });
}

async function textAt(path: string, ref?: string): Promise<string> {
  const { data } = await it.octokit().rest.repos.getContent({ ...at, path, ...(ref ? { ref } : {}) });
  if (Array.isArray(data) || data.type !== "file") throw new Error(`${path} is no file`);
  return Buffer.from(data.content, "base64").toString();
}

test("a file in an empty repository makes its first commit", async () => {
  const { repos } = it.octokit().rest;
  expect((await refusal(repos.getContent({ ...at, path: "a.txt" }))).message).toBe(
    "This repository is empty.",
  );
  const made = await put("a.txt", "one", { committer: { name: "C", email: "c@example.test" } });
  expect(made.status).toBe(201);
  expect(made.data.commit).toMatchObject({
    message: "put a.txt",
    parents: [],
    author: { name: "C", email: "c@example.test" },
  });
  expect(await textAt("a.txt")).toBe("one");
});

test("a change names what it replaces", async () => {
  const first = await put("dir/b.txt", "one");
  expect(await refusal(put("dir/b.txt", "two"))).toMatchObject({
    status: 422,
    message: expect.stringContaining(`"sha" wasn't supplied`),
  });
  const wrong = "0".repeat(40);
  expect(await refusal(put("dir/b.txt", "two", { sha: wrong }))).toMatchObject({
    status: 409,
    message: `dir/b.txt does not match ${wrong}`,
  });
  const second = await put("dir/b.txt", "two", { sha: first.data.content?.sha });
  expect(second.status).toBe(200);
  expect(second.data.commit.parents).toHaveLength(1);
  expect(await textAt("dir/b.txt")).toBe("two");
  expect(await textAt("dir/b.txt", String(first.data.commit.sha))).toBe("one");
});

test("of many changes at once each is made, or refused", async () => {
  const names = ["m1", "m2", "m3", "m4"];
  await Promise.all(names.map((name) => put(`many/${name}`, name)));
  const { data } = await it.octokit().rest.repos.getContent({ ...at, path: "many" });
  expect(Array.isArray(data) && data.map(({ name }) => name)).toEqual(names);
});

test("a folder is a list, and a file can be had raw", async () => {
  await put("folder/x y.txt", "spaced");
  const { data } = await it.octokit().rest.repos.getContent({ ...at, path: "folder" });
  expect(data).toMatchObject([{ type: "file", path: "folder/x y.txt", size: 6 }]);
  const raw = await it
    .octokit()
    .rest.repos.getContent({ ...at, path: "folder/x y.txt", mediaType: { format: "raw" } });
  expect(raw.data).toBe("spaced");
});

test("a file is deleted by what it is", async () => {
  const made = await put("gone.txt", "x");
  const { repos } = it.octokit().rest;
  const sha = made.data.content?.sha ?? "";
  const gone = await repos.deleteFile({ ...at, path: "gone.txt", message: "rm", sha });
  expect(gone.data.content).toBeNull();
  expect((await refusal(repos.getContent({ ...at, path: "gone.txt" }))).status).toBe(404);
  expect((await refusal(repos.deleteFile({ ...at, path: "gone.txt", message: "rm", sha }))).status).not.toBe(
    200,
  );
});

test("a path leads nowhere outside", async () => {
  for (const path of [".git/config", "a/.git/hooks/x"]) {
    expect((await refusal(put(path, "x"))).status, path).toBe(422);
  }
});

test("another branch needs to be there", async () => {
  expect(await refusal(put("c.txt", "x", { branch: "none" }))).toMatchObject({
    status: 404,
    message: "Branch none not found",
  });
});

test("what was written is there after a restart, and gone after a reset", async () => {
  await it.restart();
  expect(await textAt("a.txt")).toBe("one");
  const before = (await it.octokit().rest.repos.get(at)).data.id;
  await it.control("POST", "/reset");
  const { repos } = it.octokit().rest;
  expect((await refusal(repos.get(at))).status).toBe(404);
  const again = await repos.createInOrg({ org: at.owner, name: at.repo });
  expect(again.data.id).toBeGreaterThan(before);
});
