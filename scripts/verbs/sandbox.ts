import { SandboxClient, type SandboxStatus } from "../../sandbox/client/index.ts";
import { type ExitCode, exitCodes, usageError } from "../lib/errors.ts";
import { table } from "../lib/output.ts";
import { kilnPaths, makeHome } from "../lib/paths.ts";
import type { VerbContext } from "../lib/session.ts";

function clientOf(context: VerbContext): SandboxClient {
  return new SandboxClient(kilnPaths(context.env).sandbox, context.signal);
}

export async function start(
  context: VerbContext,
  options: { port?: number; profile?: string },
): Promise<ExitCode> {
  makeHome(kilnPaths(context.env));
  const client = clientOf(context);
  const found = await client.start(options.port);
  if (options.profile !== undefined) await client.control("POST", "/settings", { profile: options.profile });
  return tell(context, found);
}

export async function stop(context: VerbContext): Promise<ExitCode> {
  const stopped = await clientOf(context).stop();
  context.out.document({ running: false, stopped });
  context.out.say(stopped ? "The sandbox is stopped; what it holds stays." : "The sandbox was not running.");
  return exitCodes.done;
}

export async function status(context: VerbContext): Promise<ExitCode> {
  return tell(context, await clientOf(context).status());
}

export async function reset(context: VerbContext): Promise<ExitCode> {
  makeHome(kilnPaths(context.env));
  return tell(context, await clientOf(context).reset());
}

function tell(context: VerbContext, found: SandboxStatus): ExitCode {
  context.out.document(found);
  if (!found.running) context.out.say(`The sandbox is not running (data: ${found.dataDir}).`);
  else {
    context.out.say(
      table(
        [
          ["proxy", String(found.proxy)],
          ["CA certificate", String(found.caCertificate)],
          ["tenant", String(found.tenantId)],
          ["subscription", String(found.subscriptionId)],
          ["owner", String(found.owner?.clientId)],
          ["owner's secret", String(found.owner?.clientSecretFile)],
          ["GitHub", `${found.github?.owner}, as ${found.github?.login}`],
          ["GitHub token", String(found.github?.tokenFile)],
          ["Kubernetes", kubernetesText(found)],
          ["process", String(found.pid)],
          ["data", found.dataDir],
        ],
        "",
      ),
    );
  }
  return exitCodes.done;
}

function kubernetesText({ kubernetes }: SandboxStatus): string {
  if (kubernetes === undefined || kubernetes.state === "stopped") return "not running";
  if (kubernetes.state === "failed") return `does not run: ${kubernetes.reason}`;
  return kubernetes.running ? String(kubernetes.server) : "starting";
}

/** The one verb whose answer is a secret: the token goes to stdout, for the client that asked. */
export async function token(
  context: VerbContext,
  options: { as: string; audience: string; expiresIn: number },
): Promise<ExitCode> {
  const answer = (await clientOf(context).control("POST", "/token", {
    principal: options.as,
    audience: options.audience,
    seconds: options.expiresIn,
  })) as { accessToken: string };
  context.out.document(answer);
  context.out.say(answer.accessToken);
  return exitCodes.done;
}

export async function settings(context: VerbContext, options: { set?: string }): Promise<ExitCode> {
  const client = clientOf(context);
  const now =
    options.set === undefined
      ? await client.control("GET", "/settings")
      : await client.control("POST", "/settings", parseJson(options.set));
  return show(context, now as object);
}

export async function counters(context: VerbContext): Promise<ExitCode> {
  return show(context, (await clientOf(context).control("GET", "/counters")) as object);
}

export async function clock(
  context: VerbContext,
  change: { advanceMs: number } | { scale: number } | Record<string, never>,
): Promise<ExitCode> {
  const client = clientOf(context);
  const changes = Object.keys(change).length > 0;
  const now = changes
    ? await client.control("POST", "/clock", change)
    : await client.control("GET", "/clock");
  const { now: time, scale } = now as { now: string; scale: number };
  context.out.document({ now: time, scale });
  context.out.say(`${time} (${scale} s pass there in a second here)`);
  return exitCodes.done;
}

export async function addFault(
  context: VerbContext,
  effect: string,
  options: Record<string, unknown>,
): Promise<ExitCode> {
  const { json: _json, retryAfter, delay, ...rest } = options;
  const rule = {
    effect,
    ...rest,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
    ...(delay === undefined ? {} : { delayMs: delay }),
  };
  return show(context, (await clientOf(context).control("POST", "/faults", rule)) as object);
}

export async function listFaults(context: VerbContext): Promise<ExitCode> {
  return show(context, (await clientOf(context).control("GET", "/faults")) as object);
}

export async function clearFaults(context: VerbContext, id: string | undefined): Promise<ExitCode> {
  const path = id === undefined ? "/faults" : `/faults/${encodeURIComponent(id)}`;
  return show(context, (await clientOf(context).control("DELETE", path)) as object);
}

interface LeakReport {
  readonly files: number;
  readonly bytes: number;
  readonly secrets: number;
  readonly leaks: readonly { file: string; offset: number; kind: string; owner: string; form: string }[];
}

export async function leakScan(context: VerbContext, paths: readonly string[]): Promise<ExitCode> {
  // An empty path would be the current folder: a variable that was not set, more likely than a wish.
  if (paths.includes("")) {
    throw usageError("a path is empty", "There is no file or folder without a name.", "Name what to search.");
  }
  const { resolve } = await import("node:path");
  const report = (await clientOf(context).control("POST", "/leak-scan", {
    paths: paths.map((each) => resolve(each)),
  })) as LeakReport;
  context.out.document(report);
  context.out.say(`searched ${report.files} files (${report.bytes} bytes) for ${report.secrets} secrets`);
  for (const { file, offset, kind, owner, form } of report.leaks) {
    context.out.say(`  leak: ${file}, byte ${offset}: ${kind} of ${owner} (${form})`);
  }
  if (report.leaks.length === 0) context.out.say("no leak");
  return report.leaks.length === 0 ? exitCodes.done : exitCodes.check;
}

function show(context: VerbContext, answer: object): ExitCode {
  context.out.document(answer);
  context.out.say(JSON.stringify(answer, null, 2));
  return exitCodes.done;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(
      "--set is not JSON",
      error instanceof Error ? error.message : String(error),
      "See `kiln sandbox settings --help`.",
    );
  }
}
