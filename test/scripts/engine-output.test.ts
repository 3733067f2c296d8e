import { describe, expect, it } from "vitest";
import { engineSaid, isAftermath } from "../../scripts/lib/engine-output.ts";

/** As the Automation API tells of a command that failed. */
const failed = (stdout: string, stderr: string) =>
  `code: 255\n stdout: ${stdout}\n stderr: ${stderr}\n err?: Error: Command failed with exit code 255: pulumi up\n${stderr}`;

describe("what the engine says went wrong", () => {
  it("is nothing for an error that is none of the engine's", () => {
    expect(engineSaid("ECONNREFUSED")).toBeUndefined();
    expect(engineSaid("the error: is inside")).toBeUndefined();
  });

  it("is each line of stderr that begins so, with what goes on with it, once", () => {
    const stderr = [
      "warning: not this",
      "error: first",
      "  more of the first",
      "    and more",
      "not this either",
      "  nor what goes on with it",
      "error: second",
      "error: first",
      "error: second",
    ].join("\n");
    expect(engineSaid(failed("error: not what stdout says", stderr))).toEqual([
      "first\nmore of the first\nand more",
      "second",
      "first",
    ]);
  });

  it("is without what follows from it, and without the rows of the summary", () => {
    const stderr = [
      "error: error: the provider said no",
      "    + azure-native:keyvault:Vault vault creating",
      "error: update failed",
      "error: ",
    ].join("\n");
    expect(engineSaid(failed("", stderr))).toEqual(["the provider said no"]);
  });

  it("is with the reasons that the provider of Kubernetes lists", () => {
    const stderr = [
      "error: 1 error occurred:",
      "    * the Kubernetes API server reported that it failed to become live: timed out",
      "      - [FailedCreate] pods are forbidden: exceeded quota",
    ].join("\n");
    expect(engineSaid(failed("", stderr))?.[0]).toMatch(
      /\n- \[FailedCreate\] pods are forbidden: exceeded quota$/,
    );
  });

  it("is that it said nothing, where it said nothing", () => {
    const nothing = ["the engine ended without saying why"];
    expect(engineSaid(failed("Updating (dev)", "error: preview failed"))).toEqual(nothing);
    expect(engineSaid("code: -2\n stdout: \n stderr: \n err?: Error: spawn pulumi ENOENT")).toEqual(nothing);
  });

  it("is known from a bare command's failure as well", () => {
    expect(engineSaid("Command failed with exit code 1: pulumi\nerror: no such thing")).toEqual([
      "no such thing",
    ]);
    expect(engineSaid("error: could not load plugin\n  azure-native")).toEqual([
      "could not load plugin\nazure-native",
    ]);
    expect(engineSaid("error: update failed")).toEqual(["error: update failed"]);
  });
});

describe("what only follows from another failure", () => {
  it.each(["update failed", "preview failed", "destroy failed", "refresh failed"])("%s", (message) => {
    expect(isAftermath(message)).toBe(true);
  });
  it.each(["update failed: no quota", "the update failed", "import failed", ""])("not %j", (message) => {
    expect(isAftermath(message)).toBe(false);
  });
});
