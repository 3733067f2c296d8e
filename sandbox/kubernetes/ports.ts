import { randomInt } from "node:crypto";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { CloudError } from "../core/errors.ts";
import type { Collection } from "../core/store.ts";
import type { KubernetesPorts } from "./commands.ts";

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

/**
 * The ports of last time. Only the API server's stands in files that others may have open; the others may change.
 * @throws CloudError 409 when another program has taken that one
 */
export async function choosePorts(remembered: Collection<KubernetesPorts>): Promise<KubernetesPorts> {
  const kept = remembered.get("ports");
  const [api = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
  const again = async (port: number | undefined, other: number): Promise<number> =>
    port !== undefined && (await isFree(port)) ? port : other;
  const ports = {
    api: kept?.api ?? api,
    etcd: await again(kept?.etcd, etcd),
    etcdPeer: await again(kept?.etcdPeer, etcdPeer),
  };
  if (kept !== undefined && !(await becomesFree(ports.api))) {
    throw new CloudError(
      409,
      "PortTaken",
      `Another program listens on 127.0.0.1:${ports.api}, the port of the sandbox's Kubernetes, which stands in its users' kubeconfigs.`,
    );
  }
  remembered.put("ports", ports);
  return ports;
}

/** Processes that were just killed let go of their port in a moment. */
async function becomesFree(port: number): Promise<boolean> {
  const until = Date.now() + 5_000;
  while (!(await isFree(port))) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
}
