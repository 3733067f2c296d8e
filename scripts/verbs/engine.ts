import {
  defaultCacheDir,
  type Engine,
  findControlPlane,
  findEngine,
  provideControlPlane,
  provideEngine,
} from "../../engine/index.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { table } from "../lib/output.ts";
import { engineReporter, type VerbContext } from "../lib/session.ts";

interface EngineFlags {
  /** Only look, make nothing. */
  readonly look: boolean;
  /** Check every cached file by its hash. */
  readonly verify: boolean;
  /** The Kubernetes control plane instead of the Pulumi engine. */
  readonly controlPlane: boolean;
}

/** `kiln engine`: which Pulumi engine, or which control plane, is used and why; makes one where there is none, unless only asked to look. */
export async function engine(context: VerbContext, flags: EngineFlags): Promise<ExitCode> {
  const { env, out } = context;
  const looked = flags.controlPlane ? await controlPlane(context, flags) : await pulumi(context, flags);
  const { key, title, chosen, rows, considered } = looked;
  out.document({
    verb: "engine",
    result: chosen === undefined ? "missing" : "succeeded",
    cacheDir: defaultCacheDir(env),
    [key]: chosen,
    considered,
  });
  if (chosen === undefined) out.say(`There is no ${title} yet; the first verb that needs one provides it.`);
  else out.say(table([...rows, ["version", chosen.version], ["why", chosen.reason]], ""));
  out.say("\nlooked at:");
  out.say(table(considered.map(({ candidate, verdict }) => [candidate, verdict])));
  return exitCodes.done;
}

async function pulumi({ env, out, signal }: VerbContext, { look, verify }: EngineFlags) {
  const found = await findEngine({ env, verify });
  const chosen: Engine | undefined =
    found.engine ??
    (look ? undefined : await provideEngine({ env, signal, onProgress: engineReporter(out) }));
  return {
    key: "engine",
    title: "engine",
    chosen,
    rows: chosen === undefined ? [] : [["engine", chosen.pulumi]],
    considered: chosen?.considered ?? found.considered,
  };
}

async function controlPlane({ env, out, signal }: VerbContext, { look, verify }: EngineFlags) {
  const found = await findControlPlane({ env, verify });
  const chosen =
    found.controlPlane ??
    (look ? undefined : await provideControlPlane({ env, signal, onProgress: engineReporter(out) }));
  return {
    key: "controlPlane",
    title: "control plane",
    chosen,
    rows: chosen === undefined ? [] : [...Object.values(chosen.binaries), chosen.crds].map(nameAndPath),
    considered: chosen?.considered ?? found.considered,
  };
}

function nameAndPath(path: string): string[] {
  return [path.slice(path.lastIndexOf("/") + 1), path];
}
