import { Command, CommanderError, Option } from "commander";
import { exitCodes, toKilnError, usageError } from "./lib/errors.ts";
import { createOutput, troubleText } from "./lib/output.ts";
import type { Run } from "./lib/session.ts";
import type { CloudName } from "./lib/target.ts";
import { addSandboxCommands } from "./sandbox-commands.ts";

interface EnvironmentOptions {
  readonly cloud: CloudName;
  readonly yes?: boolean;
}

/**
 * The kiln command.
 * @param args what follows the command's name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const out = createOutput(json, process.stdout, process.stderr);
  const interrupted = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    // The engine is in the same process group and was interrupted as well: it ends what it is at and lets go.
    if (interrupted.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    out.warn("Interrupted: finishing the step at hand. Once more ends at once; a rerun goes on from here.");
    interrupted.abort();
  };
  // Whoever reads our output may stop reading (`| head`): that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.done);
    throw error;
  });
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);

  let exitCode: number = exitCodes.done;
  const run: Run = async (verb) => {
    exitCode = await verb({ env: process.env, out, stdout: process.stdout, signal: interrupted.signal });
  };
  try {
    await commands(run).parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const trouble = error instanceof CommanderError ? usage(error) : toKilnError(error);
    exitCode = trouble.exitCode;
    const { code, message, cause, next } = trouble;
    const [verb, env] = args.filter((each) => !each.startsWith("-"));
    out.document({ verb, env, result: "failed", error: { code, message, cause, next } });
    if (!json) process.stderr.write(`${troubleText(trouble)}\n`);
    if (process.env.KILN_DEBUG === "1") console.error(error);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  return exitCode;
}

function usage(error: CommanderError) {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  return usageError(first, rest.join(" ").trim() || "The command line was not understood.");
}

function commands(run: Run): Command {
  const kiln = new Command("kiln")
    .description("A team's AI platform, one environment at a time: dev, staging, prod or pr-<number>.")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 the cloud or the program failed, 2 wrong usage or configuration, 3 a policy said no,\n" +
        "4 the environment is locked, 5 a check failed.",
    );

  const verb = (name: string, description: string) =>
    kiln
      .command(`${name} <env>`)
      .description(description)
      .addOption(
        new Option("--cloud <cloud>", "which cloud").choices(["sandbox", "azure"]).default("sandbox"),
      )
      .option("--json", "one JSON document on stdout, and nothing else there");

  verb("up", "bring an environment up, or up to date")
    .option("-y, --yes", "do not ask")
    .action((environment: string, { cloud, yes = false }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/up.ts")).up(context, { environment, cloud, yes })),
    );
  verb("preview", "show what up would change, judged by the policies").action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/preview.ts")).preview(context, { environment, cloud })),
  );
  verb("down", "remove every trace of an environment")
    .option("-y, --yes", "do not ask")
    .action((environment: string, { cloud, yes = false }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/down.ts")).down(context, { environment, cloud, yes })),
    );
  verb("status", "what there is, and in which state").action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/status.ts")).status(context, { environment, cloud })),
  );
  verb("smoke", "check that the app has its key and the model answers").action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/smoke.ts")).smoke(context, { environment, cloud })),
  );
  verb("env", 'set up a shell for plain pulumi and any client: eval "$(kiln env dev)"').action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/env.ts")).env(context, { environment, cloud })),
  );
  addSandboxCommands(kiln, run);
  kiln
    .command("engine")
    .description("which Pulumi engine is used, and why; provides one where there is none")
    .option("--look", "only look, make nothing")
    .option("--verify", "check every file of the cached engine by its hash")
    .option("--json", "one JSON document on stdout, and nothing else there")
    .action(({ look = false, verify = false }: { look?: boolean; verify?: boolean }) =>
      run(async (context) => (await import("./verbs/engine.ts")).engine(context, { look, verify })),
    );
  return kiln;
}
