import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { addGithubCommands } from "./github-commands.ts";
import { exitCodes, KilnError, usageError } from "./lib/errors.ts";
import { createOutput, troubleText } from "./lib/output.ts";
import type { Run, VerbContext } from "./lib/session.ts";
import type { CloudName } from "./lib/target.ts";
import { toKilnError } from "./lib/trouble.ts";
import { addSandboxCommands, parseSpan } from "./sandbox-commands.ts";
import { addScanCommand } from "./scan-command.ts";

interface EnvironmentOptions {
  readonly cloud: CloudName;
  readonly yes?: boolean;
  readonly ttl?: number;
  readonly wait?: number;
}

interface RotateKeyFlags {
  readonly cloud: CloudName;
  readonly yes: boolean;
  readonly restart: boolean;
  readonly revokeOld: boolean;
  readonly adopt: boolean;
  readonly maxAge?: number;
  readonly timeout: number;
  readonly drain: number;
}

/** Signals by which people and pipelines end a run, with the exit code of one that obeyed. */
const endings = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hangup,
} as const;
type Ending = keyof typeof endings;

/** A terminal's signal may come twice, once by way of the older Node that started this one; people take longer, in ms. */
const sameSignal = 200;

/**
 * The kiln command.
 * @param args what follows the command's name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const out = createOutput(json, process.stdout, process.stderr);
  const subject = subjectOf(args);
  const tell = (trouble: KilnError): number => {
    const { code, message, cause, next, problems, violations } = trouble;
    const error = { code, message, cause, next, ...(problems === undefined ? {} : { problems }) };
    out.document({
      ...subject,
      result: "failed",
      ...(violations === undefined ? {} : { violations }),
      error,
    });
    if (!json) process.stderr.write(`${troubleText(trouble)}\n`);
    return trouble.exitCode;
  };

  const interrupted = new AbortController();
  let since = 0;
  const onSignal = (signal: Ending): void => {
    if (!interrupted.signal.aborted) {
      since = Date.now();
      // In a terminal the engine was interrupted as well: it ends what it is at and lets go.
      out.warn("Interrupted: finishing the step at hand. Once more ends at once; a rerun goes on from here.");
      interrupted.abort(signal);
    } else if (Date.now() - since > sameSignal) {
      process.exit(tell(interruption(subject, signal, "It was told to end at once.")));
    }
  };
  for (const signal of Object.keys(endings) as Ending[]) process.on(signal, onSignal);
  // Whoever reads our output may stop reading (`| head`): the work goes on, unheard, rather than being torn apart.
  const onUnheard = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") exitCode = exitCodes.failed;
  };
  process.stdout.on("error", onUnheard);
  process.stderr.on("error", onUnheard);

  // The program runs in this process; calls that it has open when the engine ends fail after everyone stopped listening.
  const onStray = (error: unknown): void => {
    if (interrupted.signal.aborted || isOfTheEnginesEnd(error)) return;
    process.exit(tell(toKilnError(error)));
  };
  process.on("unhandledRejection", onStray);

  let exitCode: number = exitCodes.done;
  const run: Run = async (verb) => {
    exitCode = await verb({ env: process.env, out, stdout: process.stdout, signal: interrupted.signal });
  };
  try {
    await commands(run).parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    if (error instanceof CommanderError) exitCode = tell(usage(error, subject));
    else if (interrupted.signal.aborted) {
      const why = "It was interrupted before it was done; what was made until then is on record.";
      exitCode = tell(interruption(subject, interrupted.signal.reason as Ending, why));
    } else exitCode = tell(toKilnError(error));
    if (process.env.KILN_DEBUG === "1") console.error(error);
  } finally {
    for (const signal of Object.keys(endings) as Ending[]) process.off(signal, onSignal);
  }
  return exitCode;
}

/** gRPC's CANCELLED and UNAVAILABLE: the engine's own end tells what happened. */
function isOfTheEnginesEnd(error: unknown): boolean {
  const { code, metadata } = error as { code?: unknown; metadata?: unknown };
  return (code === 1 || code === 14) && metadata !== undefined;
}

/** Which verb was given, and for which environment where it is about one. */
interface Subject {
  readonly verb?: string;
  readonly env?: string;
}

const environmentVerbs = ["up", "preview", "down", "rotate-key", "status", "smoke", "env", "unlock"];

/** What a command line is about, told from its words alone, since a wrong one has to be answered too. Pure. */
export function subjectOf(args: readonly string[]): Subject {
  const words = args.filter((each, at) => !each.startsWith("-") && args[at - 1] !== "--cloud");
  const [verb, second] = words;
  if (verb === undefined) return {};
  if (verb === "sandbox" || verb === "github")
    return { verb: second === undefined ? verb : `${verb} ${second}` };
  return environmentVerbs.includes(verb) && second !== undefined ? { verb, env: second } : { verb };
}

function interruption({ verb = "kiln", env }: Subject, signal: Ending, cause: string): KilnError {
  const command = ["kiln", verb === "kiln" ? undefined : verb, env].filter(Boolean).join(" ");
  const next = "Run it again: it goes on from there.";
  return new KilnError(
    { code: "Interrupted", message: `\`${command}\` was interrupted (${signal})`, cause, next },
    endings[signal],
  );
}

function usage(error: CommanderError, { verb }: Subject): KilnError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const none = error.code === "commander.help";
  // A command that nobody knows has no help of its own, but the one above it has.
  const words = verb?.split(" ") ?? [];
  const unknown = /^unknown command '(.*)'/.exec(first)?.[1];
  const known = words.at(-1) === unknown ? words.slice(0, -1).join(" ") : verb;
  return usageError(
    none ? "no command was given" : first,
    rest.join(" ").trim() || "The command line does not fit the command.",
    `See \`${["kiln", known].filter(Boolean).join(" ")} --help\`.`,
  );
}

function commands(run: Run): Command {
  const kiln = new Command("kiln")
    .description("A team's AI platform, one environment at a time: dev, staging, prod or pr-<number>.")
    .version(version(), "-V, --version", "show Kiln's version")
    .exitOverride()
    // What went wrong is told in Kiln's own way, wherever it went wrong.
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 the cloud or the program failed, 2 wrong usage or configuration, 3 a policy said no,\n" +
        "4 the environment is locked, 5 a check failed; 130 it was interrupted.",
    );

  const verb = (name: string, description: string) =>
    kiln
      .command(`${name} <env>`)
      .description(description)
      .addOption(
        new Option("--cloud <cloud>", "which cloud").choices(["sandbox", "azure"]).default("sandbox"),
      )
      .option("--json", "one JSON document on stdout, and nothing else there");

  const wait = () =>
    new Option("--wait [minutes]", "wait for another run that is at work on it")
      .argParser(parseMinutes)
      .preset("60");
  verb("up", "bring an environment up, or up to date")
    .option("-y, --yes", "do not ask")
    .addOption(wait())
    .option("--ttl <span>", "a pr-<number> environment that expires: 72h from now", parseSpan)
    .action((environment: string, { cloud, yes = false, ttl: ttlMs, wait: minutes }: EnvironmentOptions) =>
      run(async (context) => {
        const { up } = await import("./verbs/up.ts");
        return up(waiting(context, minutes), { environment, cloud, yes, ttlMs });
      }),
    );
  verb("preview", "show what up would change, judged by the policies").action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/preview.ts")).preview(context, { environment, cloud })),
  );
  verb("down", "remove every trace of an environment")
    .option("-y, --yes", "do not ask")
    .addOption(wait())
    .action((environment: string, { cloud, yes = false, wait: minutes }: EnvironmentOptions) =>
      run(async (context) => {
        const { down } = await import("./verbs/down.ts");
        return down(waiting(context, minutes), { environment, cloud, yes });
      }),
    );
  verb("unlock", "let go of a lock whose owner is gone for good")
    .option("-y, --yes", "do not ask")
    .action((environment: string, { cloud, yes = false }: EnvironmentOptions) =>
      run(async (context) =>
        (await import("./verbs/unlock.ts")).unlock(context, { environment, cloud, yes }),
      ),
    );
  verb("rotate-key", "a new key for every consumer, while nothing fails")
    .option("--restart", "restart the consumers as well", false)
    .option("--revoke-old", "end the old key too, once nobody uses it", false)
    .option("--adopt", "mend a secret that holds neither of the account's keys", false)
    .option("--max-age <span>", "do nothing when the key is younger, for example 30d", parseSpan)
    .option("--timeout <span>", "after this long it stops; a rerun goes on", parseSpan, 15 * 60_000)
    .option(
      "--drain <span>",
      "how long a request may go on with the key that it began with, before that key ends",
      parseSpan,
      3_000,
    )
    .option("-y, --yes", "do not ask", false)
    .action((environment: string, options: RotateKeyFlags) =>
      run(async (context) => {
        const { maxAge: maxAgeMs, timeout: timeoutMs, drain: drainMs, ...more } = options;
        const { rotateKey } = await import("./verbs/rotate-key.ts");
        return rotateKey(context, { environment, maxAgeMs, timeoutMs, drainMs, ...more });
      }),
    );
  verb("status", "what there is, and in which state").action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/status.ts")).status(context, { environment, cloud })),
  );
  verb("smoke", "check that the app has its key and the model answers")
    .option("--log <file>", "check as well that no secret is in this log; - reads what is piped in")
    .action((environment: string, { cloud, log }: EnvironmentOptions & { log?: string }) =>
      run(async (context) => {
        const options = { environment, cloud, ...(log === undefined ? {} : { log }) };
        return (await import("./verbs/smoke.ts")).smoke(context, options);
      }),
    );
  verb("env", 'set up a shell for plain pulumi and any client: eval "$(kiln env dev)"').action(
    (environment: string, { cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/env.ts")).env(context, { environment, cloud })),
  );
  const overall = (name: string, description: string) =>
    kiln
      .command(name)
      .description(description)
      .addOption(
        new Option("--cloud <cloud>", "which cloud").choices(["sandbox", "azure"]).default("sandbox"),
      )
      .option("--json", "one JSON document on stdout, and nothing else there");
  overall("list", "every environment: its age, region, drift, and what costs something").action(
    ({ cloud }: EnvironmentOptions) =>
      run(async (context) => (await import("./verbs/list.ts")).list(context, { cloud })),
  );
  overall("reap", "take down every pr-<number> environment that has expired, and nothing else")
    .option("-y, --yes", "do not ask", false)
    .option("--dry-run", "only say which they are", false)
    .action((options: { cloud: CloudName; yes: boolean; dryRun: boolean }) =>
      run(async (context) => (await import("./verbs/reap.ts")).reap(context, options)),
    );
  addSandboxCommands(kiln, run);
  addScanCommand(kiln, run);
  addGithubCommands(kiln, run);
  kiln
    .command("engine")
    .description("which Pulumi engine is used, and why; provides one where there is none")
    .option("--control-plane", "the Kubernetes control plane instead")
    .option("--look", "only look, make nothing")
    .option("--verify", "check every file in the cache by its hash")
    .option("--json", "one JSON document on stdout, and nothing else there")
    .action((flags: { controlPlane?: boolean; look?: boolean; verify?: boolean }) => {
      const { controlPlane = false, look = false, verify = false } = flags;
      return run(async (context) =>
        (await import("./verbs/engine.ts")).engine(context, { controlPlane, look, verify }),
      );
    });
  return kiln;
}

/** How long a lock is waited for, in minutes. */
function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440) return minutes;
  throw new InvalidArgumentError("It takes a whole number of minutes from 1 to 1440.");
}

function waiting(context: VerbContext, minutes: number | undefined): VerbContext {
  return minutes === undefined ? context : { ...context, lockWaitMs: minutes * 60_000 };
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
