/** A released version, or a pre-release of one. */
export type Version = { major: number; minor: number; patch: number; prerelease: boolean };

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

/** A version that is known to be one. */
export function known(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new TypeError(`not a version: ${text}`);
  return version;
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

/** What a program printed, short enough for a message. */
export function quote(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}
