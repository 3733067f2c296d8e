import { SandboxClient } from "../../sandbox/client/index.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { kilnPaths } from "../lib/paths.ts";
import type { VerbContext } from "../lib/session.ts";

/** Whose ID token is wanted: a job of a repository, in an environment or on a ref. */
export interface OidcOptions {
  readonly repo: string;
  readonly environment?: string;
  readonly ref?: string;
  readonly event?: string;
  readonly workflow?: string;
  readonly audience: string;
}

/** The ID token that a job would get goes to stdout, for the client that stands for the job. */
export async function oidc(context: VerbContext, options: OidcOptions): Promise<ExitCode> {
  const { repo, environment, ref, event, workflow, audience } = options;
  const job = { repository: repo, environment, ref, event, workflow, audience };
  const answer = (await clientOf(context).control("POST", "/github/id-token", job)) as {
    token: string;
    subject: string;
    expiresOn: string;
  };
  context.out.document(answer);
  context.out.say(answer.token);
  return exitCodes.done;
}

/** A job's `GITHUB_TOKEN`, on stdout as well. */
export async function jobToken(
  context: VerbContext,
  options: { repo: string; access: string },
): Promise<ExitCode> {
  const wanted = { repository: options.repo, access: options.access };
  const answer = (await clientOf(context).control("POST", "/github/job-token", wanted)) as { token: string };
  context.out.document(answer);
  context.out.say(answer.token);
  return exitCodes.done;
}

function clientOf(context: VerbContext): SandboxClient {
  return new SandboxClient(kilnPaths(context.env).sandbox);
}
