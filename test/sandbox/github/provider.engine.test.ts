import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestEngine, testEngine } from "../../harness/engine.ts";
import { type EngineRun, expectNotOnDisk, runEngine } from "../../harness/engine-program.ts";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

/*
 * @pulumi/github under the real engine, with the real SDK, against the sandbox: one stack's life, step by step.
 */

const program = path.join(import.meta.dirname, "program");
const word = "a-word-for-github-alone";
const at = { owner: "kiln", repo: "hub-one" };

let engine: TestEngine;
let home: string;
let it: GitHubSandbox;
let port: number;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "github-engine-"));
  [engine, it] = await Promise.all([testEngine(), gitHubSandbox()]);
  const { clientId } = it.sandbox.cloud.principals.byName("owner") ?? {};
  const { body } = await it.control("POST", "/providers", { clientId, projectDir: home });
  port = (body as { github: number }).github;
  const { exitCode, all } = await pulumi(["stack", "init"]);
  expect(exitCode, all).toBe(0);
});
afterAll(async () => {
  await it.close();
  await rm(home, { recursive: true });
});

function pulumi(args: string[]): Promise<EngineRun> {
  const reached = `github:${port}`;
  return runEngine(
    { engine, folder: program, home, providers: reached, secrets: [word, it.tokenOf("owner")] },
    args,
  );
}

const configFile = () => ["--config-file", path.join(home, "Pulumi.dev.yaml")];

async function set(key: string, value: string): Promise<void> {
  expect((await pulumi(["config", "set", key, value, ...configFile()])).exitCode).toBe(0);
}

async function up(): Promise<string> {
  const { exitCode, all } = await pulumi(["up", "--yes", "--skip-preview", ...configFile()]);
  expect(exitCode, all).toBe(0);
  return all;
}

/** What a preview would do, by resource name, without what stays. */
async function preview(): Promise<Record<string, string>> {
  const { exitCode, stdout, all } = await pulumi(["preview", "--json", ...configFile()]);
  expect(exitCode, all).toBe(0);
  const { steps } = JSON.parse(stdout) as { steps: { op: string; urn: string; detailedDiff?: object }[] };
  const shown = steps.filter(
    (step) => !/^(same|read)$/.test(step.op) && !step.urn.includes("pulumi:pulumi:Stack"),
  );
  return Object.fromEntries(
    shown.map(({ urn, op, detailedDiff }) => [
      urn.split("::").at(-1) ?? "",
      [op, ...Object.keys(detailedDiff ?? {})].join(" "),
    ]),
  );
}

test("a preview of a first up makes nothing", async () => {
  const all = ["file", "prod", "repository", "ruleset", "secret", "variable"];
  expect(Object.keys(await preview()).sort()).toEqual(all);
  expect((await refusal(it.octokit().rest.repos.get(at))).status).toBe(404);
});

test("an up makes everything, and another changes nothing", async () => {
  await up();
  const { rest } = it.octokit();
  const { data } = await rest.repos.get(at);
  expect(data).toMatchObject({ private: true, topics: ["kiln", "hub"], has_issues: true, has_wiki: false });
  const outputs = JSON.parse((await pulumi(["stack", "output", "--json"])).stdout) as object;
  expect(outputs).toEqual({ repoId: data.id, httpCloneUrl: "https://github.com/kiln/hub-one.git" });
  const environment = await rest.repos.getEnvironment({ ...at, environment_name: "prod" });
  expect(environment.data.protection_rules?.map(({ type }) => type)).toEqual([
    "required_reviewers",
    "branch_policy",
  ]);
  expect(it.sandbox.cloud.mint.all().map(({ value }) => value)).toContain(word);
  expect(await preview()).toEqual({});
  expect(await up()).toMatch(/7 unchanged/);
});

test("a change is one of the one thing", async () => {
  await set("content", "hello again");
  expect(await preview()).toEqual({ file: "update content" });
  await up();
  const { data } = await it.octokit().rest.repos.listCommits({ ...at, path: "hello.txt" });
  expect(data).toHaveLength(2);
});

test("a refresh sees what someone did, and the next up undoes it", async () => {
  const { repos, actions } = it.octokit().rest;
  await repos.update({ ...at, description: "by hand", has_wiki: true });
  await actions.deleteEnvironmentVariable({ ...at, environment_name: "prod", name: "PLACE" });
  const { exitCode, all } = await pulumi(["refresh", "--yes", ...configFile()]);
  expect(exitCode, all).toBe(0);
  expect(await preview()).toEqual({ repository: "update description hasWiki", variable: "create" });
  await up();
  expect((await repos.get(at)).data).toMatchObject({ description: "A hub", has_wiki: false });
  expect(await preview()).toEqual({});
});

test("what exists can be adopted by its id", async () => {
  const { repos } = it.octokit().rest;
  const off = { has_issues: false, has_projects: false, has_wiki: false, has_downloads: false };
  await repos.createInOrg({ org: at.owner, name: "by-hand", description: "Made by hand", ...off });
  await set("adopted", "by-hand");
  await up();
  expect(await preview()).toEqual({});
});

test("nothing on disk shows a secret", async () => {
  await expectNotOnDisk(home, [word, it.tokenOf("owner")]);
});

test("a destroy leaves nothing", async () => {
  const { exitCode, all } = await pulumi(["destroy", "--yes", "--skip-preview", ...configFile()]);
  expect(exitCode, all).toBe(0);
  const { data } = await it.octokit().rest.repos.listForOrg({ org: at.owner });
  expect(data).toEqual([]);
});
