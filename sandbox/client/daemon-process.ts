import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type DaemonFile, sandboxPaths } from "./files.ts";

/** What the daemon says once over IPC. */
export type DaemonMessage =
  | { readonly ready: true }
  | { readonly failed: { code: string; message: string; cause: string; next: string } };

/**
 * Starts the daemon of a data folder, which outlives this process.
 * @returns what it says: that it is ready, or why it is not
 */
export async function startDaemon(dataDir: string, port: number): Promise<DaemonMessage> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const log = openSync(sandboxPaths(dataDir).log, "a", 0o600);
  const daemon = spawn(
    process.execPath,
    [fileURLToPath(new URL("../daemon.ts", import.meta.url)), "--data-dir", dataDir, "--port", String(port)],
    { detached: true, stdio: ["ignore", log, log, "ipc"], env: daemonEnvironment() },
  );
  closeSync(log);
  const message = await new Promise<DaemonMessage>((resolve, reject) => {
    daemon.once("message", (said) => resolve(said as DaemonMessage));
    daemon.once("error", reject);
    daemon.once("exit", (code, signal) =>
      resolve({
        failed: {
          code: "SandboxDied",
          message: `the sandbox ended while starting (${signal ?? `exit code ${code}`})`,
          cause: `Its log is ${sandboxPaths(dataDir).log}.`,
          next: "Read the end of that log.",
        },
      }),
    );
  });
  if (daemon.connected) daemon.disconnect();
  daemon.unref();
  return message;
}

/** One request to the daemon, with what loads fast, and past any proxy that the environment may name. */
export function ask(
  daemon: DaemonFile,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  // Not imported: an ES import of node:http reads its every export, and some of them load all that `fetch` is made of.
  const { Agent, request } = process.getBuiltinModule("node:http");
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: daemon.port,
        method,
        path,
        agent: new Agent(),
        signal,
        headers: {
          authorization: `Bearer ${daemon.controlToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
      },
      (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, body: said }), reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The daemon outlives who started it: it gets no more of the environment than a process needs. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "NODE_COMPILE_CACHE"];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Whether there is a process with this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process that stopped answering ends within a second. */
export async function goesAway(pid: number): Promise<boolean> {
  const until = Date.now() + 1000;
  while (isAlive(pid) && isDaemon(pid)) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
}

/** A process id is used again one day: on Linux its command line tells whether it is still the daemon's. */
export function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("daemon.ts");
  } catch {
    return process.platform !== "linux";
  }
}
