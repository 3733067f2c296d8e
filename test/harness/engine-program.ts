import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { TestEngine } from "./engine.ts";

/** A program on the real engine, with nothing of this machine's around it. */
export interface EngineProgram {
  readonly engine: TestEngine;
  /** The folder of Pulumi.yaml. */
  readonly folder: string;
  /** Where the engine keeps everything, its state too. */
  readonly home: string;
  /** The providers that it reaches, `name:port` with commas between. */
  readonly providers: string;
  /** What it must not print. */
  readonly secrets: readonly string[];
  /** On top of what every engine needs. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface EngineRun {
  readonly exitCode: number;
  readonly stdout: string;
  /** With what it said on stderr. */
  readonly all: string;
}

/** Runs a command of the engine on the program's stack `dev`, and sees to it that no secret is printed. */
export async function runEngine(of: EngineProgram, args: readonly string[]): Promise<EngineRun> {
  const { engine, folder, home, providers, secrets } = of;
  const env = {
    PATH: [engine.binDir, path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
    HOME: home,
    PULUMI_HOME: path.join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${home}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_PROVIDERS: providers,
    ...of.env,
  };
  const stack = ["--stack", "dev", "--non-interactive"];
  const options = { cwd: folder, env, extendEnv: false, reject: false, all: true } as const;
  const { exitCode = -1, stdout, all } = await execa(engine.pulumi, [...args, ...stack], options);
  for (const secret of secrets) expect(all).not.toContain(secret);
  return { exitCode, stdout, all };
}

/** Sees to it that no file below a folder holds a secret. */
export async function expectNotOnDisk(folder: string, secrets: readonly string[]): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(path.join(entry.parentPath, entry.name), "utf8");
    for (const secret of secrets) expect(text.includes(secret), entry.name).toBe(false);
  }
}
