import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { WorkloadIdentityCredential } from "@azure/identity";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES } from "../../components/azure/roles.ts";
import type { Workflow } from "../../components/github/model/workflow.ts";
import { foundryOnDemand } from "../../components/github/workflows/foundry-on-demand.ts";
import { preview } from "../../components/github/workflows/preview.ts";
import { reap } from "../../components/github/workflows/reap.ts";
import { githubClient } from "../../scripts/lib/github/client.ts";
import type { ClientOptions } from "../../scripts/lib/keys/azure-account-keys.ts";
import { type Contexts, type JobOptions, type JobResult, runJob } from "./job-runner.ts";

/*
 * foundry-on-demand from its first job to its last, by the scripts that are in the workflow, as the identity that
 * `kiln github connect` made, against the sandbox in Azure's place.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const work = mkdtempSync(path.join(tmpdir(), "kiln-workflow-"));
const checkout = path.join(work, "checkout");
const home = path.join(work, "home");
const state = path.join(work, "state");

let shell: Record<string, string>;
let varsOf: (environment: string) => Promise<Record<string, string>>;

const base = () => ({
  PATH: [path.dirname(process.execPath), process.env.PATH ?? ""].join(path.delimiter),
  HOME: process.env.HOME ?? "",
  NO_COLOR: "1",
});

async function kiln(...args: string[]): Promise<Record<string, unknown>> {
  return kilnAt(home, args);
}

async function kilnAt(KILN_HOME: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const command = path.join(checkout, "scripts", "kiln.mjs");
  const env = { ...base(), KILN_HOME };
  const done = await execa(process.execPath, [command, ...args, "--json"], { env, extendEnv: false });
  return JSON.parse(done.stdout) as Record<string, unknown>;
}

/** What a checkout has, as the working tree has it now; each run gets a new one. */
function checkOut(to = checkout): void {
  rmSync(to, { recursive: true, force: true });
  const left = ["node_modules", ".git", "coverage"].map((name) => path.join(root, name));
  cpSync(root, to, { recursive: true, filter: (from) => !left.includes(from) });
  symlinkSync(path.join(root, "node_modules"), path.join(to, "node_modules"));
}

beforeAll(async () => {
  checkOut();
  mkdirSync(state);
  const started = await kiln("sandbox", "start", "--profile", "instant");
  const url = new URL(String(started.proxy));
  const ca = readFileSync(String(started.caCertificate), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), ca]);
  const token = readFileSync(path.join(home, "sandbox/principals/owner.github-token"), "utf8").trim();
  const proxyOptions = { host: `${url.protocol}//${url.hostname}`, port: Number(url.port) };
  const github = githubClient(token, { proxyOptions });
  await github.repos.createInOrg({ org: "kiln", name: "app", auto_init: true });
  const connect = ["github", "connect", "kiln/app", "--env", "dev", "pr", "--backend", "s3://state"];
  await kiln(...connect, "--secrets-provider", "awskms://alias/state");
  varsOf = async (environment) => {
    const at = { owner: "kiln", repo: "app", environment_name: environment };
    const { data } = await github.actions.listEnvironmentVariables(at);
    return {
      ...Object.fromEntries(data.variables.map(({ name, value }) => [name, value])),
      // There is no bucket here, and no key.
      PULUMI_BACKEND_URL: `file://${state}`,
      KILN_SECRETS_PROVIDER: "passphrase",
    };
  };
  shell = (await kiln("env", "dev")).variables as Record<string, string>;
  await grantSecrets((await varsOf("dev")).AZURE_CLIENT_ID ?? "", { proxyOptions });
});
afterAll(async () => {
  await kiln("sandbox", "stop");
  rmSync(work, { recursive: true, force: true });
});

/**
 * The engine's provider acts as the sandbox's owner here, so that the right to the vault's secrets, which a stack gives to who
 * deploys it, goes to the owner and not to the job. It gets it by hand.
 */
async function grantSecrets(clientId: string, options: ClientOptions): Promise<void> {
  const { AZURE_TENANT_ID: tenantId = "", AZURE_SUBSCRIPTION_ID: subscriptionId = "" } = shell;
  const owner = new WorkloadIdentityCredential({
    ...options,
    tenantId,
    clientId: shell.AZURE_CLIENT_ID ?? "",
    tokenFilePath: shell.AZURE_FEDERATED_TOKEN_FILE ?? "",
  });
  const msi = new ManagedServiceIdentityClient(owner, subscriptionId, options);
  let principalId = "";
  for await (const each of msi.userAssignedIdentities.listBySubscription())
    if (each.clientId === clientId) principalId = each.principalId ?? "";
  const scope = `/subscriptions/${subscriptionId}`;
  const authorization = new AuthorizationManagementClient(owner, subscriptionId, options);
  await authorization.roleAssignments.create(scope, randomUUID(), {
    principalId,
    principalType: "ServicePrincipal",
    roleDefinitionId: `${scope}/providers/Microsoft.Authorization/roleDefinitions/${ROLES.manageSecrets}`,
  });
}

/** A workflow without `npm ci`: what it gives is there already. */
function installed(definition: Workflow): Workflow {
  return JSON.parse(JSON.stringify(definition).replaceAll('"npm ci"', '"true"')) as Workflow;
}

/** The machine that a job gets: the sandbox in the place of Azure and GitHub, and nobody signed in. */
function machine(): Record<string, string> {
  const { PATH: _path, AZURE_CLIENT_ID: _id, AZURE_FEDERATED_TOKEN_FILE: _file, ...reach } = shell;
  for (const name of ["PULUMI_BACKEND_URL", "PULUMI_STACK", "AZURE_SUBSCRIPTION_ID"]) delete reach[name];
  return { ...reach, ...base(), KILN_HOME: path.join(work, "runner"), GITHUB_REPOSITORY: "kiln/app" };
}

/** What a job of the repository gets, in a new checkout. */
async function jobOptions(environment: string, contexts: Partial<Contexts>): Promise<JobOptions> {
  checkOut();
  const { token } = await kiln("sandbox", "github", "job-token", "--repo", "kiln/app");
  const nothing = async () => ({});
  return {
    contexts: {
      inputs: {},
      needs: {},
      vars: environment === "prod" ? {} : await varsOf(environment),
      github: { token: String(token) },
      ...contexts,
    },
    folder: checkout,
    temp: path.join(work, "temp"),
    env: machine(),
    actions: {
      "actions/checkout": nothing,
      "actions/setup-node": nothing,
      "azure/login": async (given) => {
        const asked = ["--repo", "kiln/app", "--environment", environment];
        const { token: idToken } = await kiln("sandbox", "github", "oidc", ...asked);
        const file = path.join(work, "id-token");
        writeFileSync(file, String(idToken));
        return {
          AZURE_CLIENT_ID: given["client-id"] ?? "",
          AZURE_TENANT_ID: given["tenant-id"] ?? "",
          AZURE_FEDERATED_TOKEN_FILE: file,
        };
      },
    },
  };
}

async function run(given: Record<string, string>): Promise<{ check: JobResult; run: JobResult | undefined }> {
  const inputs = { region: "", model: "", ...given };
  const environment = given.env === "prod" ? "prod" : "dev";
  const definition = installed(foundryOnDemand);
  const check = await runJob(definition, "check", await jobOptions(environment, { inputs }));
  if (check.failed) return { check, run: undefined };
  const needs = { "check.environment": check.outputs.environment ?? "" };
  return { check, run: await runJob(definition, "run", await jobOptions(environment, { inputs, needs })) };
}

const told = (result: JobResult | undefined) =>
  result?.steps.map(({ name, log }) => `${name}\n${log}`).join("\n");

describe("foundry-on-demand", () => {
  it("brings an environment up, smokes it, gives it a new key and takes it down, each in a checkout of its own", async () => {
    const up = await run({ action: "up", env: "dev" });
    expect(up.check.outputs).toEqual({ environment: "dev" });
    expect(up.run?.failed, told(up.run)).toBe(false);
    expect(up.run?.steps.map(({ name }) => name)).toEqual([
      "Check out",
      "Provide Node",
      "Install",
      "Sign in to Azure",
      "Bring up",
      "Search the log for secrets",
      "Show the result",
    ]);
    expect(up.run?.summary).toMatch(/### ✅ `up dev`: `succeeded`[\s\S]*\d+ create/);

    const smoke = await run({ action: "smoke", env: "dev" });
    expect(smoke.run?.failed, told(smoke.run)).toBe(false);
    expect(smoke.run?.summary).toContain("✅ `chat`");

    const rotation = await run({ action: "rotate-key", env: "dev" });
    expect(rotation.run?.failed, told(rotation.run)).toBe(false);
    expect(rotation.run?.summary).toContain("| `rotated` | `key1 → key2` |");

    const down = await run({ action: "down", env: "dev" });
    expect(down.run?.failed, told(down.run)).toBe(false);
    expect(down.run?.summary).toContain("### ✅ `down dev`");
  });

  it("shows why a run failed", async () => {
    const { run: failed } = await run({ action: "smoke", env: "dev" });
    expect(failed?.failed).toBe(true);
    expect(failed?.summary).toContain("dev is not up");
    expect(failed?.steps.at(-1)?.name).toBe("Show the result");
  });

  it("does not begin on an environment that nobody protected, or for inputs that make no sense", async () => {
    const open = await run({ action: "up", env: "prod" });
    expect(open.run).toBeUndefined();
    expect(open.check.steps.at(-1)?.log).toContain("the environment prod does not exist");
    const wrong = await run({ action: "up", env: "$(touch /tmp/x)" });
    expect(wrong.check.steps.at(-1)).toMatchObject({
      name: "Check the inputs",
      failed: true,
      log: expect.stringContaining("There is no such environment"),
    });
    expect((await run({ action: "up", env: "dev", region: "mars" })).run).toBeUndefined();
  });
});

describe("reap", () => {
  it("runs as the identity of all pull requests", async () => {
    const result = await runJob(installed(reap), "reap", await jobOptions("pr", {}));
    expect(result.failed, told(result)).toBe(false);
    expect(result.summary).toContain("### ✅ `reap`");
  });
});

describe("preview", () => {
  it("tells what a pull request changes, in a sandbox of the runner's own and without any account", async () => {
    const runner = path.join(work, "preview");
    const KILN_HOME = path.join(runner, "home");
    const head = path.join(runner, "head");
    const nothing = async () => ({});
    try {
      const result = await runJob(installed(preview), "preview", {
        contexts: { inputs: {}, vars: {}, github: {}, needs: {}, matrix: { environment: "dev" } },
        folder: runner,
        temp: path.join(runner, "temp"),
        env: { ...base(), KILN_HOME },
        actions: {
          "actions/checkout": async ({ path: to = "" }) => {
            checkOut(path.join(runner, to));
            if (to !== "head") return {};
            // What the pull request is about.
            const file = path.join(head, "Pulumi.dev.yaml");
            const before = readFileSync(file, "utf8");
            writeFileSync(file, before.replace("capacity: 10", "capacity: 11"));
            return {};
          },
          "actions/setup-node": nothing,
          "actions/upload-artifact": async (given) => {
            expect(given.path).toBe(`${path.join(runner, "temp")}/preview-*.json`);
            return {};
          },
        },
      });
      expect(result.failed, told(result)).toBe(false);
      expect(result.steps.filter(({ failed }) => failed)).toEqual([]);
      expect(result.summary).toMatch(
        /### ✅ `preview dev`: `succeeded`[\s\S]*\| changes \| 1 update, \d+ same \|/,
      );
    } finally {
      await kilnAt(KILN_HOME, ["sandbox", "stop"]);
    }
  });
});
