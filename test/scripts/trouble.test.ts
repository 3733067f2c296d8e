import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../engine/errors.ts";
import { SandboxError } from "../../sandbox/client/errors.ts";
import { KilnError } from "../../scripts/lib/errors.ts";
import { toKilnError } from "../../scripts/lib/trouble.ts";
import { ConfigError } from "../../stacks/config.ts";

const failure = (message: string, parts: object = {}) => Object.assign(new Error(message), parts);

describe("errors of Kiln's own kinds keep every part", () => {
  it("Kiln's is itself", () => {
    const error = new KilnError({ code: "C", message: "m", cause: "c", next: "n" }, 5);
    expect(toKilnError(error)).toBe(error);
  });

  it("the configuration's comes with its problems, and exit code 2", () => {
    const problems = [{ file: "Pulumi.dev.yaml", key: "kiln:location", message: "is 5" }];
    const error = new ConfigError("dev", problems);
    expect(toKilnError(error)).toMatchObject({
      code: "InvalidConfiguration",
      message: error.message,
      cause: error.cause,
      next: error.next,
      problems,
      exitCode: 2,
    });
  });

  it("the engine's is a failure, the sandbox's one of usage where it was that", () => {
    const parts = { message: "no engine", cause: "no compiler", next: "install one" };
    expect(toKilnError(new EngineError("ENGINE_DISK_FULL", parts))).toMatchObject({
      ...parts,
      code: "ENGINE_DISK_FULL",
      exitCode: 1,
    });
    expect(toKilnError(new SandboxError("S", "m", "c", "n"))).toMatchObject({ code: "S", exitCode: 1 });
    expect(toKilnError(new SandboxError("S", "m", "c", "n", true))).toMatchObject({
      code: "S",
      message: "m",
      cause: "c",
      next: "n",
      exitCode: 2,
    });
  });
});

describe("errors of the machine", () => {
  const sqlite = (errcode: number) => ({ code: "ERR_SQLITE_ERROR", errcode });

  it.each([
    [{ code: "ENOSPC" }, "DiskFull"],
    [{ code: "EDQUOT" }, "DiskFull"],
    [sqlite(13), "DiskFull"],
    [sqlite(10 + 256 * 3), "DiskFull"],
    [{ code: "EACCES", path: "/x" }, "NotWritable"],
    [{ code: "EPERM", path: "/x" }, "NotWritable"],
    [{ code: "EROFS", path: "/x" }, "NotWritable"],
    [sqlite(14), "NotWritable"],
    [sqlite(8 + 256), "NotWritable"],
    [{ code: "ENOTDIR", path: "/x" }, "PathBlocked"],
    [{ code: "EISDIR", path: "/x" }, "PathBlocked"],
    [{ code: "EEXIST", path: "/x" }, "PathBlocked"],
  ])("%j is %s", (parts, code) => {
    const error = toKilnError(failure("the system's words", parts));
    expect(error).toMatchObject({ code, exitCode: 1 });
    expect(error.cause).toContain("the system's words");
    if ("path" in parts) expect(error.message).toContain("/x");
  });

  it("another error of SQLite's is not understood", () => {
    expect(toKilnError(failure("malformed", sqlite(11)))).toMatchObject({ code: "Unexpected" });
  });
});

describe("errors of signing in", () => {
  it.each([
    ["CredentialUnavailableError", "no credential"],
    ["AuthenticationRequiredError", "required"],
    ["AggregateAuthenticationError", "all failed"],
    ["AuthenticationError", "refused"],
    ["Error", "AADSTS7000215: Invalid client secret provided."],
    ["Error", "invalid_client: expired"],
  ])("%s: %s", (name, message) => {
    const error = toKilnError(failure(`${message} - Correlation ID: 5 - Timestamp: 6`, { name }));
    expect(error).toMatchObject({ code: "SignInFailed", exitCode: 1 });
    expect(error.cause).toBe(`The cloud does not accept who is signed in: ${message}`);
  });

  it("that never came to an answer are of the way there", () => {
    const error = failure("connect ECONNREFUSED 127.0.0.1:1", { name: "AuthenticationError" });
    expect(toKilnError(error)).toMatchObject({ code: "CloudUnreachable" });
  });
});

describe("answers of the cloud by the SDKs", () => {
  it.each([
    [{ statusCode: 429, code: "TooManyRequests" }, "TooManyRequests"],
    [{ statusCode: 429 }, "TooManyRequests"],
    [{ statusCode: 401 }, "Unauthorized"],
    [{ statusCode: 403 }, "AuthorizationFailed"],
    [{ statusCode: 403, code: "ForbiddenByRbac" }, "ForbiddenByRbac"],
    [{ statusCode: 409, code: "SomethingNew" }, "SomethingNew"],
  ])("%j is %s", (parts, code) => {
    const error = toKilnError(failure("the cloud's words", parts));
    expect(error).toMatchObject({ code, exitCode: 1 });
    expect(`${error.message}\n${error.cause}`).toContain("the cloud's words");
  });

  it("say by Key Vault's finer code what is meant, and in the cloud's words", () => {
    const innererror = { code: "ForbiddenByRbac" };
    const details = { error: { code: "Forbidden", message: "Caller is not authorized.", innererror } };
    const error = toKilnError(new RestError("refused", { statusCode: 403, code: "Forbidden" }));
    expect(error.code).toBe("Forbidden");
    const finer = toKilnError(Object.assign(new RestError("refused", { statusCode: 403 }), { details }));
    expect(finer.code).toBe("ForbiddenByRbac");
    expect(finer.cause).toContain('Message="Caller is not authorized."');
  });

  it("without a code that is one keep their status", () => {
    const error = toKilnError(failure("bad gateway", { statusCode: 502, code: 502 }));
    expect(error.message).toBe('Status=502 Code="Http502" Message="bad gateway"');
  });
});

describe("errors of the engine's commands", () => {
  it("are what the engine said, in plain words", () => {
    const message =
      "code: 255\n stdout: Updating\n stderr: error: get passphrase: incorrect passphrase\n err?: Error: x\n";
    expect(toKilnError(new Error(message))).toMatchObject({
      code: "SecretsProvider",
      cause: expect.stringContaining("get passphrase: incorrect passphrase"),
    });
    expect(toKilnError(new Error("code: -2\n stdout: \n stderr: \n err?: "))).toMatchObject({
      code: "OperationFailed",
      message: "the engine ended without saying why",
    });
  });

  it("are known without the engine as well", () => {
    expect(toKilnError(new Error("no space left on device"))).toMatchObject({ code: "DiskFull" });
  });
});

describe("what nobody understands", () => {
  it("passes whole, with what to do about it", () => {
    expect(toKilnError(new Error("odd"))).toMatchObject({
      code: "Unexpected",
      message: "odd",
      cause: "Kiln did not expect this.",
      next: expect.stringContaining("KILN_DEBUG=1"),
      exitCode: 1,
    });
    expect(toKilnError(new Error("odd", { cause: new Error("because") })).cause).toBe("because");
  });

  it.each([
    ["text", "text"],
    [undefined, "undefined"],
    [5, "5"],
  ])("even if %j is no error", (thrown, message) => {
    expect(toKilnError(thrown)).toMatchObject({ code: "Unexpected", message });
  });
});
