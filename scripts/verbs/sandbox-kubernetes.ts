import { type KubernetesStatus, SandboxClient, SandboxError } from "../../sandbox/client/index.ts";
import { type ExitCode, exitCodes } from "../lib/errors.ts";
import { table } from "../lib/output.ts";
import { kilnPaths, makeHome } from "../lib/paths.ts";
import { controlPlaneFor, type VerbContext } from "../lib/session.ts";

/** Starts the sandbox and its Kubernetes, each unless it runs; what Kubernetes consists of is provided first. */
export async function start(context: VerbContext): Promise<ExitCode> {
  makeHome(kilnPaths(context.env));
  const controlPlane = await controlPlaneFor(context);
  const client = clientOf(context);
  await client.start();
  return tell(context, await client.startKubernetes(controlPlane));
}

export async function stop(context: VerbContext): Promise<ExitCode> {
  const client = clientOf(context);
  const { running } = await client.status();
  const found = running ? await client.stopKubernetes() : undefined;
  context.out.document(found ?? { running: false, state: "stopped" });
  context.out.say("Kubernetes is stopped; what it holds stays.");
  return exitCodes.done;
}

/** Of a sandbox that does not run, its Kubernetes does not either: that is an answer, and no failure. */
export async function status(context: VerbContext): Promise<ExitCode> {
  const client = clientOf(context);
  const { running } = await client.status();
  if (running) return tell(context, await client.kubernetes());
  context.out.document({ running: false, state: "stopped" });
  context.out.say(notRunning);
  return exitCodes.done;
}

/** The file, not what is in it: that is a secret. */
export async function kubeconfig(context: VerbContext, options: { as: string }): Promise<ExitCode> {
  const { users, context: name } = await clientOf(context).kubernetes();
  const user = users.find((each) => each.name === options.as);
  if (user === undefined) {
    throw new SandboxError(
      "KubernetesNeverStarted",
      "the sandbox's Kubernetes has no users yet",
      "They are made when it is first started.",
      "Start it with `kiln sandbox kubernetes start`.",
    );
  }
  context.out.document({ user: user.name, groups: user.groups, context: name, kubeconfig: user.kubeconfig });
  context.out.say(user.kubeconfig);
  return exitCodes.done;
}

const again = "`kiln sandbox kubernetes start` starts it.";
const notRunning = `Kubernetes is not running. ${again}`;

function clientOf(context: VerbContext): SandboxClient {
  return new SandboxClient(kilnPaths(context.env).sandbox, context.signal);
}

function tell(context: VerbContext, found: KubernetesStatus): ExitCode {
  const { out } = context;
  out.document(found);
  if (found.state === "stopped") out.say(notRunning);
  else if (found.state === "failed") out.say(`Kubernetes does not run: ${found.reason}\n${again}`);
  else {
    const rows = [
      ["API server", `${found.server}${found.running ? "" : " (starting)"}`],
      ["CA certificate", String(found.caCertificate)],
      ["context", found.context],
      ...found.users.map(({ name, groups, kubeconfig }) => [`${name} (${groups.join(", ")})`, kubeconfig]),
      ...found.processes.map(({ name, pid, restarts }) => [name, processText(pid, restarts)]),
    ];
    out.say(table(rows, ""));
  }
  return exitCodes.done;
}

function processText(pid: number | undefined, restarts: number): string {
  const times = restarts === 0 ? "" : `, started again ${restarts} time${restarts === 1 ? "" : "s"}`;
  return `${pid === undefined ? "about to start" : `process ${pid}`}${times}`;
}
