import pc from "picocolors";
import { parseRepository } from "../../../components/github/model/names.ts";
import { requireEnvironment } from "../../../stacks/config.ts";
import { type ExitCode, exitCodes, usageError } from "../../lib/errors.ts";
import { githubTrouble, openGitHub } from "../../lib/github/client.ts";
import { githubEnvironmentOf, protectionGaps, readProtection } from "../../lib/github/environments.ts";
import { kilnPaths, makeHome } from "../../lib/paths.ts";
import type { VerbContext } from "../../lib/session.ts";
import type { CloudName } from "../../lib/target.ts";

/**
 * `kiln github verify-environment <env>`: what stands before an environment, asked before a job names it. Exit code 5 when it
 * is not there, or not as closed as it has to be.
 */
export async function verifyEnvironment(
  context: VerbContext,
  options: { environment: string; repository: string | undefined; cloud: CloudName },
): Promise<ExitCode> {
  const { out, env, signal } = context;
  const paths = kilnPaths(env);
  const environment = requireEnvironment(options.environment);
  const text = options.repository || env.GITHUB_REPOSITORY || "";
  const repository = parseRepository(text);
  if (repository === undefined)
    throw usageError(
      text === "" ? "no repository is given" : `${JSON.stringify(text)} is no repository`,
      "One is named <owner>/<name>, by --repo or GITHUB_REPOSITORY.",
    );
  makeHome(paths);
  const github = await openGitHub(options.cloud, paths, env, signal);
  const name = githubEnvironmentOf(environment);
  const there = await readProtection(github, repository, name).catch((error: unknown) => {
    throw githubTrouble(error, text);
  });
  const gaps = protectionGaps(name, there, environment.kind === "prod");
  const passed = gaps.length === 0;
  const error = {
    code: "Unprotected",
    message: `the environment ${name} of ${text} is not protected as it has to be`,
    cause: gaps.join("\n"),
    next: `Run \`kiln github connect ${text} --env ${name}${environment.kind === "prod" ? " --reviewer <who>" : ""}\`.`,
  };
  out.document({
    verb: "github verify-environment",
    env: environment.name,
    cloud: options.cloud,
    result: passed ? "passed" : "failed",
    repository: text,
    environment: name,
    ...(there === undefined ? {} : { protection: there }),
    ...(passed ? {} : { error }),
  });
  if (passed) out.say(`${pc.green("✓")} the environment ${name} of ${text} is protected`);
  else {
    out.say(`${pc.red("✗")} ${error.message}:`);
    for (const gap of gaps) out.say(`  - ${gap}`);
    out.say(error.next);
  }
  return passed ? exitCodes.done : exitCodes.check;
}
