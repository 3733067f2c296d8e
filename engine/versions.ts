/** A released version, or a pre-release of one. */
export type Version = { major: number; minor: number; patch: number; prerelease: boolean };

/** Which versions of the CLI Kiln works with: from `min` on, within its major version. */
export const supportedRange = { min: "3.220.0", text: ">=3.220.0 <4" } as const;

/**
 * From this version on the CLI boots a Node policy pack through its language host (`RunPlugin`) and no longer through
 * `pulumi-analyzer-policy`, so it needs the language host of its own release rather than any host and a shim.
 */
export const policiesThroughHostSince = "3.221.0";

/** Reads `3.220.0`, `v3.220.0`, `go1.26.8`, `go1.24` or `3.221.0-alpha.1+abc`; undefined when it is none of these. */
export function parseVersion(text: string): Version | undefined {
  const match = /^(?:v|go)?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?((?:-|rc|beta)[^\s+]+)?(?:\+\S+)?$/.exec(
    text.trim(),
  );
  if (!match) return undefined;
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
    prerelease: match[4] !== undefined,
  };
}

/** Negative, zero or positive as `a` comes before, with or after `b`; a pre-release comes before its release. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.major - b.major || a.minor - b.minor || a.patch - b.patch || Number(b.prerelease) - Number(a.prerelease)
  );
}

function known(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new TypeError(`not a version: ${text}`);
  return version;
}

/** What is known about a `pulumi` found on PATH. */
export type CandidateFacts = {
  /** What `pulumi version` printed; undefined when it failed, and then `failure` says how. */
  printed: string | undefined;
  failure?: string;
  /** Where `pulumi-language-nodejs` was found. */
  languageHost: "beside" | "path" | "missing";
  /** Where `pulumi-analyzer-policy` was found. */
  policyShim: "beside" | "path" | "missing";
};

/** Whether a `pulumi` on PATH is complete for Kiln, and why. */
export type CandidateVerdict =
  | { usable: true; version: string; why: string }
  | { usable: false; why: string };

/** Decides on a `pulumi` found on PATH: its version, its Node language host and, where its version needs one, its policy shim. */
export function judgeCandidate(facts: CandidateFacts): CandidateVerdict {
  if (facts.printed === undefined) return refuse(`it does not run: ${facts.failure ?? "no output"}`);
  const version = parseVersion(facts.printed);
  if (!version) return refuse(`it prints no version that Kiln understands (${quote(facts.printed)})`);
  const text = facts.printed.trim().replace(/^v/, "");
  const min = known(supportedRange.min);
  if (compareVersions(version, min) < 0 || version.major !== min.major) {
    return refuse(`version ${text} is outside ${supportedRange.text}`);
  }
  if (facts.languageHost === "missing") {
    return refuse(`version ${text} fits, but pulumi-language-nodejs is neither beside it nor on PATH`);
  }
  const throughHost =
    compareVersions({ ...version, prerelease: false }, known(policiesThroughHostSince)) >= 0;
  if (throughHost) {
    if (facts.languageHost === "beside") return accept(text, "with its Node language host beside it");
    return refuse(
      `version ${text} fits, but pulumi-language-nodejs is not beside it; from ${policiesThroughHostSince} on policies need the host of the same release`,
    );
  }
  if (facts.policyShim === "missing") {
    return refuse(`version ${text} fits, but pulumi-analyzer-policy is neither beside it nor on PATH`);
  }
  return accept(text, "with its Node language host and policy shim");
}

function accept(version: string, why: string): CandidateVerdict {
  return { usable: true, version, why: `version ${version} is within ${supportedRange.text}, ${why}` };
}

function refuse(why: string): CandidateVerdict {
  return { usable: false, why };
}

function quote(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

/** The version in the `go` line of a go.mod, which is the oldest Go that may build it; undefined without such a line. */
export function goDirective(goMod: string): string | undefined {
  return /^go\s+(\d+\.\d+(?:\.\d+)?)\s*$/m.exec(goMod)?.[1];
}

/**
 * Decides whether an installed Go may build a module. An older Go from 1.21 on fetches the toolchain that a module asks for,
 * unless GOTOOLCHAIN forbids it (https://go.dev/doc/toolchain); whether that succeeds only Go itself can tell.
 * @returns undefined when it may, else why not
 */
export function refuseGo(installed: string, toolchain: string, needed: string): string | undefined {
  const have = parseVersion(installed);
  // A development build of Go ("devel go1.27-abc") carries no comparable version; it is newer than any release we ask for.
  if (!have || compareVersions(have, known(needed)) >= 0) return undefined;
  const older = `the installed Go is ${installed.replace(/^go/, "")}, and ${needed} or newer is needed`;
  if (compareVersions(have, known("1.21.0")) < 0) return older;
  return toolchain === "local" ? `${older} (GOTOOLCHAIN=local forbids fetching it)` : undefined;
}
