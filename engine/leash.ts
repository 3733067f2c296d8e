// Runs the command given as arguments and ends it, with everything it started, when the process that holds the other end of
// stdin goes away. Started with `detached`, so that this process leads a group of its own.
import { spawn } from "node:child_process";

const graceMs = 5000;
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new TypeError("leash: no command");

const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
child.once("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.once("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  // Whatever the command left running in the group belongs to it.
  process.kill(-process.pid, "SIGKILL");
});

process.on("SIGINT", () => {});
process.stdin.resume();
process.stdin.once("close", () => {
  // An interrupt first: Go then removes its work folder.
  process.kill(-process.pid, "SIGINT");
  setTimeout(() => process.kill(-process.pid, "SIGKILL"), graceMs);
});
