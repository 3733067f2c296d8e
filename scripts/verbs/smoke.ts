import pc from "picocolors";
import { type Backend, backendOf } from "../lib/backend.ts";
import { hasClusterResources } from "../lib/cluster/objects.ts";
import { readinessInCluster } from "../lib/cluster/survey.ts";
import { type ExitCode, exitCodes, KilnError } from "../lib/errors.ts";
import { duration } from "../lib/output.ts";
import { regionOf, regionPart } from "../lib/placement.ts";
import { openSession, openSessionStack, type Session, type VerbContext } from "../lib/session.ts";
import { emptyState, type State } from "../lib/state.ts";
import type { CloudName } from "../lib/target.ts";

interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
  readonly durationMs: number;
}

/**
 * `kiln smoke <env>`: the app has its key and the model answers through it; with a log, that no secret is in that. Exit
 * code 5 when not.
 */
export async function smoke(
  context: VerbContext,
  options: { environment: string; cloud: CloudName; log?: string },
): Promise<ExitCode> {
  const began = Date.now();
  const { out } = context;
  // First, since a log that is not there is wrong usage, which is told before anybody is asked.
  const log = options.log === undefined ? undefined : await searchLog(context, options.log);
  const session = await openSession(context, options.environment, options.cloud);
  const handle = await openSessionStack(context, session);
  const state = handle?.state ?? emptyState;
  const app = state.outputs.functionAppName;
  const served = hasClusterResources(state) && Object.keys(state.outputs).length > 0;
  if (typeof app !== "string" && !served) throw notUp(options.environment, state);
  const backend = typeof app === "string" ? backendOf(session.target, app, context.signal) : undefined;
  const checks = [
    ...(backend === undefined
      ? []
      : [await check("health", () => health(backend)), await check("chat", () => chat(backend))]),
    ...(served ? [await check("cluster", () => inCluster(session, state))] : []),
    ...(log === undefined ? [] : [log.check]),
  ];
  const passed = checks.every((each) => each.passed);
  const failed = checks.filter((each) => !each.passed);
  for (const { name, detail, passed: ok, durationMs } of checks) {
    out.say(
      `  ${ok ? pc.green("✓") : pc.red("✗")} ${name}: ${detail} ${pc.dim(`(${duration(durationMs)})`)}`,
    );
  }
  out.document({
    verb: "smoke",
    env: options.environment,
    cloud: options.cloud,
    result: passed ? "passed" : "failed",
    ...regionPart(regionOf(session, state)),
    checks,
    ...(log === undefined ? {} : { findings: log.findings }),
    durationMs: Date.now() - began,
    ...(passed
      ? {}
      : {
          error: {
            code: "SmokeFailed",
            message: `${failed.length} of ${checks.length} checks failed`,
            cause: failed.map(({ name, detail }) => `${name}: ${detail}`).join("\n"),
            next:
              failed.every((each) => each === log?.check) && log !== undefined
                ? log.next
                : `Look at \`kiln status ${options.environment}\`, then run \`kiln up ${options.environment}\`.`,
          },
        }),
  });
  return passed ? exitCodes.done : exitCodes.check;
}

/** Why there is nothing to be checked: it was never up, or did not get that far. Pure. */
export function notUp(environment: string, { resources, pending }: State): KilnError {
  const begun = resources.length > 0 || pending.length > 0;
  return new KilnError({
    code: "NotUp",
    message: `${environment} is not up`,
    cause: begun
      ? "It was begun, but no run has come to its end yet."
      : "Nothing is on record that could be checked.",
    next: begun
      ? `\`kiln status ${environment}\` shows how far it came; \`kiln up ${environment}\` goes on.`
      : `Bring it up first: \`kiln up ${environment}\`.`,
  });
}

/** Whether a secret is in a workflow's log. */
async function searchLog(context: VerbContext, file: string) {
  const { scan } = await import("../lib/scan/scan.ts");
  const { scanError } = await import("../lib/scan/report.ts");
  const { env, signal } = context;
  const options = { cwd: process.cwd(), env, signal, stdin: process.stdin };
  const report = await scan({ kind: "log", file }, options);
  const { cause, next } = scanError(report);
  const clean = report.findings.length === 0;
  const { durationMs, findings } = report;
  const detail = clean ? `no secret in ${file === "-" ? "what was piped in" : file}` : cause;
  return { check: { name: "log", passed: clean, detail, durationMs }, findings, next };
}

/** Whether everything in the cluster is ready, or stands still because it was told to. */
async function inCluster(session: Session, state: State): Promise<{ passed: boolean; detail: string }> {
  const all = [...(await readinessInCluster(session, state))];
  const wrong = all.filter(([, { state: is }]) => is !== "Ready" && is !== "Stopped");
  const shown = wrong.map(([key, { state: is, why }]) => {
    const [, kind, namespace, name] = key.split("|");
    return `${kind} ${namespace}/${name} is ${is}${why === undefined ? "" : ` (${why})`}`;
  });
  const ready = `${all.length} of ${all.length} objects are as they should be`;
  return { passed: wrong.length === 0, detail: wrong.length === 0 ? ready : shown.join("; ") };
}

async function check(name: string, work: () => Promise<{ passed: boolean; detail: string }>): Promise<Check> {
  const began = Date.now();
  try {
    return { name, ...(await work()), durationMs: Date.now() - began };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, passed: false, detail, durationMs: Date.now() - began };
  }
}

async function health(backend: Backend) {
  const answer = await backend.health();
  const loaded = field(answer.body, "keyLoaded") === true;
  const detail = loaded ? "the app has its key" : `the app answered ${answer.status} and has no key`;
  return { passed: answer.status === 200 && loaded, detail };
}

async function chat(backend: Backend) {
  const answer = await backend.chat();
  return {
    passed: answer.status === 200,
    detail: answer.status === 200 ? "the model answers through the app" : `the app answered ${answer.status}`,
  };
}

function field(body: string, name: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
