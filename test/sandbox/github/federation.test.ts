import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientAssertionCredential } from "@azure/identity";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

/** A job signs in to Azure without a secret: by its ID token, as an identity that trusts exactly it. */
let it: GitHubSandbox;
let msi: ManagedServiceIdentityClient;
let clientId: string;
let repositoryId: number;

const issuer = "https://token.actions.githubusercontent.com";
const audience = "api://AzureADTokenExchange";
const scope = "https://management.azure.com/.default";
const july = Date.parse("2026-07-15T00:00:00Z");

beforeAll(async () => {
  it = await gitHubSandbox();
  const { credential, options } = it.client();
  const { subscriptionId } = it.sandbox.cloud;
  msi = new ManagedServiceIdentityClient(credential, subscriptionId, options);
  const resources = new ResourceManagementClient(credential, subscriptionId, options);
  await resources.resourceGroups.createOrUpdate("rg", { location: "eastus" });
  const identity = await msi.userAssignedIdentities.createOrUpdate("rg", "deployer", { location: "eastus" });
  clientId = identity.clientId ?? "";
  const { data } = await it.octokit().rest.repos.createInOrg({ org: "kiln", name: "infra" });
  repositoryId = data.id;
});
afterAll(() => it.close());
beforeEach(async () => {
  for await (const { name } of msi.federatedIdentityCredentials.list("rg", "deployer"))
    await msi.federatedIdentityCredentials.delete("rg", "deployer", name ?? "");
});

async function idToken(job: object = {}): Promise<{ token: string; subject: string }> {
  const asked = { repository: "kiln/infra", environment: "prod", audience, ...job };
  const { status, body } = await it.control("POST", "/github/id-token", asked);
  expect(status).toBe(200);
  return body as { token: string; subject: string };
}

function trust(name: string, properties: { subject: string; issuer?: string; audiences?: string[] }) {
  const whole = { issuer, audiences: [audience], ...properties };
  return msi.federatedIdentityCredentials.createOrUpdate("rg", "deployer", name, whole);
}

async function signIn(token: string): Promise<string> {
  const { tenantId } = it.sandbox.cloud;
  const { options } = it.client();
  const credential = new ClientAssertionCredential(tenantId, clientId, async () => token, options);
  return (await credential.getToken(scope)).token;
}

const idSubject = () => `repo:kiln@190000000/infra@${repositoryId}:environment:prod`;

describe("the subject of a job's token", () => {
  test("has ids for a repository of today, and its prefix can be asked for", async () => {
    expect(it.sandbox.cloud.clock.now()).toBeGreaterThan(july);
    const { subject, token } = await idToken();
    expect(subject).toBe(idSubject());
    expect(decodeJwt(token)).toMatchObject({ sub: subject, iss: issuer, aud: audience, environment: "prod" });
    const { data } = await it.octokit().request("GET /repos/{owner}/{repo}/actions/oidc/customization/sub", {
      owner: "kiln",
      repo: "infra",
    });
    expect(data).toMatchObject({
      use_default: true,
      use_immutable_subject: true,
      sub_claim_prefix: `repo:kiln@190000000/infra@${repositoryId}`,
    });
  });

  test("has only names for an older repository, until it is renamed", async () => {
    const { data } = await it.octokit().rest.repos.createInOrg({ org: "kiln", name: "elder" });
    const { repositories } = await import("../../../sandbox/github/app.ts").then(({ openGitHub }) =>
      openGitHub(it.sandbox.cloud),
    );
    repositories.update(data.id, { namedAt: july - 1 });
    const job = { repository: "kiln/elder" };
    expect((await idToken(job)).subject).toBe("repo:kiln/elder:environment:prod");
    await it.octokit().rest.repos.update({ owner: "kiln", repo: "elder", name: "Renamed" });
    const renamed = await idToken({ repository: "kiln/renamed" });
    expect(renamed.subject).toBe(`repo:kiln@190000000/Renamed@${data.id}:environment:prod`);
  });

  test("names the branch, the pull request, or what its template says", async () => {
    const job = { environment: undefined };
    expect((await idToken(job)).subject).toMatch(/:ref:refs\/heads\/main$/);
    expect((await idToken({ ...job, event: "pull_request" })).subject).toMatch(/:pull_request$/);
    const at = { owner: "kiln", repo: "infra" };
    const { rest } = it.octokit();
    await rest.actions.setCustomOidcSubClaimForRepo({
      ...at,
      use_default: false,
      include_claim_keys: ["repository_id", "context"],
      use_immutable_subject: false,
    });
    expect((await idToken()).subject).toBe(`repository_id:${repositoryId}:environment:prod`);
    await rest.actions.setCustomOidcSubClaimForRepo({ ...at, use_default: true });
    expect((await idToken()).subject).toBe("repo:kiln/infra:environment:prod");
    await rest.actions.setCustomOidcSubClaimForRepo({
      ...at,
      use_default: true,
      use_immutable_subject: true,
    });
  });

  test("is not given to a job on a branch that may not deploy", async () => {
    const { repos } = it.octokit().rest;
    const guarded = { owner: "kiln", repo: "infra", environment_name: "guarded" };
    const custom = { protected_branches: false, custom_branch_policies: true };
    await repos.createOrUpdateEnvironment({ ...guarded, deployment_branch_policy: custom });
    await repos.createDeploymentBranchPolicy({ ...guarded, name: "release/*" });
    await repos.createDeploymentBranchPolicy({ ...guarded, name: "v*", type: "tag" });
    const ask = (ref: string) =>
      it.control("POST", "/github/id-token", { repository: "kiln/infra", environment: "guarded", ref });
    expect(await ask("refs/heads/main")).toEqual({
      status: 403,
      body: {
        error: {
          code: "DeploymentNotAllowed",
          message: 'Branch "main" is not allowed to deploy to guarded due to environment protection rules.',
        },
      },
    });
    expect((await ask("refs/heads/v1")).status).toBe(403);
    for (const ref of ["refs/heads/release/1", "refs/tags/v1"]) expect((await ask(ref)).status).toBe(200);
    const protect = { protected_branches: true, custom_branch_policies: false };
    await repos.createOrUpdateEnvironment({ ...guarded, deployment_branch_policy: protect });
    expect((await ask("refs/heads/release/1")).status).toBe(403);
  });

  test("is proven by the issuer's published key", async () => {
    const { token } = await idToken();
    const found = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
      jwks_uri: string;
    };
    const keys = createRemoteJWKSet(new URL(found.jwks_uri));
    const { payload } = await jwtVerify(token, keys, { issuer, audience });
    expect(payload.repository_id).toBe(String(repositoryId));
  });

  test("belongs to an environment that springs into being without reviewers", async () => {
    await idToken({ environment: "surprise" });
    const { data } = await it
      .octokit()
      .rest.repos.getEnvironment({ owner: "kiln", repo: "infra", environment_name: "surprise" });
    expect(data.protection_rules).toEqual([]);
  });
});

describe("an identity", () => {
  test("that trusts the subject takes the token, and is that identity", async () => {
    await trust("prod", { subject: idSubject() });
    const token = await signIn((await idToken()).token);
    expect(decodeJwt(token)).toMatchObject({ appid: clientId, aud: "https://management.azure.com" });
  });

  test.each([
    ["the form without ids", { subject: "repo:kiln/infra:environment:prod" }, "AADSTS700213"],
    ["another environment", { subject: "repo:kiln/infra:environment:dev" }, "AADSTS700213"],
    ["another issuer", { subject: "x", issuer: "https://token.example.test" }, "AADSTS700211"],
  ])("that trusts %s does not", async (_what, trusted, error) => {
    await trust("other", trusted);
    await expect(signIn((await idToken()).token)).rejects.toThrow(error);
  });

  test("takes no other case, and no other audience", async () => {
    await trust("case", { subject: idSubject().replace("infra", "Infra") });
    await expect(signIn((await idToken()).token)).rejects.toThrow("AADSTS7002138");
    await trust("audience", { subject: idSubject(), audiences: ["api://other"] });
    await expect(signIn((await idToken()).token)).rejects.toThrow("AADSTS700212");
  });

  test("takes no token that GitHub did not sign", async () => {
    await trust("prod", { subject: idSubject() });
    const [head, body] = (await idToken()).token.split(".");
    const [, , foreign] = (await idToken()).token.split(".");
    await expect(signIn([head, body, foreign].join("."))).rejects.toThrow("AADSTS700027");
  });

  test("without anything that it trusts takes nothing", async () => {
    await expect(signIn((await idToken()).token)).rejects.toThrow("AADSTS700211");
  });
});

describe("federated credentials", () => {
  test("are changed, listed and deleted", async () => {
    await trust("one", { subject: "a" });
    await trust("one", { subject: "b" });
    const found = await msi.federatedIdentityCredentials.get("rg", "deployer", "one");
    expect(found).toMatchObject({ issuer, subject: "b", audiences: [audience] });
    await msi.federatedIdentityCredentials.delete("rg", "deployer", "one");
    await expect(msi.federatedIdentityCredentials.get("rg", "deployer", "one")).rejects.toThrow(/not found/);
  });

  test("name each issuer and subject once, and are twenty at most", async () => {
    await trust("first", { subject: "same" });
    await expect(trust("second", { subject: "same" })).rejects.toThrow(/Issuer and subject combination/);
    for (let n = 1; n < 20; n++) await trust(`more-${n}`, { subject: `s${n}` });
    await expect(trust("last", { subject: "last" })).rejects.toThrow(/No more than 20/);
  });

  test("are written one at a time on an identity", async () => {
    await it.control("POST", "/settings", { timings: { federatedCredentialWrite: 500 } });
    const results = await Promise.allSettled(
      ["a", "b"].map((name) => trust(`at-once-${name}`, { subject: name })),
    );
    await it.control("POST", "/settings", { profile: "instant" });
    const [failed] = results.filter((each) => each.status === "rejected");
    expect(results.filter((each) => each.status === "fulfilled")).toHaveLength(1);
    expect(failed?.reason).toMatchObject({
      statusCode: 409,
      code: "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    });
  });

  test("go with their identity", async () => {
    await msi.userAssignedIdentities.createOrUpdate("rg", "brief", { location: "eastus" });
    const properties = { issuer, subject: "x", audiences: [audience] };
    await msi.federatedIdentityCredentials.createOrUpdate("rg", "brief", "gone", properties);
    await msi.userAssignedIdentities.delete("rg", "brief");
    await msi.userAssignedIdentities.createOrUpdate("rg", "brief", { location: "eastus" });
    await expect(msi.federatedIdentityCredentials.get("rg", "brief", "gone")).rejects.toThrow(/not found/);
  });
});

test("the issuer keeps its key through a restart and a reset", async () => {
  const kid = async () => {
    const { keys } = (await (await fetch(`${issuer}/.well-known/jwks`)).json()) as {
      keys: { kid: string }[];
    };
    return keys[0]?.kid;
  };
  const before = await kid();
  await it.restart();
  expect(await kid()).toBe(before);
  await it.control("POST", "/reset");
  expect(await kid()).toBe(before);
  expect((await refusal(it.octokit().rest.repos.get({ owner: "kiln", repo: "infra" }))).status).toBe(404);
});
