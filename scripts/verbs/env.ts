import { delimiter, dirname } from "node:path";
import { STEERING_VARIABLES } from "../../stacks/config.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { expiryText, recordedExpiry } from "../lib/expiry.ts";
import { recordedLocation } from "../lib/placement.ts";
import { openSession, sessionStack, type VerbContext } from "../lib/session.ts";
import { engineEnvironment } from "../lib/stack.ts";
import type { CloudName } from "../lib/target.ts";

/**
 * `eval "$(kiln env <env>)"`: a shell in which plain `pulumi`, and any client of the cloud, works on the environment.
 * Nothing that it prints is secret.
 */
export async function env(
  context: VerbContext,
  options: { environment: string; cloud: CloudName },
): Promise<ExitCode> {
  const session = await openSession(context, options.environment, options.cloud);
  const stack = sessionStack(context, session);
  if (!(await stack.read())) await stack.create();
  const { engine, target, paths } = session;
  const location = recordedLocation(stack.state);
  const expiry = recordedExpiry(stack.state);
  const variables: Record<string, string> = {
    ...engineEnvironment(engine, target, paths, context.env),
    PULUMI_STACK: options.environment,
    // Where a fallback is in use, plain pulumi has to be told.
    ...(location === undefined || location === session.config.location
      ? {}
      : { [STEERING_VARIABLES.location]: location }),
    ...(expiry === undefined ? {} : { [STEERING_VARIABLES.expiresOn]: expiryText(expiry) }),
    KILN_HOME: paths.home,
    ...(target.sandbox?.caCertificate === undefined
      ? {}
      : {
          KILN_SANDBOX_OWNER_CLIENT_ID: target.sandbox.owner?.clientId ?? "",
          KILN_SANDBOX_OWNER_SECRET_FILE: target.sandbox.owner?.clientSecretFile ?? "",
        }),
  };
  for (const name of ["KILN_RUN", "KILN_NODE"]) delete variables[name];
  const kubectl = target.kubectlDir === undefined ? [] : [target.kubectlDir];
  variables.PATH = [engine.binDir, dirname(process.execPath), ...kubectl].join(delimiter);
  context.out.document({
    verb: "env",
    env: options.environment,
    cloud: options.cloud,
    result: "succeeded",
    variables,
  });
  for (const [name, value] of Object.entries(variables)) {
    const shown = name === "PATH" ? `${quote(`${value}${delimiter}`)}"$PATH"` : quote(value);
    context.out.say(`export ${name}=${shown}`);
  }
  return exitCodes.done;
}

/** As a POSIX shell reads it back. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
