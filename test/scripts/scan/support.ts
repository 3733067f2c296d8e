import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { findingLines, scanError, summaryLines } from "../../../scripts/lib/scan/report.ts";
import { sarifOf } from "../../../scripts/lib/scan/sarif.ts";
import { type ScanOptions, type ScanReport, scan, type Target } from "../../../scripts/lib/scan/scan.ts";

/** A folder that goes with the test. */
export class Folder implements Disposable {
  readonly root = realpathSync(mkdtempSync(path.join(tmpdir(), "kiln-scan-")));

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  /** What the project allows. */
  allow(...allow: object[]): void {
    this.write(".kiln/scan.json", JSON.stringify({ version: 1, allow }));
  }

  scan(
    target: Target = { kind: "files", paths: [] },
    options: Partial<ScanOptions> = {},
  ): Promise<ScanReport> {
    return scan(target, { cwd: this.root, env: process.env, ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A git repository that knows nothing of this machine's settings. */
export class Repository extends Folder {
  constructor() {
    super();
    this.git("init", "--quiet", "--initial-branch=main");
  }

  git(...args: string[]): string {
    const env = {
      PATH: process.env.PATH,
      HOME: this.root,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.com",
    };
    return execFileSync("git", args, {
      cwd: this.root,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Commits everything. @returns the commit */
  commit(message = "a change"): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", message);
    return this.git("rev-parse", "HEAD");
  }
}

/** A log that is piped in, in parts of so many bytes. */
export const piped = (text: string | Uint8Array, part = 65_536): Readable => {
  const bytes = Buffer.from(text as string);
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += part) yield bytes.subarray(at, at + part);
    })(),
  );
};

/** Everything that a scan ever says, in every form. */
export const everything = (report: ScanReport): string =>
  [
    ...findingLines(report),
    ...summaryLines(report),
    ...report.notices,
    JSON.stringify(report),
    JSON.stringify(scanError(report)),
    JSON.stringify(sarifOf(report, "0.0.0")),
  ].join("\n");

/** `rule path:line:column` of each finding. */
export const places = ({ findings }: ScanReport): string[] =>
  findings.map(({ rule, path: at, line, column }) => `${rule} ${at}:${line}:${column}`);

/** All that comes. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
