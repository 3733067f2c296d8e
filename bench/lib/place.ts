import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Engine } from "../../engine/index.ts";
import { provideEngine } from "../../engine/index.ts";
import { SandboxClient } from "../../sandbox/client/index.ts";
import { runTimed } from "./process.ts";
import type { Sample } from "./rounds.ts";

/** Where a bench run lives: a folder of its own, which is gone afterwards with all that ran in it. */
export interface Place {
  readonly folder: string;
  readonly project: string;
  readonly engine: Engine;
  readonly sandbox: SandboxClient;
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** The environment of a user without Kiln: no setting of Kiln's, none of Pulumi's. */
  readonly plainEnv: NodeJS.ProcessEnv;
  /** The environment of a user of Kiln. */
  readonly kilnEnv: NodeJS.ProcessEnv;
  /** Runs the kiln command as `node scripts/kiln.mjs`, and reads its document when `--json` is given. */
  kiln(...args: string[]): Promise<Sample & { document: Record<string, unknown> }>;
  dispose(): Promise<void>;
}

/** Makes a place, and finds or makes the engine. */
export async function openPlace(options: {
  quick: boolean;
  signal: AbortSignal;
  say: (line: string) => void;
}): Promise<Place> {
  const { quick, signal, say } = options;
  const project = path.resolve(import.meta.dirname, "../..");
  const engine = await provideEngine({ env: process.env, signal, onProgress: ({ title }) => say(title) });
  const folder = mkdtempSync(path.join(tmpdir(), "kiln-bench-"));
  const home = path.join(folder, "home");
  mkdirSync(home);
  const plainEnv = withoutSettings(process.env);
  // Kiln keeps what Node compiles in the user's cache: here it is one that begins empty and is warm after the warm-ups.
  const kilnEnv = { ...plainEnv, KILN_HOME: home, NODE_COMPILE_CACHE: path.join(folder, "node-cache") };
  const sandbox = new SandboxClient(path.join(home, "sandbox"));
  return {
    folder,
    project,
    engine,
    sandbox,
    quick,
    signal,
    say,
    plainEnv,
    kilnEnv,
    kiln: async (...args) => {
      const file = process.execPath;
      const command = path.join(project, "scripts", "kiln.mjs");
      const { stdout, ...sample } = await runTimed({ file, args: [command, ...args], env: kilnEnv, signal });
      return {
        ...sample,
        document: args.includes("--json") ? (JSON.parse(stdout) as Record<string, unknown>) : {},
      };
    },
    dispose: async () => {
      try {
        await sandbox.stop();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The user's environment without what would steer Kiln, Pulumi, Node or a client of Azure. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const steering = /^(KILN|PULUMI|NODE|AZURE|ARM|npm)_|^(https?|no)_proxy$/i;
  const engineCache = env.KILN_ENGINE_CACHE;
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !steering.test(name))),
    ...(engineCache === undefined ? {} : { KILN_ENGINE_CACHE: engineCache }),
  };
}
