import { randomInt } from "node:crypto";
import net from "node:net";

/** Between the sites' ports and those that systems hand out to outgoing connections. */
const first = 30_000;
const count = 2_700;

/** Whether nothing listens on this loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Loopback ports that are free now, each another. @throws Error when there are not so many */
export async function freePorts(wanted: number): Promise<number[]> {
  const found: number[] = [];
  // Sandboxes side by side begin far from each other.
  const start = randomInt(count);
  for (let tried = 0; tried < count && found.length < wanted; tried += 1) {
    const port = first + ((start + tried) % count);
    if (await isFree(port)) found.push(port);
  }
  if (found.length < wanted)
    throw new Error(`no free port from ${first} to ${first + count - 1} on 127.0.0.1`);
  return found;
}
