import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import type { DaemonMessage } from "./client/daemon-process.ts";
import { sandboxPaths } from "./client/files.ts";
import { writePrivate } from "./core/files.ts";
import { StoreDamagedError, StoreHeldError } from "./core/store.ts";
import { PortTakenError } from "./front/proxy.ts";
import { openSandbox } from "./sandbox.ts";

/** The sandbox's process: `node daemon.ts --data-dir DIR --port PORT`. Started by the client, told to stop by it. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { "data-dir": { type: "string" }, port: { type: "string", default: "0" } },
  });
  const dataDir = values["data-dir"];
  if (dataDir === undefined) throw new Error("usage: daemon.ts --data-dir DIR [--port PORT]");
  const daemonFile = sandboxPaths(dataDir).daemon;

  let _stopping: Promise<void> | undefined;
  const stop = (): void => {
    _stopping ??= sandbox.close().finally(() => {
      rmSync(daemonFile, { force: true });
      process.exit(0);
    });
  };
  const sandbox = await openSandbox({ dataDir, port: Number(values.port), onStop: () => setImmediate(stop) });
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const { port, controlToken } = sandbox;
  writePrivate(
    daemonFile,
    JSON.stringify({ pid: process.pid, port, controlToken, startedAt: new Date().toISOString() }),
  );
  tell({ ready: true });
  await sandbox.reopenProviders();
}

function tell(message: DaemonMessage): void {
  process.send?.(message);
}

function failure(error: unknown): { code: string; message: string; cause: string; next: string } {
  if (error instanceof StoreHeldError) {
    return {
      code: "SandboxHeld",
      message: error.message,
      cause: "Each data folder has one sandbox.",
      next: "Use the running one.",
    };
  }
  if (error instanceof PortTakenError) {
    return {
      code: "PortTaken",
      message: `the sandbox cannot listen: ${error.message}`,
      cause: "The sandbox keeps its port from start to start, so that shells set up for it stay good.",
      next: "End the other program, or choose another port: `kiln sandbox start --port PORT`.",
    };
  }
  const errno = (error as NodeJS.ErrnoException).code;
  const message = error instanceof Error ? error.message : String(error);
  if (errno === "ENOSPC" || /database or disk is full/i.test(message)) {
    return {
      code: "DiskFull",
      message: "the sandbox cannot write its data: the disk is full",
      cause: message,
      next: "Free space, then try again.",
    };
  }
  if (error instanceof StoreDamagedError) {
    return {
      code: "SandboxDataDamaged",
      message: "the sandbox's data cannot be read",
      cause: message,
      next: "`kiln sandbox reset` sets the data aside and begins anew, without any environment.",
    };
  }
  return {
    code: "SandboxFailed",
    message: "the sandbox could not start",
    cause: message,
    next: "Read the end of its log (`sandbox.log` in its data folder).",
  };
}

main().catch((error: unknown) => {
  console.error(error);
  const told = { failed: failure(error) } satisfies DaemonMessage;
  if (process.send === undefined) process.exit(1);
  process.send(told, () => process.exit(1));
});
