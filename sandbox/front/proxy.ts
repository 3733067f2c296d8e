import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { TlsMaterial } from "./certificates.ts";
import { findHost, type Handler, type HostFamily } from "./hosts.ts";

export interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** The wanted port is in use by another program. */
export class PortTakenError extends Error {
  readonly port: number;
  constructor(port: number) {
    super(`port ${port} of 127.0.0.1 is in use by another program`);
    this.name = "PortTakenError";
    this.port = port;
  }
}

/**
 * The front door: an HTTPS proxy on loopback. `CONNECT host:443` for a host of the cloud is answered here, with the
 * sandbox's certificate; any other host, port or plain request is refused, so that nothing that goes through it can
 * reach the real cloud. Requests sent to the proxy itself go to `control`.
 * @throws PortTakenError
 */
export async function openFront(options: {
  port: number;
  tls: TlsMaterial;
  hosts: readonly HostFamily[];
  control: Handler;
}): Promise<Front> {
  const sockets = new Set<Duplex>();
  const inner = https.createServer(
    { key: options.tls.key, cert: options.tls.cert, keepAlive: true },
    (request, response) => dispatch(options.hosts, request, response),
  );
  inner.keepAliveTimeout = 120_000;
  inner.on("tlsClientError", (_error, socket) => socket.destroy());
  inner.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    socket.end(`HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    request.destroy();
  });

  const front = http.createServer((request, response) => {
    if (/^https?:\/\//i.test(request.url ?? "")) {
      refuse(
        response,
        403,
        "The sandbox proxies HTTPS only (CONNECT); the cloud takes no token over plain HTTP.",
      );
    } else if (!isLoopback(request.headers.host)) {
      refuse(response, 403, "The sandbox's control is reached by its loopback address only.");
    } else options.control(request, response);
  });
  front.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const target = /^(?<host>[^:[\]]+):(?<port>\d+)$/.exec(request.url ?? "")?.groups;
    const found = target?.port === "443" ? findHost(options.hosts, target.host ?? "") : undefined;
    if (found === undefined || found === "absent") {
      const why =
        found === "absent"
          ? `Nothing lives at ${request.url} in the sandbox's cloud (the name does not resolve).`
          : `The sandbox does not serve ${request.url}, and lets nothing through to other hosts.`;
      const status = found === "absent" ? "502 Bad Gateway" : "403 Forbidden";
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(why)}\r\nConnection: close\r\n\r\n${why}`,
      );
      return;
    }
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    inner.emit("connection", socket);
  });
  front.on("connection", (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
  });
  await listen(front, options.port);
  return {
    port: (front.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A connection is for the host that it was opened to: a request for another one was sent astray. */
function dispatch(hosts: readonly HostFamily[], request: IncomingMessage, response: ServerResponse): void {
  const host = (request.headers.host ?? "").replace(/:443$/, "").toLowerCase();
  const { servername } = request.socket as TLSSocket & { servername?: string | false };
  if (typeof servername === "string" && servername.toLowerCase() !== host) {
    refuse(response, 421, `This connection is for '${servername}', not for '${host}'.`);
    return;
  }
  const handler = findHost(hosts, host);
  if (handler === undefined || handler === "absent") {
    refuse(response, 421, `The sandbox does not serve the host '${host}'.`);
    return;
  }
  handler(request, response);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${why}\n`);
}

function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host ?? "");
}

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new PortTakenError(port) : error),
    );
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
