/** Runs the backend behind the Functions host (host.json: a custom handler that requests are forwarded to). */
import { createApp } from "./app.ts";
import { missing, readPort, readSettings } from "./settings.ts";

const settings = readSettings(process.env);
const server = createApp(settings);

// Stop taking connections, let the requests in flight end, then leave: an instance can be replaced without an error.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => server.close());

server.on("error", (error: NodeJS.ErrnoException) => {
  console.error(`The backend cannot listen: ${error.code ?? error.message}`);
  process.exitCode = 1;
});
server.listen(readPort(process.env), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : address;
  console.log(JSON.stringify({ event: "listening", port, ready: missing(settings) === undefined }));
});
