import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkInputs,
  readWorkflow,
  startsOnPush,
  type Workflow,
} from "../../../sandbox/github/workflow-file.ts";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "flows" };

const deploy = `
name: Deploy
on:
  workflow_dispatch:
    inputs:
      env: { type: choice, options: [dev, prod], required: true }
      dry: { type: boolean, default: true }
jobs:
  up: { name: Bring up, runs-on: ubuntu-latest, steps: [] }
`;
const checks = `
on: { push: { branches: [main, "release/**"] } }
jobs: { test: { runs-on: ubuntu-latest, steps: [] } }
`;

async function put(path: string, text: string, as = it.octokit()) {
  const content = Buffer.from(text).toString("base64");
  return as.rest.repos.createOrUpdateFileContents({ ...at, path, message: `put ${path}`, content });
}

async function runs(query: object = {}) {
  return (await it.octokit().rest.actions.listWorkflowRunsForRepo({ ...at, ...query })).data.workflow_runs;
}

beforeAll(async () => {
  it = await gitHubSandbox();
  await it.octokit().rest.repos.createInOrg({ org: at.owner, name: at.repo });
  await put(".github/workflows/deploy.yml", deploy);
});
afterAll(() => it.close());

describe("a workflow", () => {
  test("is what its file says", async () => {
    const { data } = await it.octokit().rest.actions.listRepoWorkflows(at);
    expect(data.workflows).toMatchObject([
      { name: "Deploy", path: ".github/workflows/deploy.yml", state: "active" },
    ]);
  });

  test("that is dispatched makes a run that stays queued, for no jobs are executed", async () => {
    const { actions } = it.octokit().rest;
    const dispatch = { ...at, workflow_id: "deploy.yml", ref: "main" };
    await actions.createWorkflowDispatch({ ...dispatch, inputs: { env: "dev" } });
    const [run] = await runs({ event: "workflow_dispatch" });
    expect(run).toMatchObject({ name: "Deploy", status: "queued", conclusion: null, head_branch: "main" });
    const id = { ...at, run_id: run?.id ?? 0 };
    const { data } = await actions.listJobsForWorkflowRun(id);
    expect(data.jobs).toMatchObject([{ name: "Bring up", status: "queued" }]);
    await actions.cancelWorkflowRun(id);
    expect((await actions.getWorkflowRun(id)).data).toMatchObject({
      status: "completed",
      conclusion: "cancelled",
    });
  });

  test.each([
    ["without a required input", {}, "Required input 'env' not provided"],
    ["with a value that is none", { env: "moon" }, "Provided value 'moon' for input 'env' not in the list"],
    ["with an input of its own", { env: "dev", moon: "x" }, `Unexpected inputs provided: ["moon"]`],
  ])("is not dispatched %s", async (_what, inputs, message) => {
    const before = (await runs()).length;
    const { actions } = it.octokit().rest;
    const call = actions.createWorkflowDispatch({ ...at, workflow_id: "deploy.yml", ref: "main", inputs });
    expect(await refusal(call)).toMatchObject({ status: 422, message: expect.stringContaining(message) });
    expect((await runs()).length).toBe(before);
  });

  test("is not dispatched on a ref that is not there, or while it is disabled", async () => {
    const { actions } = it.octokit().rest;
    const dispatch = { ...at, workflow_id: "deploy.yml", inputs: { env: "dev" } };
    expect(await refusal(actions.createWorkflowDispatch({ ...dispatch, ref: "none" }))).toMatchObject({
      status: 422,
      message: "No ref found for: none",
    });
    await actions.disableWorkflow({ ...at, workflow_id: "deploy.yml" });
    expect((await refusal(actions.createWorkflowDispatch({ ...dispatch, ref: "main" }))).status).toBe(422);
    await actions.enableWorkflow({ ...at, workflow_id: "deploy.yml" });
  });
});

describe("a push", () => {
  test("starts what waits for it; one by a job's own token starts nothing", async () => {
    await put(".github/workflows/checks.yml", checks);
    expect(await runs({ event: "push" })).toHaveLength(1);
    await put("a.txt", "by a person");
    expect(await runs({ event: "push" })).toHaveLength(2);
    const { body } = await it.control("POST", "/github/job-token", {
      repository: "kiln/flows",
      access: "write",
    });
    const job = it.octokit(body as { token: string });
    await put("b.txt", "by a job", job);
    expect(await runs({ event: "push" })).toHaveLength(2);
  });

  test("starts nothing where actions are off", async () => {
    const { actions } = it.octokit().rest;
    await actions.setGithubActionsPermissionsRepository({ ...at, enabled: false });
    await put("c.txt", "x");
    expect(await runs({ event: "push" })).toHaveLength(2);
    expect((await actions.getGithubActionsPermissionsRepository(at)).data.enabled).toBe(false);
    await actions.setGithubActionsPermissionsRepository({ ...at, enabled: true });
  });

  test("of a workflow is not for a job's token, nor is another repository", async () => {
    const { body } = await it.control("POST", "/github/job-token", {
      repository: "kiln/flows",
      access: "write",
    });
    const job = it.octokit(body as { token: string });
    expect((await refusal(put(".github/workflows/x.yml", checks, job))).status).toBe(403);
    await it.octokit().rest.repos.createInOrg({ org: at.owner, name: "other", private: true });
    expect((await refusal(job.rest.repos.get({ owner: at.owner, repo: "other" }))).status).toBe(404);
    expect((await refusal(job.rest.repos.delete(at))).status).toBe(403);
  });
});

function workflow(text: string): Workflow {
  const read = readWorkflow(text);
  if ("problem" in read) throw new Error(read.problem);
  return read;
}

describe("a workflow's file", () => {
  test.each([
    ["no YAML", "a: [", /./],
    ["without jobs", "on: push", /jobs/],
    ["without on", "jobs: {}", /on/],
  ])("that is %s says why", (_what, text, problem) => {
    expect(readWorkflow(text)).toEqual({ problem: expect.stringMatching(problem) });
  });

  test.each([
    ["on: push", "refs/heads/x", ["a"], true],
    ["on: [pull_request]", "refs/heads/x", ["a"], false],
    ["on: { push: { branches: [main] } }", "refs/heads/main", ["a"], true],
    ["on: { push: { branches: [main] } }", "refs/heads/work", ["a"], false],
    ["on: { push: { branches: [main] } }", "refs/tags/v1", ["a"], false],
    ["on: { push: { branches: ['*', '!main'] } }", "refs/heads/main", ["a"], false],
    ["on: { push: { branches-ignore: ['feature/*'] } }", "refs/heads/feature/x", ["a"], false],
    ["on: { push: { tags: ['v*'] } }", "refs/tags/v1.0", [], true],
    ["on: { push: { paths: ['docs/**'] } }", "refs/heads/main", ["src/a"], false],
    ["on: { push: { paths: ['docs/**'] } }", "refs/heads/main", ["docs/a/b.md"], true],
    ["on: { push: { paths-ignore: ['**.md'] } }", "refs/heads/main", ["docs/a.md"], false],
  ])("'%s' at %s with %j: %j", (on, ref, files, starts) => {
    expect(startsOnPush(workflow(`${on}\njobs: {}`), ref, files)).toBe(starts);
  });

  test("gives a dispatch its defaults", () => {
    expect(checkInputs(workflow(deploy), { env: "prod" })).toEqual({ inputs: { env: "prod", dry: "true" } });
    expect(checkInputs(workflow(checks), {})).toEqual({
      problem: "Workflow does not have 'workflow_dispatch' trigger",
    });
  });
});
