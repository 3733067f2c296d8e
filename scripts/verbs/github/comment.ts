import pc from "picocolors";
import { parseRepository } from "../../../components/github/model/names.ts";
import { type ExitCode, exitCodes, usageError } from "../../lib/errors.ts";
import { githubTrouble, openGitHub } from "../../lib/github/client.ts";
import { stickyComment } from "../../lib/github/sticky-comment.ts";
import { kilnPaths, makeHome } from "../../lib/paths.ts";
import type { VerbContext } from "../../lib/session.ts";
import type { CloudName } from "../../lib/target.ts";
import { markdownOf } from "./summary.ts";

/** `kiln github comment <number> <file…>`: results on a pull request, in one comment that is kept up to date. */
export async function comment(
  context: VerbContext,
  options: {
    pullRequest: string;
    files: readonly string[];
    repository: string | undefined;
    cloud: CloudName;
  },
): Promise<ExitCode> {
  const { env, out, signal } = context;
  const number = Number(options.pullRequest);
  if (!Number.isSafeInteger(number) || number < 1)
    throw usageError(`${JSON.stringify(options.pullRequest)} is no pull request`, "One has a number.");
  const text = options.repository || env.GITHUB_REPOSITORY || "";
  const repository = parseRepository(text);
  if (repository === undefined)
    throw usageError(
      `${JSON.stringify(text)} is no repository`,
      "One is named <owner>/<name>, by --repo or GITHUB_REPOSITORY.",
    );
  const cards = await markdownOf(options.files);
  const paths = kilnPaths(env);
  makeHome(paths);
  const github = await openGitHub(options.cloud, paths, env, signal);
  const said = { kind: "preview", text: `## What this pull request would change\n\n${cards}` };
  const result = await stickyComment(github, repository, number, said).catch((error: unknown) => {
    throw githubTrouble(error, text);
  });
  out.document({
    verb: "github comment",
    cloud: options.cloud,
    result,
    repository: text,
    pullRequest: number,
  });
  out.say(`${pc.green("✓")} the comment on ${text}#${number}: ${result}`);
  return exitCodes.done;
}
