import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { withLock } from "../../engine/lock.ts";

const clients = fileURLToPath(new URL("../clients/", import.meta.url));

/** Python with the clients of `test/clients/requirements.txt`. */
export interface TestPython {
  /** Runs one of the scripts in `test/clients` with nothing but this environment; what it prints is parsed as JSON. */
  script(name: string, args: readonly string[], env: Record<string, string>): Promise<unknown>;
  /** Runs `az`; never fails by itself. */
  az(args: readonly string[], env: Record<string, string>): Promise<AzAnswer>;
}

export interface AzAnswer {
  readonly exitCode: number;
  /** What stdout holds, parsed; undefined when that is nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into as az prints them
  readonly output: any;
  readonly stderr: string;
}

const pythons = new Map<string, Promise<TestPython>>();

/**
 * Python with the clients; installing them takes a minute or two and 400 MB, once.
 * @param requirements file in `test/clients` with what to install
 */
export function testPython(requirements = "requirements.txt"): Promise<TestPython> {
  const found = pythons.get(requirements) ?? provide(requirements);
  pythons.set(requirements, found);
  return found;
}

/** Runs zizmor, which audits workflows, on a folder; never fails by itself. */
export async function zizmor(
  folder: string,
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const home = await installed(path.join(clients, "..", "github", "requirements.txt"));
  const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
  const zizmor = path.join(home, "bin", "zizmor");
  const { exitCode, stdout, stderr } = await execa(zizmor, [...args, folder], {
    extendEnv: false,
    env,
    reject: false,
  });
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/**
 * Finds what a file of requirements asks for in Kiln's cache (`$XDG_CACHE_HOME/kiln/test-clients`, else
 * `~/.cache/kiln/test-clients`), or installs it there from the package index that pip is set up for. The folder is named by the
 * requirements and the Python that runs them, and appears whole or not at all.
 */
async function installed(requirements: string): Promise<string> {
  const version = await pythonVersion();
  const key = createHash("sha256")
    .update(`${version} ${process.platform} ${process.arch}\n${await readFile(requirements, "utf8")}`)
    .digest("hex")
    .slice(0, 16);
  const cache = path.join(cacheHome(), "kiln", "test-clients");
  const home = path.join(cache, key);
  if (!existsSync(home)) {
    await mkdir(cache, { recursive: true });
    const say = (what: string) => process.stderr.write(`test clients: ${what}\n`);
    await withLock(
      path.join(cache, `${key}.lock`),
      {
        work: "install the test clients",
        onWait: () => say("another process installs them; waiting for it"),
      },
      async () => {
        if (!existsSync(home)) await install(home, requirements, say);
      },
    );
  }
  return home;
}

async function provide(requirements: string): Promise<TestPython> {
  const home = await installed(path.join(clients, requirements));
  const executable = path.join(home, "bin", "python");
  const run = (args: readonly string[], env: Record<string, string>) =>
    execa(executable, args, {
      cwd: clients,
      extendEnv: false,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: process.env.HOME ?? "",
        PYTHONPYCACHEPREFIX: path.join(home, "pycache"),
        ...env,
      },
      reject: false,
    });
  return {
    script: async (name, args, env) => {
      const { exitCode, stdout, stderr } = await run([name, ...args], env);
      if (exitCode !== 0) throw new Error(`${name} ended with exit code ${exitCode}:\n${stderr}`);
      return JSON.parse(stdout);
    },
    az: async (args, env) => {
      // By module: a script in the folder `bin` names the folder in which it was installed.
      const { exitCode, stdout, stderr } = await run(["-m", "azure.cli", ...args], env);
      return { exitCode: exitCode ?? -1, output: parsed(stdout), stderr };
    },
  };
}

function parsed(stdout: string): unknown {
  if (stdout.trim() === "") return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return stdout;
  }
}

async function pythonVersion(): Promise<string> {
  const code = "import sys, venv, ensurepip; print(*sys.version_info[:2], sys.implementation.cache_tag)";
  const { exitCode, stdout, stderr } = await execa("python3", ["-c", code], { reject: false });
  const [major, minor] = stdout.split(" ").map(Number);
  if (exitCode === 0 && major === 3 && (minor ?? 0) >= 10) return stdout;
  const found =
    exitCode === 0 ? `python3 is ${major}.${minor}` : `python3 does not run: ${stderr.trim() || "not found"}`;
  throw new Error(
    `The tests of Python clients need python3, 3.10 or newer, with its modules venv and ensurepip on PATH; ${found}. Install it (Debian: apt install python3 python3-venv).`,
  );
}

async function install(home: string, requirements: string, say: (what: string) => void): Promise<void> {
  const staging = `${home}.staging`;
  const began = Date.now();
  await rm(staging, { recursive: true, force: true });
  try {
    say(
      `installing ${path.basename(path.dirname(requirements))} into ${home}; this may take a minute or two, once`,
    );
    await execa("python3", ["-m", "venv", staging]);
    // Compiling every SDK of azure-cli takes longer than all the rest; Python compiles what is used when it is used.
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--no-input",
      "--no-compile",
    ];
    await execa(path.join(staging, "bin", "python"), [...pip, "--requirement", requirements]);
    await rename(staging, home);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The test clients could not be installed by pip: ${reason}`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  say(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

function cacheHome(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homedir(), ".cache");
}
