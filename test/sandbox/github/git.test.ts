import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { KnownPrincipal } from "../../../sandbox/core/principals.ts";
import { commandsOf, pktLine, refusedReport } from "../../../sandbox/github/pkt-line.ts";
import { type GitHubSandbox, gitHubSandbox } from "./support.ts";

/** git itself, over HTTPS and through the front door, with nothing but the environment that a shell is given. */
let it: GitHubSandbox;
let home: string;
const at = { owner: "kiln", repo: "cloned" };

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "kiln-git-"));
  it = await gitHubSandbox();
  const { repos } = it.octokit().rest;
  await repos.createInOrg({ org: at.owner, name: at.repo, private: true, auto_init: true });
});
afterAll(async () => {
  await it.close();
  await rm(home, { recursive: true });
});

async function git(args: string[], as: KnownPrincipal | null = "owner", more: Record<string, string> = {}) {
  const { GIT_CONFIG_COUNT, ...rest } = it.environment(as ?? "owner");
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Someone",
    GIT_AUTHOR_EMAIL: "someone@example.test",
    GIT_COMMITTER_NAME: "Someone",
    GIT_COMMITTER_EMAIL: "someone@example.test",
    ...rest,
    ...(as === null || GIT_CONFIG_COUNT === undefined ? {} : { GIT_CONFIG_COUNT }),
    ...more,
  };
  for (const value of Object.values(env)) expect(value).not.toContain(it.tokenOf("owner"));
  const done = await execa("git", args, { cwd: home, env, extendEnv: false, reject: false, all: true });
  return { exitCode: done.exitCode, all: done.all };
}

const url = (repo: string) => `https://github.com/kiln/${repo}.git`;

async function done(args: string[], as: KnownPrincipal = "owner"): Promise<string> {
  const { exitCode, all } = await git(args, as);
  expect(exitCode, all).toBe(0);
  return all;
}

async function commit(folder: string, file: string, content: string): Promise<void> {
  await writeFile(path.join(home, folder, file), content);
  await done(["-C", folder, "add", "."]);
  await done(["-C", folder, "commit", "--quiet", "-m", `change ${file}`]);
}

describe("git", () => {
  test("clones what the API wrote, and the API shows what it pushes", async () => {
    await done(["clone", url("cloned"), "work"]);
    expect(await readFile(path.join(home, "work/README.md"), "utf8")).toBe("# cloned\n");
    await commit("work", "pushed.txt", "by git");
    await done(["-C", "work", "push", "origin", "main"]);
    const { data } = await it.octokit().rest.repos.getContent({ ...at, path: "pushed.txt" });
    expect(data).toMatchObject({ type: "file", size: 6 });
    const content = Buffer.from("by the API").toString("base64");
    await it
      .octokit()
      .rest.repos.createOrUpdateFileContents({ ...at, path: "api.txt", message: "m", content });
    await done(["-C", "work", "pull", "--quiet"]);
    expect(await readFile(path.join(home, "work/api.txt"), "utf8")).toBe("by the API");
  });

  test("clones shallow, and a pack that is large and compressed is taken", async () => {
    await done(["clone", "--depth", "1", url("cloned"), "shallow"]);
    const random = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 2654435761) % 251));
    await writeFile(path.join(home, "work/large.bin"), random);
    await done(["-C", "work", "add", "."]);
    await done(["-C", "work", "commit", "--quiet", "-m", "large"]);
    await done([
      "-C",
      "work",
      "push",
      "--quiet",
      "origin",
      "main",
      "main:refs/heads/copy",
      "main:refs/tags/v1",
    ]);
    const { data } = await it.octokit().request("GET /repos/{owner}/{repo}/git/refs", at);
    expect((data as { ref: string }[]).map(({ ref }) => ref)).toEqual([
      "refs/heads/copy",
      "refs/heads/main",
      "refs/tags/v1",
    ]);
  });

  test("gives an empty repository its default branch by the first push", async () => {
    await it.octokit().rest.repos.createInOrg({ org: at.owner, name: "empty" });
    await done(["clone", "--quiet", url("empty"), "empty"]);
    await done(["-C", "empty", "checkout", "--quiet", "-b", "trunk"]);
    await commit("empty", "first.txt", "first");
    await done(["-C", "empty", "push", "origin", "trunk"]);
    expect((await it.octokit().rest.repos.get({ ...at, repo: "empty" })).data.default_branch).toBe("trunk");
    await done(["clone", "--quiet", url("empty"), "again"]);
    expect(await readFile(path.join(home, "again/first.txt"), "utf8")).toBe("first");
  });

  test("starts the workflows that wait for a push", async () => {
    const { GIT_CONFIG_COUNT: _, ...rest } = it.environment();
    expect(rest.KILN_GITHUB_TOKEN_FILE).toContain("owner.github-token");
    await done(["-C", "work", "pull", "--quiet"]);
    await execa("mkdir", ["-p", path.join(home, "work/.github/workflows")]);
    await commit("work", ".github/workflows/ci.yml", "on: push\njobs: { test: { runs-on: x, steps: [] } }\n");
    await done(["-C", "work", "push", "origin", "main"]);
    const { data } = await it.octokit().rest.actions.listWorkflowRunsForRepo(at);
    expect(data.workflow_runs).toMatchObject([{ event: "push", head_branch: "main" }]);
  });

  test("of who may only read clones and does not push", async () => {
    await done(["clone", "--quiet", url("cloned"), "read"], "reader");
    await commit("read", "r.txt", "r");
    const pushed = await git(["-C", "read", "push", "origin", "main"], "reader");
    expect(pushed).toMatchObject({ exitCode: 128, all: expect.stringContaining("403") });
    expect((await git(["clone", url("cloned"), "x"], "stranger")).all).toContain("not found");
    expect((await git(["clone", url("nothing"), "x"])).all).toContain("not found");
    expect((await git(["clone", url("cloned"), "x"], null)).all).toContain("could not read Username");
  });

  test("by a job's token pushes content, and no workflow", async () => {
    const { body } = await it.control("POST", "/github/job-token", {
      repository: "kiln/cloned",
      access: "write",
    });
    const { token } = body as { token: string };
    await writeFile(path.join(home, "job-token"), token);
    const helper = `!f() { echo username=x-access-token; echo "password=$(cat ${home}/job-token)"; }; f`;
    const runs = async () => (await it.octokit().rest.actions.listWorkflowRunsForRepo(at)).data.total_count;
    await done(["clone", "--quiet", url("cloned"), "job"]);
    await commit("job", "by-a-job.txt", "x");
    const before = await runs();
    const as = { GIT_CONFIG_VALUE_1: helper };
    expect((await git(["-C", "job", "push", "origin", "main"], "owner", as)).exitCode).toBe(0);
    expect(await runs()).toBe(before);
    await commit("job", ".github/workflows/more.yml", "on: push\njobs: {}\n");
    const refused = await git(["-C", "job", "push", "origin", "main", "main:refs/heads/other"], "owner", as);
    expect(refused.all).toContain("without `workflows` permission");
    const { data } = await it.octokit().rest.repos.listBranches(at);
    expect(data.map(({ name }) => name)).not.toContain("other");
    await done(["-C", "work", "pull", "--quiet", "origin", "main"]);
  });

  test("does not push what a ruleset forbids", async () => {
    const { repos } = it.octokit().rest;
    const { data: ruleset } = await repos.createRepoRuleset({
      ...at,
      name: "safe",
      target: "branch",
      enforcement: "active",
      conditions: { ref_name: { include: ["~DEFAULT_BRANCH"], exclude: [] } },
      rules: [{ type: "non_fast_forward" }, { type: "deletion" }],
    });
    await done(["-C", "work", "checkout", "--quiet", "main"]);
    await done(["-C", "work", "commit", "--quiet", "--amend", "-m", "another"]);
    const forced = await git(["-C", "work", "push", "--force", "origin", "main"]);
    expect(forced).toMatchObject({ exitCode: 1, all: expect.stringContaining("rejected") });
    await repos.updateRepoRuleset({ ...at, ruleset_id: ruleset.id, rules: [{ type: "pull_request" }] });
    await done(["-C", "work", "reset", "--quiet", "--hard", "origin/main"]);
    await commit("work", "direct.txt", "x");
    const direct = await git(["-C", "work", "push", "origin", "main"]);
    expect(direct.all).toContain("push declined due to repository rule violations");
    expect(direct.exitCode).toBe(1);
    await done(["-C", "work", "push", "--quiet", "origin", "main:refs/heads/by-request"]);
  });
});

test("octokit works in a process of its own, with nothing but that environment", async () => {
  const code = `
    import { readFileSync } from "node:fs";
    import { Octokit } from "@octokit/rest";
    const { rest } = new Octokit({ auth: readFileSync(process.env.KILN_GITHUB_TOKEN_FILE, "utf8") });
    const { data } = await rest.repos.get({ owner: process.env.GITHUB_OWNER, repo: "cloned" });
    process.stdout.write(data.full_name);`;
  const env = { PATH: process.env.PATH ?? "", ...it.environment("reader") };
  const options = { cwd: import.meta.dirname, env, extendEnv: false };
  const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", code], options);
  expect(stdout).toBe("kiln/cloned");
});

test("gh finds its token in a configuration of its own", async () => {
  const { GH_CONFIG_DIR = "" } = it.environment("contributor");
  const hosts = parse(await readFile(path.join(GH_CONFIG_DIR, "hosts.yml"), "utf8")) as object;
  expect(hosts).toMatchObject({
    "github.com": { user: "kiln-contributor", oauth_token: it.tokenOf("contributor") },
  });
});

describe("git's lines", () => {
  const [one, two] = ["1".repeat(40), "2".repeat(40)];
  const none = "0".repeat(40);

  test("say what a push wants", () => {
    const body = Buffer.concat([
      pktLine(`${none} ${one} refs/heads/new\0 report-status side-band-64k`),
      pktLine(`${one} ${none} refs/heads/old\n`),
      pktLine(`${one} ${two} refs/heads/main`),
      Buffer.from("0000PACK…"),
    ]);
    expect(commandsOf(body)).toEqual({
      capabilities: ["report-status", "side-band-64k"],
      commands: [
        { ref: "refs/heads/new", before: undefined, after: one },
        { ref: "refs/heads/old", before: one, after: undefined },
        { ref: "refs/heads/main", before: one, after: two },
      ],
    });
    expect(commandsOf(Buffer.from("nonsense")).commands).toEqual([]);
  });

  test("say no to a client with and without side bands", () => {
    const commands = [{ ref: "refs/heads/a", before: undefined, after: one }];
    const refused = [{ ref: "refs/heads/a", reason: "no" }];
    const plain = refusedReport(commands, refused, []).toString();
    expect(plain).toBe("000eunpack ok\n0017ng refs/heads/a no\n0000");
    const banded = refusedReport(commands, refused, ["side-band-64k"]).toString();
    expect(banded).toBe(`${(plain.length + 5).toString(16).padStart(4, "0")}\u0001${plain}0000`);
  });
});
