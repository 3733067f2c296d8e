import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { Run } from "./lib/session.ts";
import { addKubernetesCommands } from "./sandbox-kubernetes-commands.ts";
import type { OidcOptions } from "./verbs/sandbox-github.ts";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `24h`, `90s`, `7d`, `250ms` as milliseconds. */
export function parseSpan(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = units[found?.[2] ?? ""];
  if (found === null || unit === undefined)
    throw new InvalidArgumentError("A span is a number and ms, s, m, h or d: 24h.");
  return Math.round(Number(found[1]) * unit);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("A port is 1 to 65535.");
  return port;
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("Not a number.");
  return number;
}

/** `kiln sandbox …`: the local cloud. */
export function addSandboxCommands(kiln: Command, run: Run): void {
  const sandbox = kiln
    .command("sandbox")
    .description("the local cloud that environments live in without an account");
  const load = () => import("./verbs/sandbox.ts");
  const command = (parent: Command, usage: string, description: string) =>
    parent
      .command(usage)
      .description(description)
      .option("--json", "one JSON document on stdout, and nothing else there");

  command(sandbox, "start", "start it, unless it runs")
    .option("--port <port>", "port of its proxy (default: the one of last time)", parsePort)
    .addOption(new Option("--profile <name>", "how long things take").choices(["instant", "quick", "azure"]))
    .action((options: { port?: number; profile?: string }) =>
      run(async (context) => (await load()).start(context, options)),
    );
  command(sandbox, "stop", "stop it; what it holds stays").action(() =>
    run(async (context) => (await load()).stop(context)),
  );
  command(sandbox, "status", "where it is and who can sign in").action(() =>
    run(async (context) => (await load()).status(context)),
  );
  command(sandbox, "reset", "empty it: every resource, fault and environment in it is gone").action(() =>
    run(async (context) => (await load()).reset(context)),
  );
  command(sandbox, "token", "an access token for a client of your own")
    .option("--as <principal>", "owner, contributor, reader or stranger", "owner")
    .option("--audience <uri>", "resource that the token is for", "https://management.azure.com")
    .option("--expires-in <seconds>", "lifetime; negative for an expired one", parseNumber, 3600)
    .action((options: { as: string; audience: string; expiresIn: number }) =>
      run(async (context) => (await load()).token(context, options)),
    );
  command(sandbox, "settings", "show or change how long things take, throttling and quota")
    .option("--set <json>", 'a change, such as {"profile":"azure"}')
    .action((options: { set?: string }) => run(async (context) => (await load()).settings(context, options)));
  command(sandbox, "counters", "what its sites have answered").action(() =>
    run(async (context) => (await load()).counters(context)),
  );
  command(
    sandbox,
    "leak-scan <paths...>",
    "search files for every secret it ever minted (exit code 5 when found)",
  ).action((paths: string[]) => run(async (context) => (await load()).leakScan(context, paths)));

  const clock = sandbox.command("clock").description("its time");
  command(clock, "show", "what time it is there").action(() =>
    run(async (context) => (await load()).clock(context, {})),
  );
  command(clock, "advance", "let time pass")
    .argument("<span>", "such as 24h", parseSpan)
    .action((advanceMs: number) => run(async (context) => (await load()).clock(context, { advanceMs })));
  command(clock, "scale", "how fast its time runs")
    .argument("<factor>", "sandbox seconds per real second", parseNumber)
    .action((scale: number) => run(async (context) => (await load()).clock(context, { scale })));

  const fault = sandbox.command("fault").description("what goes wrong on purpose");
  command(fault, "add", "let requests fail, or take their time")
    .addArgument(
      new Argument(
        "<effect>",
        "what happens; lost: the answer, after the commit; hold: until the rule is removed",
      ).choices(["throttle", "server-error", "conflict", "refuse", "lost", "delay", "hold"]),
    )
    .option("--method <method>", "only this method")
    .option("--host <regexp>", "only hosts that it finds")
    .option("--path <regexp>", "only paths that it finds")
    .option("--after <n>", "let the first n through", parseNumber)
    .option("--times <n>", "strike so often, then no more", parseNumber)
    .option("--probability <p>", "strike with this probability", parseNumber)
    .option("--seed <n>", "start of the drawing", parseNumber)
    .option("--status <n>", "status of a server-error or a refusal", parseNumber)
    .option("--code <code>", "error code")
    .option("--message <text>", "what a refusal says")
    .option("--retry-after <seconds>", "what a throttle says", parseNumber)
    .option("--delay <span>", "how long a delay is, in real time", parseSpan)
    .action((effect: string, options: Record<string, unknown>) =>
      run(async (context) => (await load()).addFault(context, effect, options)),
    );
  command(fault, "list", "the rules in force").action(() =>
    run(async (context) => (await load()).listFaults(context)),
  );
  command(fault, "clear [id]", "remove one rule, or all").action((id?: string) =>
    run(async (context) => (await load()).clearFaults(context, id)),
  );

  addGitHubCommands(sandbox, command, run);
  addKubernetesCommands(sandbox, command, run);
}

function addGitHubCommands(
  sandbox: Command,
  command: (parent: Command, usage: string, description: string) => Command,
  run: Run,
): void {
  const load = () => import("./verbs/sandbox-github.ts");
  const github = sandbox.command("github").description("its GitHub: what the jobs of a workflow would hold");
  command(github, "oidc", "the ID token of a job, which a cloud that trusts its subject takes for a sign-in")
    .requiredOption("--repo <owner/name>", "repository of the job")
    .option("--environment <name>", "environment that the job names")
    .option("--ref <ref>", "what it runs on (default: the default branch)")
    .option("--event <name>", "what started it, such as push or pull_request (default: workflow_dispatch)")
    .option("--workflow <file>", "file of its workflow (default: deploy.yml)")
    .option("--audience <uri>", "who shall take the token", "api://AzureADTokenExchange")
    .action((options: OidcOptions) => run(async (context) => (await load()).oidc(context, options)));
  command(github, "job-token", "a GITHUB_TOKEN of a job; what it does starts no workflow")
    .requiredOption("--repo <owner/name>", "repository of the job")
    .addOption(
      new Option("--access <access>", "what it may do there").choices(["read", "write"]).default("read"),
    )
    .action((options: { repo: string; access: string }) =>
      run(async (context) => (await load()).jobToken(context, options)),
    );
}
