import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cloudCodes, explain, isUnreachable, passesByItself } from "../../scripts/lib/cloud-errors.ts";

/** As the provider tells of an answer of the cloud. */
const answer = (code: string, message = "The cloud's own words.") =>
  `autorest/azure: Service returned an error. Status=400 Code="${code}" Message="${message}"`;

describe("what the cloud says becomes plain words", () => {
  it.each([
    ["InsufficientQuota", /quota/, /kiln:foundry\.model\.capacity/],
    ["DeploymentModelNotSupported", /does not offer this model/, /kiln:foundry\.model/],
    ["ServiceModelDeprecated", /does not offer this model/, /kiln:foundry\.model/],
    ["InvalidResourceProperties", /does not offer this model/, /kiln:foundry\.model/],
    ["SpecialFeatureOrQuotaIdRequired", /not entitled to Azure OpenAI/, /Ask for access/],
    ["CustomDomainInUse", /subdomain is taken/, /kiln:workload/],
    ["FlagMustBeSetForRestore", /was deleted not long ago/, /kiln down/],
    ["VaultAlreadyExists", /unique in the whole of Azure/, /kiln:workload/],
    ["StorageAccountAlreadyTaken", /unique in the whole of Azure/, /kiln:workload/],
    ["StorageAccountAlreadyExists", /unique in the whole of Azure/, /kiln:workload/],
    ["InvalidResourceLocation", /in another region/, /KILN_LOCATION/],
    ["AuthorizationFailed", /may not do this/, /role/],
    ["LinkedAuthorizationFailed", /may not do this/, /role/],
    ["RoleAssignmentPermissionDenied", /may not do this/, /role/],
    ["Forbidden", /vault refuses/, /Wait a few minutes/],
    ["ForbiddenByRbac", /vault refuses/, /Wait a few minutes/],
    ["ExpiredAuthenticationToken", /sign-in/, /az login/],
    ["InvalidAuthenticationToken", /sign-in/, /az login/],
    ["InvalidAuthenticationTokenAudience", /sign-in/, /az login/],
    ["AuthenticationFailed", /sign-in/, /az login/],
    ["Unauthorized", /sign-in/, /az login/],
    ["TooManyRequests", /throttling/, /Wait a minute/],
    ["AccountProvisioningStateInvalid", /not ready/, /in a minute/],
    ["RequestConflict", /busy/, /in a minute/],
    ["SandboxStorageFailed", /cannot write its data/, /Free some space/],
  ])("%s", (code, what, next) => {
    const error = explain([answer(code)]);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(what);
    expect(error.next).toMatch(next);
    expect(error.exitCode).toBe(1);
    // The why is Kiln's, and the cloud's own words come along whole.
    const [why, ...raw] = error.cause.split("\n");
    expect(why).not.toBe("");
    expect(raw).toEqual([answer(code)]);
  });

  it.each([
    ["Conflict", "A vault with the same name already exists in deleted state.", "a name is still held"],
    ["ConflictError", "The name kv-x is already in use.", "a name is still held"],
    ["Conflict", "The site name is not available.", "a name is still held"],
  ])("%s is about a name when it says so: %s", (code, message, what) => {
    expect(explain([answer(code, message)])).toMatchObject({ code, message: what });
  });

  it("a conflict about something else is no held name, and passes whole", () => {
    const text = answer("Conflict", "The app was changed meanwhile.");
    expect(explain([text])).toMatchObject({ code: "Conflict", message: text });
  });

  it("a resource that exists but is not on record counts as such, whatever codes are in the text", () => {
    const text =
      'Code="Conflict" cannot create already existing resource "/subscriptions/s/resourceGroups/g"';
    expect(cloudCodes(text)).toEqual(["AlreadyExists"]);
    expect(explain([text])).toMatchObject({
      code: "AlreadyExists",
      next: expect.stringMatching(/pulumi import/),
    });
  });
});

describe("what has no code of the cloud", () => {
  it.each([
    ["write /tmp/x: no space left on device", "DiskFull"],
    ["database or disk is full", "DiskFull"],
    ["ENOSPC: write", "DiskFull"],
    ["failed to load checkpoint: invalid", "StateUnreadable"],
    ["unexpected end of JSON input", "StateUnreadable"],
    ["invalid character '}' looking for a value", "StateUnreadable"],
    ["PULUMI_ACCESS_TOKEN must be set for login", "StateBackendSignIn"],
    ["please run `pulumi login` first", "StateBackendSignIn"],
    ["passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "SecretsProvider"],
    ["incorrect passphrase", "SecretsProvider"],
    ["update cancelled", "Cancelled"],
    ["preview canceled", "Cancelled"],
    ["dial tcp 127.0.0.1:1: connect: connection refused", "CloudUnreachable"],
    ["getaddrinfo ENOTFOUND management.azure.com", "CloudUnreachable"],
    ["read ECONNRESET", "CloudUnreachable"],
    ["socket hang up", "CloudUnreachable"],
    ["rpc error: code = Unavailable desc = transport is closing", "CloudUnreachable"],
    ["error reading from server: EOF", "CloudUnreachable"],
    [
      "error reading from server: read tcp 127.0.0.1:52594->127.0.0.1:33245: read: connection reset by peer",
      "CloudUnreachable",
    ],
    ["write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe", "CloudUnreachable"],
    [
      "kubernetes (resource) plugin [kubernetes] did not begin responding to RPC connections",
      "CloudUnreachable",
    ],
  ])("%s is %s", (text, code) => {
    const error = explain([text]);
    expect(error).toMatchObject({ code, exitCode: 1 });
    expect(error.cause.endsWith(`\n${text}`)).toBe(true);
  });

  it("a code of the cloud goes first: what it says of the way there is an aside", () => {
    expect(explain([`${answer("InsufficientQuota")}; then the connection was refused`]).code).toBe(
      "InsufficientQuota",
    );
  });

  it("only failures of the way to the cloud are that", () => {
    expect(isUnreachable("connect ETIMEDOUT 10.0.0.1:443")).toBe(true);
    expect(isUnreachable("EAI_AGAIN login.microsoftonline.com")).toBe(true);
    expect(isUnreachable(answer("TooManyRequests"))).toBe(false);
  });
});

describe("what nobody knows passes whole", () => {
  const unknown = fc.string({ minLength: 3, maxLength: 12, unit: fc.constantFrom(..."qxyzQXYZ") });

  it("with the cloud's own code and words", () => {
    fc.assert(
      fc.property(unknown, unknown, (code, words) => {
        const text = answer(code, words);
        expect(explain([`error: ${text}\nand more of it`])).toMatchObject({
          code,
          message: text,
          cause: "and more of it",
          exitCode: 1,
        });
      }),
    );
  });

  it("without a code it is a failed operation, told by its first line", () => {
    expect(explain(["something odd\n\n  at line 5"])).toMatchObject({
      code: "OperationFailed",
      message: "something odd",
      cause: "at line 5",
    });
    expect(explain(["something odd"]).cause).toBe("That is all the engine, or the cloud, says of it.");
    expect(explain([]).message).toBe("the operation failed");
  });
});

describe("failures side by side", () => {
  it("are all told, each once, with everything that was said", () => {
    const texts = [
      answer("InsufficientQuota"),
      `error: ${answer("VaultAlreadyExists")}`,
      answer("InsufficientQuota"),
    ];
    const error = explain(texts);
    expect(error.code).toBe("InsufficientQuota");
    expect(error.message).toBe(
      "the region has not enough quota left for the model; a name that must be unique in the whole of Azure is taken",
    );
    expect(error.next.split("\n")).toHaveLength(2);
    expect(error.cause.split("\n").slice(1)).toEqual(texts.map((each) => each.replace(/^error: /, "")));
  });

  it("codes of one explanation are one failure", () => {
    const error = explain([answer("AuthorizationFailed"), answer("LinkedAuthorizationFailed")]);
    expect(error.code).toBe("AuthorizationFailed");
    expect(error.message).not.toContain(";");
  });

  it("what is not known does not hide what is, and is told with it", () => {
    const error = explain([answer("SomethingNew", "new words"), answer("TooManyRequests")]);
    expect(error.code).toBe("TooManyRequests");
    expect(error.cause).toContain("new words");
  });
});

describe("codes in a text", () => {
  it.each([
    ['Code="First" … Code="Second" … Code="First"', ["First", "Second"]],
    ['{"error":{"code":"InJson"}}', ["InJson"]],
    ["code: 'Quoted'", ["Quoted"]],
    ["exit code: 255, Code=5", []],
    ["", []],
  ])("%s", (text, codes) => {
    expect(cloudCodes(text)).toEqual(codes);
  });
});

it("only what a moment mends passes by itself", () => {
  expect(passesByItself("AccountProvisioningStateInvalid")).toBe(true);
  expect(passesByItself("RequestConflict")).toBe(true);
  for (const code of ["InsufficientQuota", "AuthorizationFailed", "Conflict", "Nonsense", ""])
    expect(passesByItself(code)).toBe(false);
});
