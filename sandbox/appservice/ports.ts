import net from "node:net";

/** Below the ports that systems hand out to outgoing connections, so that none of those can take one first. */
const first = 20_000;
const count = 10_000;

/** Loopback ports for apps: each is free when given, and given to one process at a time. */
export class Ports {
  readonly #given = new Set<number>();
  // Sandboxes side by side begin far from each other.
  #next = first + ((process.pid * 331) % count);

  /** @throws Error when none is free */
  async take(): Promise<number> {
    for (let tried = 0; tried < count; tried += 1) {
      const port = this.#next;
      this.#next = port + 1 < first + count ? port + 1 : first;
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      if (await isFree(port)) return port;
      this.#given.delete(port);
    }
    throw new Error(`no free port between ${first} and ${first + count - 1} on 127.0.0.1`);
  }

  giveBack(port: number): void {
    this.#given.delete(port);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on this loopback port now. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
