import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CandidateFacts, judgeCandidate } from "../../engine/pulumi/judge.ts";
import { compareVersions, goDirective, parseVersion, refuseGo } from "../../engine/versions.ts";

const complete = { languageHost: "beside", policyShim: "beside" } as const;
const judge = (printed: string | undefined, rest: Partial<CandidateFacts> = {}) =>
  judgeCandidate({ printed, ...complete, ...rest });

const number = fc.nat(9999);
const version = fc.record({ major: number, minor: number, patch: number, prerelease: fc.boolean() });

describe("versions", () => {
  test("what is printed is what is read", () => {
    fc.assert(
      fc.property(version, (v) => {
        const text = `v${v.major}.${v.minor}.${v.patch}${v.prerelease ? "-alpha.1+abc" : ""}\n`;
        expect(parseVersion(text)).toEqual(v);
      }),
    );
  });

  test("comparison is an order: antisymmetric, transitive, and zero only for the same version", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        if (compareVersions(a, b) === 0) expect(a).toEqual(b);
      }),
    );
  });

  test.each(["", "3", "3.", "pulumi v3.220.0", "v3.220.0 extra", "3.220.0.1", "latest", "devel go1.27-abc"])(
    "%j is not a version",
    (text) => expect(parseVersion(text)).toBeUndefined(),
  );

  test.each([
    ["go1.26.8", { major: 1, minor: 26, patch: 8, prerelease: false }],
    ["go1.24", { major: 1, minor: 24, patch: 0, prerelease: false }],
    ["go1.25rc1", { major: 1, minor: 25, patch: 0, prerelease: true }],
  ])("%s is a version of Go", (text, expected) => expect(parseVersion(text)).toEqual(expected));
});

describe("a pulumi on PATH", () => {
  test.each(["v3.220.0", "3.220.1\n", "v3.270.0", "v3.999.1", "v3.230.0-alpha.123+abcdef"])(
    "%j is usable",
    (printed) => {
      expect(judge(printed)).toMatchObject({ usable: true });
    },
  );

  test.each(["v3.219.9", "v2.9.0", "v4.0.0", "v4.0.0-alpha.1", "v3.220.0-alpha.1"])(
    "%j is out of range",
    (printed) => {
      const verdict = judge(printed);
      expect(verdict.usable).toBe(false);
      expect(verdict.why).toContain(">=3.220.0 <4");
    },
  );

  test("its version is given without the v", () => {
    expect(judge("v3.245.0")).toMatchObject({ version: "3.245.0" });
  });

  test("a failure is passed on in words", () => {
    expect(judge(undefined, { failure: "exec format error" }).why).toBe("it does not run: exec format error");
  });

  test("other output is shown, but not all of it", () => {
    expect(judge(`hello\nworld`).why).toContain('"hello"');
    expect(judge("x".repeat(1000)).why.length).toBeLessThan(200);
  });

  test("without a language host it is not usable", () => {
    expect(judge("v3.220.0", { languageHost: "missing" }).why).toContain("pulumi-language-nodejs");
  });

  test("until 3.220 it needs the policy shim, wherever that is", () => {
    expect(judge("v3.220.5", { policyShim: "missing" }).why).toContain("pulumi-analyzer-policy");
    expect(judge("v3.220.5", { policyShim: "path", languageHost: "path" }).usable).toBe(true);
  });

  test("from 3.221 on it needs the language host of its own release instead", () => {
    expect(judge("v3.221.0", { policyShim: "missing" }).usable).toBe(true);
    expect(judge("v3.221.0", { languageHost: "path" }).why).toContain("not beside it");
    expect(judge("v3.221.0-alpha.1", { languageHost: "path" }).usable).toBe(false);
  });
});

describe("the installed Go", () => {
  test("the needed version is read from the go line", () => {
    expect(goDirective("// go 1.1\nmodule x\n\ngo 1.24.7\n\nrequire y v1.2.3\n")).toBe("1.24.7");
    expect(goDirective("module x\n")).toBeUndefined();
  });

  test.each([
    ["go1.24.7", "local"],
    ["go1.26.8", "local"],
    ["go1.21.0", "auto"],
    ["go1.22.3", "go1.24.7+auto"],
    ["devel go1.27-abc", "local"],
  ])("%s with GOTOOLCHAIN=%s may try", (installed, toolchain) => {
    expect(refuseGo(installed, toolchain, "1.24.7")).toBeUndefined();
  });

  test.each([
    ["go1.24.6", "local"],
    ["go1.20.14", "auto"],
    ["go1.18", ""],
  ])("%s with GOTOOLCHAIN=%s is too old", (installed, toolchain) => {
    expect(refuseGo(installed, toolchain, "1.24.7")).toContain("1.24.7 or newer is needed");
  });
});
