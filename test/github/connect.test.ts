import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientAssertionCredential } from "@azure/identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES } from "../../components/azure/roles.ts";
import type { ProtectionSettings } from "../../components/github/model/protection.ts";
import { type AzureClients, readIdentity } from "../../scripts/lib/github/azure-parts.ts";
import { type GitHub, githubClient } from "../../scripts/lib/github/client.ts";
import {
  type Connection,
  connectionParts,
  readRepository,
  readReviewers,
  requireProtection,
  stateSettings,
  subjectNote,
  VARIABLES,
} from "../../scripts/lib/github/connect.ts";
import { delegationCondition, secretsStore, stateStore } from "../../scripts/lib/github/delegation.ts";
import { protectionGaps, readProtection, strengthened } from "../../scripts/lib/github/environments.ts";
import { type PartResult, settleParts } from "../../scripts/lib/github/parts.ts";
import { type GitHubSandbox, gitHubSandbox } from "../sandbox/github/support.ts";

let sandbox: GitHubSandbox;
let github: GitHub;
let azure: AzureClients;
let subscriptionId: string;

const backend = "azblob://state?storage_account=stkilnstate";
const secretsProvider = "azurekeyvault://kv-kiln-state.vault.azure.net/keys/state";
const tags = { env: "prod", service: "pipeline", repo: "kiln", owner: "team", costCenter: "42" };

beforeAll(async () => {
  sandbox = await gitHubSandbox();
  // Each write takes a moment, so that two at once would meet.
  sandbox.sandbox.cloud.changeSettings({ profile: "instant", timings: { federatedCredentialWrite: 20 } });
  const { credential, options } = sandbox.client();
  ({ subscriptionId } = sandbox.sandbox.cloud);
  github = githubClient(sandbox.tokenOf("owner"), options);
  azure = {
    identities: new ManagedServiceIdentityClient(credential, subscriptionId, options),
    authorization: new AuthorizationManagementClient(credential, subscriptionId, options),
    resources: new ResourceManagementClient(credential, subscriptionId, options),
  };
});
afterAll(() => sandbox?.close());

async function connection(name: string, changes: Partial<Connection> = {}): Promise<Connection> {
  await github.repos.createInOrg({ org: "kiln", name, auto_init: true });
  return {
    repository: await readRepository(github, `kiln/${name}`),
    environment: "prod",
    place: { resourceGroup: `rg-${name}`, identity: `id-${name}`, location: "eastus", tags },
    subscriptionId,
    state: stateSettings(backend, secretsProvider),
    reviewers: await readReviewers(github, ["kiln-contributor"]),
    ...changes,
  };
}

async function settle(wanted: Connection, dryRun = false): Promise<PartResult[]> {
  const { parts } = await connectionParts(github, azure, wanted);
  return settleParts(parts, { dryRun, signal: new AbortController().signal, onPart: () => {} });
}

const states = (results: readonly PartResult[]) => new Set(results.map(({ state }) => state));

describe("a connection", () => {
  it("lets a job of the environment sign in, by what GitHub says of it, and no other", async () => {
    const wanted = await connection("signs-in");
    expect(states(await settle(wanted))).toEqual(new Set(["create"]));
    const clientId = (await readIdentity(azure, wanted.place))?.clientId ?? "";
    const signIn = async (job: object) => {
      const asked = { repository: "kiln/signs-in", audience: "api://AzureADTokenExchange", ...job };
      const { body } = await sandbox.control("POST", "/github/id-token", asked);
      const { token } = body as { token: string };
      const { tenantId } = sandbox.sandbox.cloud;
      return new ClientAssertionCredential(tenantId, clientId, async () => token, sandbox.client().options);
    };
    const job = await signIn({ environment: "prod" });
    const asJob = new ResourceManagementClient(job, subscriptionId, sandbox.client().options);
    // What Contributor may do, which a stranger may not.
    const made = await asJob.resourceGroups.createOrUpdate("rg-of-the-job", { location: "eastus" });
    expect(made.name).toBe("rg-of-the-job");
    const other = await signIn({ environment: "dev" });
    await expect(other.getToken("https://management.azure.com/.default")).rejects.toThrow(/AADSTS70021/);
  });

  it("says in both forms who is trusted, and what the identity may grant", async () => {
    const wanted = await connection("both-forms");
    await settle(wanted);
    const subjects: (string | undefined)[] = [];
    const { resourceGroup, identity } = wanted.place;
    for await (const each of azure.identities.federatedIdentityCredentials.list(resourceGroup, identity))
      subjects.push(each.subject);
    const { repositoryId } = wanted.repository;
    expect(subjects.sort()).toEqual([
      "repo:kiln/both-forms:environment:prod",
      `repo:kiln@190000000/both-forms@${repositoryId}:environment:prod`,
    ]);
    const principalId = (await readIdentity(azure, wanted.place))?.principalId ?? "";
    const conditions: (string | undefined)[] = [];
    const filter = `principalId eq '${principalId}'`;
    for await (const each of azure.authorization.roleAssignments.listForScope(
      `/subscriptions/${subscriptionId}`,
      { filter },
    ))
      conditions.push(each.condition);
    expect(conditions.filter((each) => each !== undefined)).toEqual([
      delegationCondition(Object.values(ROLES)),
    ]);
  });

  it("changes nothing when made again, and foresees without making", async () => {
    const wanted = await connection("again");
    expect(states(await settle(wanted, true))).toEqual(new Set(["create"]));
    expect(await readIdentity(azure, wanted.place)).toBeUndefined();
    expect(await readProtection(github, wanted.repository, "prod")).toBeUndefined();
    await settle(wanted);
    expect(states(await settle(wanted))).toEqual(new Set(["same"]));
    // Without its reviewers said again it keeps them.
    expect(states(await settle({ ...wanted, reviewers: [] }))).toEqual(new Set(["same"]));
  });

  it("mends what someone changed, and only that", async () => {
    const wanted = await connection("mended");
    await settle(wanted);
    const at = { owner: "kiln", repo: "mended", environment_name: "prod" };
    await github.actions.updateEnvironmentVariable({ ...at, name: "PULUMI_BACKEND_URL", value: "s3://x" });
    await github.actions.deleteEnvironmentVariable({ ...at, name: "AZURE_TENANT_ID" });
    await github.repos.createOrUpdateEnvironment({ ...at, wait_timer: 30, deployment_branch_policy: null });
    const changed = (await settle(wanted)).filter(({ state }) => state !== "same");
    expect(changed.map(({ what, state }) => `${state} ${what.split(" ").slice(0, 2).join(" ")}`)).toEqual([
      "update environment prod",
      "create variable AZURE_TENANT_ID",
      "update variable PULUMI_BACKEND_URL",
    ]);
    expect(await readProtection(github, wanted.repository, "prod")).toMatchObject({
      // What someone put before it stays.
      waitMinutes: 30,
      preventSelfReview: true,
      adminsBypass: false,
      branches: ["main"],
    });
  });

  it("gives the five variables, none of them a secret", async () => {
    const wanted = await connection("variables", { environment: "dev", reviewers: [] });
    await settle(wanted);
    const at = { owner: "kiln", repo: "variables", environment_name: "dev" };
    const { data } = await github.actions.listEnvironmentVariables(at);
    const values = Object.fromEntries(data.variables.map(({ name, value }) => [name, value]));
    expect(Object.keys(values).sort()).toEqual([...VARIABLES].sort());
    expect(values).toMatchObject({
      AZURE_SUBSCRIPTION_ID: subscriptionId,
      AZURE_TENANT_ID: sandbox.sandbox.cloud.tenantId,
      PULUMI_BACKEND_URL: backend,
      KILN_SECRETS_PROVIDER: secretsProvider,
    });
    const { token } = (await sandbox.control("POST", "/github/job-token", { repository: "kiln/variables" }))
      .body as { token: string };
    // As a job reads it before it names the environment.
    const asJob = githubClient(token, sandbox.client().options);
    expect(protectionGaps("dev", await readProtection(asJob, wanted.repository, "dev"), false)).toEqual([]);
  });

  it("grants the state and its key where they are in the subscription, and says so where they are not", async () => {
    const wanted = await connection("stores", { environment: "dev", reviewers: [] });
    const before = await connectionParts(github, azure, wanted);
    expect(before.notes).toEqual([
      "stkilnstate is not in this subscription. By hand, grant id-stores Storage Blob Data Contributor on the container state of stkilnstate, for the state.",
      "kv-kiln-state is not in this subscription. By hand, grant id-stores Key Vault Crypto User on the key state of kv-kiln-state, for secrets in the state.",
    ]);
    await azure.resources.resourceGroups.createOrUpdate("rg-state", { location: "eastus" });
    const account = await azure.resources.resources.beginCreateOrUpdateAndWait(
      "rg-state",
      "Microsoft.Storage",
      "",
      "storageAccounts",
      "stkilnstate",
      "2024-01-01",
      { location: "eastus", sku: { name: "Standard_LRS" }, kind: "StorageV2", properties: {} },
    );
    const { parts, notes } = await connectionParts(github, azure, wanted);
    expect(notes).toHaveLength(1);
    expect(parts.map(({ what }) => what)).toContain(
      "grant: Storage Blob Data Contributor on the container state of stkilnstate, for the state",
    );
    await settle(wanted);
    const scope = `${account.id}/blobServices/default/containers/state`;
    const roles: (string | undefined)[] = [];
    for await (const each of azure.authorization.roleAssignments.listForScope(scope, { filter: "atScope()" }))
      if (each.scope?.toLowerCase() === scope.toLowerCase()) roles.push(each.roleDefinitionId);
    expect(roles).toEqual([expect.stringContaining("ba92f5b4-2d11-453d-a403-e96b0029c9fe")]);
    expect(states(await settle(wanted))).toEqual(new Set(["same"]));
  });

  it("tells of a repository that says who its jobs are in a form of its own", async () => {
    const { repository } = await connection("own-form");
    expect(await subjectNote(github, repository)).toBeUndefined();
    await github.actions.setCustomOidcSubClaimForRepo({
      owner: "kiln",
      repo: "own-form",
      use_default: false,
      include_claim_keys: ["repository_id", "context"],
    });
    expect(await subjectNote(github, repository)).toMatch(/form of its own \(repository_id, context\)/);
  });

  it("does not begin where production would stand open", async () => {
    const wanted = await connection("open", { reviewers: [] });
    await expect(requireProtection(github, wanted)).rejects.toMatchObject({
      message: "prod would not be protected",
      cause: "nobody has to approve",
      exitCode: 2,
    });
    await expect(requireProtection(github, { ...wanted, environment: "dev" })).resolves.toBeUndefined();
  });

  it("needs an administrator, and reviewers that there are", async () => {
    await connection("refusals");
    const asReader = githubClient(sandbox.tokenOf("reader"), sandbox.client().options);
    await expect(readRepository(asReader, "kiln/refusals")).rejects.toMatchObject({
      code: "NotAdministrator",
    });
    await expect(readReviewers(github, ["nobody-knows"])).rejects.toThrow("there is no user nobody-knows");
    await expect(readReviewers(github, ["kiln/nobody"])).rejects.toThrow("there is no team kiln/nobody");
    await expect(readRepository(github, "kiln")).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("where the state lives", () => {
  it.each([
    [undefined, secretsProvider, "nobody said where the state lives"],
    ["file:///tmp/state", secretsProvider, "a job cannot reach the state at file:///tmp/state"],
    [backend, undefined, "nobody said what encrypts the state's secrets"],
    [backend, "passphrase", "passphrase is no secrets provider for a pipeline"],
  ])("is refused as %s with %s", (url, provider, message) => {
    expect(() => stateSettings(url, provider)).toThrow(message);
  });

  it("may be a service that encrypts by itself", () => {
    expect(stateSettings("https://api.pulumi.com", undefined).secretsProvider).toBe("default");
  });

  it("is found in Azure by what names it", () => {
    expect(stateStore(backend)?.name).toBe("stkilnstate");
    expect(stateStore("azblob://state")).toBeUndefined();
    expect(stateStore("s3://state")).toBeUndefined();
    expect(secretsStore(secretsProvider)?.grant("/v").scope).toBe("/v/keys/state");
    expect(secretsStore("awskms://alias/x")).toBeUndefined();
  });
});

describe("the right to grant", () => {
  it("is kept to roles and to service principals, in giving as in taking", () => {
    const condition = delegationCondition(["b", "a"]);
    for (const [action, source] of [
      ["write", "Request"],
      ["delete", "Resource"],
    ])
      expect(condition).toContain(
        `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR (@${source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {a, b} AND @${source}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))`,
      );
  });
});

describe("protection", () => {
  const strong: ProtectionSettings = {
    users: [1],
    teams: [],
    preventSelfReview: true,
    waitMinutes: 10,
    adminsBypass: false,
    refs: "patterns",
    branches: ["main"],
    tags: [],
  };
  const open: ProtectionSettings = {
    ...strong,
    users: [],
    preventSelfReview: false,
    waitMinutes: 0,
    adminsBypass: true,
    refs: undefined,
    branches: [],
  };

  it("is only ever made stronger", () => {
    expect(strengthened(undefined, open)).toEqual(open);
    expect(strengthened(strong, { ...open, refs: "patterns", branches: ["release"] })).toEqual({
      ...strong,
      branches: ["main", "release"],
    });
    expect(strengthened(strong, { ...strong, users: [2], waitMinutes: 0 })).toEqual({
      ...strong,
      users: [2],
    });
  });

  it("lacks what would let a run through that nobody looked at", () => {
    expect(protectionGaps("prod", strong, true)).toEqual([]);
    expect(protectionGaps("prod", undefined, true)).toEqual([expect.stringContaining("does not exist")]);
    expect(protectionGaps("prod", open, true)).toEqual([
      "every branch may use it",
      "nobody has to approve",
      "administrators may skip its protection",
    ]);
    expect(protectionGaps("prod", { ...strong, preventSelfReview: false }, true)).toEqual([
      "whoever starts a run may approve it",
    ]);
    expect(protectionGaps("dev", { ...strong, users: [], branches: ["**/*"] }, false)).toEqual([
      "a pattern lets every branch use it",
    ]);
  });
});
