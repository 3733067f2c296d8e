import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { KilnError } from "../errors.ts";

/** A git repository. */
export interface Git {
  /** Top folder of the working tree; of a bare repository, where it was asked for. */
  readonly root: string;
  /** Whether it has no working tree. */
  readonly bare: boolean;
  /**
   * Runs git and gives what it prints.
   * @param good exit codes that are no failure; default 0
   * @throws KilnError `GitFailed`
   */
  read(args: readonly string[], good?: readonly number[]): Promise<string>;
  /** Runs git and gives what it prints as it comes. */
  stream(args: readonly string[], input?: Iterable<string>): AsyncGenerator<Buffer>;
}

interface Ended {
  readonly code: number | null;
  readonly error: string;
}

/** Text of git's own is in English, since it is read here; objects are what they are, whatever replaces them. */
const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  LC_ALL: "C",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
});

/** Git in a folder. Its process ends with the reader, or with the signal. */
function start(
  cwd: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  args: readonly string[],
) {
  const child = spawn("git", args, { cwd, env: environment(env), signal, stdio: ["pipe", "pipe", "pipe"] });
  let error = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error = `${error}${text}`.slice(-2000);
  });
  // A git that ends early stops reading; why is in its own words.
  child.stdin.on("error", () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, error: error.trim() }));
  });
  ended.catch(() => {});
  return { child, ended };
}

async function* stream(
  cwd: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  args: readonly string[],
  input: Iterable<string> = [],
  good: readonly number[] = [0],
): AsyncGenerator<Buffer> {
  const { child, ended } = start(cwd, env, signal, args);
  try {
    Readable.from(input).pipe(child.stdin);
    for await (const part of child.stdout) yield part as Buffer;
    const { code, error } = await ended;
    if (!good.includes(code ?? -1)) throw new GitError(args, error);
  } catch (error) {
    throw isMissing(error) ? noGit() : error;
  } finally {
    if (child.exitCode === null && child.pid !== undefined) {
      child.kill();
      await once(child, "close").catch(() => {});
    }
  }
}

class GitError extends KilnError {
  constructor(args: readonly string[], said: string) {
    const word = args.find((each) => !each.startsWith("-")) ?? "";
    super({
      code: "GitFailed",
      message: `\`git ${word}\` failed`,
      cause: said === "" ? "It did not say why." : said,
      next: "Try it by hand in this folder, then run the scan again.",
    });
  }
}

const isMissing = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === "ENOENT" &&
  (error as { syscall?: string }).syscall === "spawn git";

const noGit = (): KilnError =>
  new KilnError({
    code: "NoGit",
    message: "there is no git",
    cause: "It is not on PATH.",
    next: "Install git, then run it again.",
  });

/**
 * The git repository that a folder is in; undefined when it is in none, or there is no git.
 * @throws KilnError when git refuses the repository (another owner's, a broken one): that is not the same as none
 */
export async function findGit(
  cwd: string,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Git | undefined> {
  const read = async (folder: string, args: readonly string[], good?: readonly number[]): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of stream(folder, env, signal, args, [], good)) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  };
  const at = (root: string, bare: boolean): Git => ({
    root,
    bare,
    read: (args, good) => read(root, args, good),
    stream: (args, input) => stream(root, env, signal, args, input),
  });
  try {
    return at((await read(cwd, ["rev-parse", "--show-toplevel"])).replace(/\n$/, ""), false);
  } catch (error) {
    if (!(error instanceof KilnError)) throw error;
    if (error.code === "NoGit" || /not a git repository/.test(error.cause)) return undefined;
    if (/must be run in a work tree/.test(error.cause)) return at(cwd, true);
    throw error;
  }
}
