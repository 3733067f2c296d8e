/** The program of the worker process: see `worker.ts`. */
import { runWorker, type ToWorker } from "./worker.ts";

// An interrupt at the terminal is the sandbox's to handle: it lets the apps finish first.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

runWorker(
  {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => process.on("message", (message) => listener(message as ToWorker)),
    onLost: (listener) => process.on("disconnect", listener),
  },
  () => process.exit(0),
);
