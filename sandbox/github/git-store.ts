import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { CloudError } from "../core/errors.ts";

/** Git said no. */
export class GitError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, stderr: string) {
    super(stderr.trim() || `git ended with ${exitCode}`);
    this.name = "GitError";
    this.exitCode = exitCode;
  }
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

const largestAnswer = 256 * 1024 * 1024;

/** The bare repositories on disk, one folder by id, worked on by the machine's own git. */
export class GitStore {
  readonly #root: string;
  readonly #turns = new Map<number, Promise<unknown>>();

  constructor(root: string) {
    this.#root = root;
  }

  dir(id: number): string {
    return path.join(this.#root, `${id}.git`);
  }

  /** Makes the repository where it is not there: a sandbox may have been killed right before. */
  async ensure(id: number, defaultBranch: string): Promise<string> {
    const dir = this.dir(id);
    if (!existsSync(path.join(dir, "HEAD"))) {
      mkdirSync(this.#root, { recursive: true, mode: 0o700 });
      await this.#git(["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`, dir]);
    }
    return dir;
  }

  /** What git prints. @throws GitError */
  run(id: number, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
    return this.#git(["--git-dir", this.dir(id), ...args], options);
  }

  async text(id: number, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return (await this.run(id, args, options)).toString("utf8");
  }

  /** Runs changes of one repository one after the other. */
  inTurn<R>(id: number, change: () => Promise<R>): Promise<R> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const mine = before.then(change, change);
    const settled = mine.catch(() => {});
    this.#turns.set(id, settled);
    void settled.then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    });
    return mine;
  }

  remove(id: number): void {
    rmSync(this.dir(id), { recursive: true, force: true });
  }

  /** Removes what belongs to no repository any more. */
  keepOnly(ids: readonly number[]): void {
    if (!existsSync(this.#root)) return;
    const kept = new Set(ids.map((id) => `${id}.git`));
    for (const name of readdirSync(this.#root)) {
      if (!kept.has(name)) rmSync(path.join(this.#root, name), { recursive: true, force: true });
    }
  }

  #git(args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        args,
        { encoding: "buffer", maxBuffer: largestAnswer, env: { ...gitEnvironment(), ...options.env } },
        (error, stdout, stderr) => {
          if (error === null) return resolve(stdout);
          if (error.code === "ENOENT") return reject(noGit());
          reject(new GitError(typeof error.code === "number" ? error.code : 1, stderr.toString("utf8")));
        },
      );
      // Git may end before it has read everything, and then says why itself.
      child.stdin?.on("error", () => {});
      child.stdin?.end(options.input ?? "");
    });
  }
}

export function noGit(): CloudError {
  return new CloudError(
    500,
    "GitMissing",
    "The sandbox keeps repositories with the machine's git, and there is none on its PATH.",
  );
}

/** Nothing of the machine's own settings: not its configuration, its hooks, its templates or its prompts. */
export function gitEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: "/nonexistent",
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TEMPLATE_DIR: "",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
  };
}
