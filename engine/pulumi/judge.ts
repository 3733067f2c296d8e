import { compareVersions, known, parseVersion, quote } from "../versions.ts";

/** Which versions of the CLI Kiln works with: from `min` on, within its major version. */
export const supportedRange = { min: "3.220.0", text: ">=3.220.0 <4" } as const;

/**
 * From this version on the CLI boots a Node policy pack through its language host (`RunPlugin`) and no longer through
 * `pulumi-analyzer-policy`, so it needs the language host of its own release rather than any host and a shim.
 */
export const policiesThroughHostSince = "3.221.0";

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
