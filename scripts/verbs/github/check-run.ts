import { appendFileSync } from "node:fs";
import pc from "picocolors";
import { loadConfig, STEERING_VARIABLES } from "../../../stacks/config.ts";
import { type ExitCode, exitCodes, usageError } from "../../lib/errors.ts";
import { githubEnvironmentOf } from "../../lib/github/environments.ts";
import { kilnPaths } from "../../lib/paths.ts";
import type { VerbContext } from "../../lib/session.ts";

/** What a run by hand may do. */
export const RUN_ACTIONS = ["up", "rotate-key", "down", "smoke"] as const;

/**
 * `kiln github check-run <action> <env>`: whether a run makes sense, told before it touches anything. Region and model come by
 * KILN_LOCATION and KILN_MODEL, as they do in the run itself. In a job it gives the output `environment`, the environment on
 * GitHub that the run has to go through.
 */
export async function checkRun(
  context: VerbContext,
  options: { action: string; environment: string },
): Promise<ExitCode> {
  const { env, out } = context;
  const { action } = options;
  if (!RUN_ACTIONS.some((each) => each === action))
    throw usageError(`${JSON.stringify(action)} is nothing to do`, `It is one of ${RUN_ACTIONS.join(", ")}.`);
  const config = loadConfig(kilnPaths(env).project, options.environment, env);
  const environment = githubEnvironmentOf(config.environment);
  const { name, version } = config.foundry.model;
  const chosen = { region: env[STEERING_VARIABLES.location] || undefined, model: `${name}@${version}` };
  if (env.GITHUB_OUTPUT) appendFileSync(env.GITHUB_OUTPUT, `environment=${environment}\n`);
  out.document({
    verb: "github check-run",
    env: config.environment.name,
    result: "passed",
    action,
    environment,
    region: chosen.region ?? config.locations,
    model: chosen.model,
  });
  const where = chosen.region ?? config.locations.join(", else ");
  out.say(`${pc.green("✓")} ${action} ${config.environment.name}: ${where}; ${chosen.model}`);
  return exitCodes.done;
}
