import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDaemon, testDaemon } from "../harness/daemon.ts";
import { type TestPython, testPython } from "../harness/python.ts";

// biome-ignore lint/suspicious/noExplicitAny: what the scripts report is looked into as it is
type Report = any;

let python: TestPython;
let daemon: TestDaemon;

beforeAll(async () => {
  python = await testPython();
  // Deployments take a moment, so that a second one can meet the first.
  daemon = await testDaemon({ profile: "instant", timings: { deploymentCreate: 300 } });
});
afterAll(() => daemon?.dispose());

const run = (script: string, env: Record<string, string> = {}): Promise<Report> =>
  python.script(script, [], { ...daemon.environment(), ...env });

describe("azure-identity", () => {
  test("signs in by secret and by workload, and learns why it cannot", async () => {
    const report = await run("sign_in.py", { OWNER_SECRET_FILE: daemon.secretFile() });
    const owner = {
      audience: "https://management.azure.com",
      app: daemon.clientId(),
      tenant: daemon.tenantId,
      expires: true,
    };
    expect(report).toMatchObject({
      secret: owner,
      workload: owner,
      default: owner,
      vaultAudience: { ...owner, audience: "https://vault.azure.net" },
    });
    expect(report.wrongSecret.message).toContain("AADSTS7000215");
    expect(report.unknownClient.message).toContain("AADSTS700016");
    expect(report.unknownTenant.message).toContain("Unable to get authority configuration");
    expect(report.foreignAssertion.message).toContain("AADSTS700016");
  });
});

describe("azure-mgmt-*", () => {
  let report: Report;
  beforeAll(async () => {
    report = await run("management.py");
  });

  test("resource groups: pages, tags, refusals", () => {
    expect(report.groups).toMatchObject({
      state: "Succeeded",
      exists: [true, false],
      tags: { env: "test" },
      byTag: ["rg-python"],
      left: ["rg-python"],
      missing: { type: "ResourceNotFoundError", code: "ResourceGroupNotFound" },
      moved: { status: 409, code: "InvalidResourceGroupLocation" },
      elsewhere: { status: 400, code: "LocationNotAvailableForResourceType" },
      badFilter: { status: 400, code: "InvalidFilterInQueryString" },
      unknownNamespace: { status: 404, code: "InvalidResourceNamespace" },
    });
    expect(report.groups.pages).toEqual([2, 2, 1]);
  });

  test("OpenAI: an account's life, its keys, its deployments, and the codes of every trap on the way", () => {
    expect(report.openai).toMatchObject({
      state: "Succeeded",
      endpoint: "https://oai-python.openai.azure.com/",
      renewed: [true, true],
      deployment: ["gpt-5-1", "Succeeded", 10],
      listed: ["gpt-5-1", "second"],
      usage: 10,
      models: true,
      parallel: { status: 409, code: "RequestConflict" },
      noQuota: { status: 400, code: "InsufficientQuota" },
      noModel: { status: 400, code: "DeploymentModelNotSupported" },
      nested: { status: 409, code: "CannotDeleteResource" },
      taken: { status: 409, code: "CustomDomainInUse" },
      gone: { status: 404, code: "ResourceNotFound" },
      softDeleted: ["oai-python"],
      held: { status: 409, code: "FlagMustBeSetForRestore" },
      wrongPlace: { status: 404, code: "ResourceNotFound" },
      purged: [],
    });
    expect(report.openai.noQuota.message).toMatch(
      /^This operation require 100000 new capacity in quota Tokens Per Minute \(thousands\) - .*, which is bigger than the current available capacity \d+\./,
    );
  });

  test("Key Vault: names held by what was deleted, purge, purge protection", () => {
    expect(report.vaults).toMatchObject({
      uri: "https://kv-python.vault.azure.net/",
      available: false,
      held: { status: 409, code: "ConflictError" },
      softDeleted: ["kv-python"],
      afterPurge: ["kv-python-p"],
      protected: {
        status: 405,
        code: "MethodNotAllowed",
        message: "Operation 'DeletedVaultPurge' is not allowed.",
      },
    });
  });

  test("roles: the same again, another of the same, and principals that nobody knows", () => {
    expect(report.access).toMatchObject({
      same: true,
      listed: true,
      duplicate: { status: 409, code: "RoleAssignmentExists" },
      reused: { status: 400, code: "RoleAssignmentUpdateNotPermitted" },
      unknown: { status: 400, code: "PrincipalNotFound" },
      definition: ["Key Vault Secrets User"],
    });
  });

  test("apps: a PUT of settings replaces them all; a plan with apps stays", () => {
    expect(report.apps).toMatchObject({
      host: "func-python.azurewebsites.net",
      settings: { A: "1", B: "2" },
      replaced: { B: "3" },
      planHeld: { status: 409 },
      planGone: { status: 404 },
    });
    expect(report.apps.replaced).toEqual({ B: "3" });
    expect(report.left).toEqual([]);
  });
});

test("azure-keyvault-secrets: the whole life of a secret", async () => {
  const report = await run("secrets_client.py");
  expect(report).toMatchObject({
    first: ["one", { slot: "1" }, "text/plain", "2040-01-01 00:00:00+00:00"],
    current: "two",
    pinned: "one",
    versions: true,
    recovery: "Recoverable+Purgeable",
    updated: { slot: "2" },
    disabled: { status: 403, inner: "SecretDisabled" },
    listed: [61, 61],
    deleted: "key",
    gone: { status: 404, code: "SecretNotFound" },
    reserved: { status: 409, inner: "ObjectIsDeletedButRecoverable" },
    recoverable: true,
    scheduledPurge: true,
    recovered: "two",
    overRestore: { status: 409 },
    restored: ["key", "two"],
    purgedTwice: { status: 404 },
    badName: { status: 400, code: "BadParameter" },
    tooLong: { status: 400, code: "BadParameter" },
    unicode: "schlüssel 🔑",
    empty: "",
  });
});

describe("by hand", () => {
  let report: Report;
  beforeAll(async () => {
    const vault = "https://vault.azure.net";
    report = await run("wire.py", {
      EXPIRED_TOKEN: await daemon.token({ seconds: -10 }),
      EXPIRED_VAULT_TOKEN: await daemon.token({ seconds: -10, audience: vault }),
      STRANGER_TOKEN: await daemon.token({ as: "stranger" }),
    });
  });

  test("paths in any case and version; nothing unknown succeeds", () => {
    expect(report.paths).toMatchObject({
      odd: [200, 200, 200, 200],
      versions: [200, 200, 200, 200],
      wrongVersions: ["MissingApiVersionParameter", ...Array(3).fill("InvalidApiVersionParameter")],
      capital: 200,
      unknown: { status: 404, code: "InvalidResourceType" },
      unknownAction: { status: 404, code: "InvalidResourceType" },
      otherSubscription: { status: 404, code: "SubscriptionNotFound" },
      inner: { status: 404 },
      rootAssignments: { status: 403, code: "AuthorizationFailed" },
      head: [204, 404],
      requestId: true,
      echo: "me",
    });
  });

  test("no token, or the wrong one, is told what is wrong with it", () => {
    const refused = (code: string) => ({ status: 401, code, challenge: expect.stringContaining("Bearer ") });
    expect(report.tokens.arm).toEqual({
      none: refused("AuthenticationFailed"),
      garbage: refused("InvalidAuthenticationToken"),
      basic: refused("AuthenticationFailed"),
      unsigned: refused("InvalidAuthenticationToken"),
      audience: refused("InvalidAuthenticationTokenAudience"),
      expired: refused("ExpiredAuthenticationToken"),
      stranger: { status: 403, code: "AuthorizationFailed", challenge: null },
    });
    const challenge = `Bearer authorization="https://login.microsoftonline.com/${daemon.tenantId}", resource="https://vault.azure.net"`;
    const challenged = { status: 401, code: "Unauthorized", challenge };
    expect(report.tokens.vault).toEqual({
      none: challenged,
      garbage: challenged,
      audience: challenged,
      expired: challenged,
    });
    expect(report.tokens.graph).toMatchObject({ status: 401, code: "InvalidAuthenticationToken" });
  });

  test("bodies of every kind get an answer", () => {
    const statuses = Object.fromEntries(
      Object.entries(report.bodies).map(([name, told]) => [name, (told as { status: number }).status]),
    );
    expect(statuses).toEqual({
      fiftyTags: 201,
      tooManyTags: 400,
      notJson: 400,
      notAnObject: 400,
      empty: 400,
      charset: 200,
      form: 415,
      chunked: 200,
      gzipped: 400,
      deep: 400,
      tenMegabytes: 413,
      hundredMegabytes: 413,
      prototype: 200,
    });
  });

  test("fifty threads write and read back what they wrote", () => {
    expect(report.crowd).toEqual({ answers: 1000, kinds: ["200"] });
  });
});
