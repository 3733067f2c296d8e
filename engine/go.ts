import { diskFull, EngineError, type Subject } from "./errors.ts";
import { onPath } from "./paths.ts";
import { type LeashedResult, runLeashed } from "./processes.ts";
import type { Kit } from "./types.ts";

/** What to install when a kit can neither be found nor made. `neededGo` is the oldest Go that can build it. */
export function whatToInstall(kit: Subject, neededGo: string): string {
  const go = `Go ${neededGo} or newer (https://go.dev/doc/install), with its folder on PATH`;
  return kit.instead === undefined
    ? `Install ${go}, and run it again; Kiln then makes the ${kit.name} itself.`
    : `Install one of these and run it again: ${kit.instead}, or ${go}; Kiln then builds it itself.`;
}

/** The `go` on PATH. @throws EngineError ENGINE_GO_MISSING */
export async function findGo(kit: Subject, env: NodeJS.ProcessEnv, neededGo: string): Promise<string> {
  const [go] = await onPath("go", env);
  if (go) return go;
  throw new EngineError("ENGINE_GO_MISSING", {
    message: `The ${kit.name} cannot be built here.`,
    cause: "There is no `go` on PATH.",
    next: whatToInstall(kit, neededGo),
  });
}

/** Go's own platform names for this process; absent ones are left to Go. */
const goArch: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * The environment for Go: the user's, except for what would make something for another machine than this one. GOFLAGS, GOPROXY,
 * GOMODCACHE, GOCACHE and GOTOOLCHAIN stay the user's.
 */
export function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const arch = goArch[process.arch];
  return {
    // Without C the executables are static: a cache that moves to another distribution still works. A user's own choice wins.
    CGO_ENABLED: "0",
    ...env,
    GOOS: process.platform,
    ...(arch ? { GOARCH: arch } : {}),
    GO111MODULE: "on",
    // A workspace around the checkout would shut our modules out.
    GOWORK: "off",
  };
}

export type GoRun = {
  kit: Kit;
  go: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  log: string;
  neededGo: string;
  signal?: AbortSignal | undefined;
};

/** Runs `go` and returns its output. @throws EngineError as {@link explainGoFailure} tells, or ENGINE_INTERRUPTED */
export async function runGo(
  run: GoRun,
  doing: string,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<LeashedResult> {
  const { go, cwd, env, log, signal } = run;
  const result = await runLeashed(go, args, {
    cwd,
    env: goEnvironment(env),
    log,
    signal,
    ...(onLine && { onLine }),
  });
  if (result.exitCode === 0) return result;
  throw explainGoFailure(run.kit, doing, result, log, run.neededGo);
}

/**
 * Reads why Go failed from what it printed.
 * @param doing what failed, as in `go could not …`
 */
export function explainGoFailure(
  kit: Subject,
  doing: string,
  result: Pick<LeashedResult, "exitCode" | "tail">,
  log: string,
  neededGo: string,
): EngineError {
  const line = (pattern: RegExp) => result.tail.findLast((text) => pattern.test(text))?.trim();
  const message = `Go could not ${doing}.`;
  const seeLog = `The whole output of Go is in ${log}.`;

  const full = line(/no space left on device|disk quota exceeded/i);
  if (full) return diskFull(kit, "what is built itself", full);

  const old = line(/requires go\s?>= ?[\d.]+|invalid go version|toolchain not available/i);
  if (old) {
    return new EngineError("ENGINE_GO_TOO_OLD", { message, cause: old, next: whatToInstall(kit, neededGo) });
  }
  const sum = line(/checksum mismatch|SECURITY ERROR|missing go\.sum entry/i);
  if (sum) {
    return new EngineError("ENGINE_BUILD_FAILED", {
      message,
      cause: `A module is not what this Kiln pins: ${sum}`,
      next: `Check GOPROXY and \`go clean -modcache\`; nothing of it was used. ${seeLog}`,
    });
  }
  const network = line(
    /dial tcp|no such host|i\/o timeout|connection (refused|reset)|TLS handshake|x509:|proxyconnect|network is unreachable|module lookup disabled|unexpected EOF|\b(40[0-9]|407|5\d\d) [A-Z]/,
  );
  if (network) {
    return new EngineError("ENGINE_MODULES_UNREACHABLE", {
      message,
      cause: `Its modules cannot be downloaded: ${network}`,
      next: `Check the network, HTTPS_PROXY and GOPROXY, and run it again; what was downloaded stays. ${seeLog}`,
    });
  }
  const killed = line(/signal: killed/i) ?? (result.exitCode === undefined ? "go was killed" : undefined);
  if (killed) {
    return new EngineError("ENGINE_BUILD_FAILED", {
      message,
      cause: `A compiler process was killed, most often because memory ran out (${killed}).`,
      next: `Give it about 3 GB of memory, or set GOFLAGS=-p=1, and run it again. ${seeLog}`,
    });
  }
  const last = result.tail.findLast((text) => text.trim() !== "" && !text.startsWith("#"))?.trim();
  return new EngineError("ENGINE_BUILD_FAILED", {
    message,
    cause: last ?? `go ended with exit code ${result.exitCode} and no output`,
    next: `Look into ${log}, mend what it names, and run it again.`,
  });
}
