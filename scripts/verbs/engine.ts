import { defaultCacheDir, findEngine, provideEngine } from "../../engine/index.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { table } from "../lib/output.ts";
import { engineReporter, type VerbContext } from "../lib/session.ts";

/** `kiln engine`: which Pulumi engine is used and why; makes one where there is none, unless only asked to look. */
export async function engine(
  context: VerbContext,
  options: { look: boolean; verify: boolean },
): Promise<ExitCode> {
  const { env, out, signal } = context;
  const found = await findEngine({ env, verify: options.verify });
  const chosen =
    found.engine ??
    (options.look ? undefined : await provideEngine({ env, signal, onProgress: engineReporter(out) }));
  const considered = chosen?.considered ?? found.considered;
  out.document({
    verb: "engine",
    result: chosen === undefined ? "missing" : "succeeded",
    cacheDir: defaultCacheDir(env),
    engine: chosen,
    considered,
  });
  if (chosen === undefined) out.say("There is no engine yet; the first verb that needs one provides it.");
  else
    out.say(
      table(
        [
          ["engine", chosen.pulumi],
          ["version", chosen.version],
          ["why", chosen.reason],
        ],
        "",
      ),
    );
  out.say("\nlooked at:");
  out.say(table(considered.map(({ candidate, verdict }) => [candidate, verdict])));
  return exitCodes.done;
}
