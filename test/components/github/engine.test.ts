import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ClientAssertionCredential } from "@azure/identity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { ACTIONS } from "../../../components/github/model/actions.ts";
import { type TestEngine, testEngine } from "../../harness/engine.ts";
import { type EngineRun, runEngine } from "../../harness/engine-program.ts";
import { type GitHubSandbox, gitHubSandbox } from "../../sandbox/github/support.ts";

/*
 * The components under the real engine: what mocks cannot know, the providers' own checks and the clouds' answers, in order.
 */

const program = path.join(import.meta.dirname, "program.ts");
const at = { owner: "kiln", repo: "lab" };
const prod = { ...at, environment_name: "prod" };

let engine: TestEngine;
let home: string;
let sandbox: GitHubSandbox;
let providers: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "github-components-"));
  const options = { typescript: false };
  const project = { name: "lab", main: path.relative(home, program), runtime: { name: "nodejs", options } };
  await writeFile(path.join(home, "Pulumi.yaml"), JSON.stringify(project));
  [engine, sandbox] = await Promise.all([testEngine(), gitHubSandbox()]);
  // A write takes a moment, so that two at once would meet, and be refused.
  sandbox.sandbox.cloud.changeSettings({ profile: "instant", timings: { federatedCredentialWrite: 50 } });
  const { clientId } = sandbox.sandbox.cloud.principals.byName("owner") ?? {};
  const { body } = await sandbox.control("POST", "/providers", { clientId, projectDir: home });
  const { azureNative, github } = body as { azureNative: number; github: number };
  providers = `azure-native:${azureNative},github:${github}`;
  const { data: reviewer } = await sandbox.octokit().rest.users.getByUsername({ username: "kiln-reader" });
  const { data: owner } = await sandbox.octokit().rest.orgs.get({ org: "kiln" });
  await configure({ reviewer: reviewer.id, owner: owner.id });
  await pulumi("stack", "init");
});
afterAll(async () => {
  await sandbox?.close();
  await rm(home, { recursive: true, force: true });
});

const configFile = () => path.join(home, "config.yaml");
let configured: Record<string, number> = {};
async function configure(changes: Record<string, number>): Promise<void> {
  configured = { ...configured, ...changes };
  const config = Object.fromEntries(Object.entries(configured).map(([key, value]) => [`lab:${key}`, value]));
  await writeFile(configFile(), JSON.stringify({ config }));
}

async function pulumi(...args: string[]): Promise<EngineRun> {
  const file = args[0] === "stack" ? [] : ["--config-file", configFile()];
  const env = { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" };
  const done = await runEngine({ engine, folder: home, home, providers, secrets: [], env }, [
    ...args,
    ...file,
  ]);
  expect(done.exitCode, done.all).toBe(0);
  return done;
}

it("makes a lab whose jobs sign in to Azure, protected before its workflow is there", async () => {
  await pulumi("up", "--yes", "--skip-preview");
  const { rest } = sandbox.octokit();
  const { data: repository } = await rest.repos.get(at);
  expect(repository).toMatchObject({
    private: true,
    allow_merge_commit: false,
    delete_branch_on_merge: true,
  });
  const { data: environment } = await rest.repos.getEnvironment(prod);
  expect(environment).toMatchObject({
    can_admins_bypass: false,
    deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
  });
  const { data: policies } = await rest.repos.listDeploymentBranchPolicies(prod);
  expect(policies.branch_policies.map(({ name, type }) => `${type} ${name}`).sort()).toEqual([
    "branch main",
    "tag v*",
  ]);
  const { data: file } = await rest.repos.getContent({ ...at, path: ".github/workflows/deploy.yml" });
  const text = Buffer.from((file as { content: string }).content, "base64").toString();
  expect(text).toContain(`uses: actions/checkout@${ACTIONS.checkout.commit} # ${ACTIONS.checkout.tag}`);
  expect(parse(text).jobs.deploy.permissions).toEqual({ contents: "read", "id-token": "write" });

  const { credential, options } = sandbox.client();
  const { subscriptionId, tenantId } = sandbox.sandbox.cloud;
  const msi = new ManagedServiceIdentityClient(credential, subscriptionId, options);
  const subjects: (string | undefined)[] = [];
  for await (const { subject } of msi.federatedIdentityCredentials.list("rg-lab", "id-lab"))
    subjects.push(subject);
  const ids = `kiln@${repository.owner.id}/lab@${repository.id}`;
  expect(subjects.sort()).toEqual(
    [ids, "kiln/lab"]
      .flatMap((repo) => [`repo:${repo}:environment:prod`, `repo:${repo}:ref:refs/heads/main`])
      .sort(),
  );
  const { data: variable } = await rest.actions.getEnvironmentVariable({ ...prod, name: "AZURE_CLIENT_ID" });
  const asked = { repository: "kiln/lab", environment: "prod", audience: "api://AzureADTokenExchange" };
  const { body } = await sandbox.control("POST", "/github/id-token", asked);
  const { token } = body as { token: string };
  const job = new ClientAssertionCredential(tenantId, variable.value, async () => token, options);
  expect((await job.getToken("https://management.azure.com/.default")).token).toMatch(/^ey/);
});

it("changes nothing when run again, and only what changed when it did", async () => {
  expect((await pulumi("up", "--yes", "--skip-preview")).all).toMatch(/\d+ unchanged/);
  await configure({ wait: 5 });
  const { stdout } = await pulumi("preview", "--json");
  const { steps } = JSON.parse(stdout) as { steps: { op: string; urn: string }[] };
  const changes = steps
    .filter(({ op }) => op !== "same")
    .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
  expect(changes).toEqual(["update prod"]);
});

it("goes without a trace", async () => {
  await pulumi("destroy", "--yes", "--skip-preview");
  await expect(sandbox.octokit().rest.repos.get(at)).rejects.toMatchObject({ status: 404 });
});
