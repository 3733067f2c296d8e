import { randomUUID } from "node:crypto";
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import net from "node:net";
import { pipeline } from "node:stream";

/** How forwarding a request to an app ended. `refused`: the app was not reached, nothing of the request was used. */
export type Forwarded = "answered" | "refused" | "no-answer" | "timed-out" | "broken-off";

/** App Service's front end cuts a request off after this. In milliseconds. */
const requestLimitMs = 230_000;

/** Headers that belong to one connection. Source: RFC 9110, section 7.6.1. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Hands a request to the app on a loopback port and its answer back, both as streams. Each request has a connection of
 * its own: a kept one may be closed by the app just as it is used, which would lose a request.
 */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  extra: OutgoingHttpHeaders,
): Promise<Forwarded> {
  const socket = await connect(port);
  if (typeof socket === "string") return socket;
  const chunked = request.headers["transfer-encoding"] !== undefined;
  return new Promise((resolve) => {
    const upstream = http.request({
      createConnection: () => socket,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: {
        ...endToEnd(request.headers),
        ...extra,
        ...(chunked ? { "transfer-encoding": "chunked" } : {}),
        connection: "close",
      },
      setHost: false,
    });
    let responded = false;
    let timedOut = false;
    upstream.setTimeout(requestLimitMs, () => {
      timedOut = true;
      upstream.destroy(new Error("the app did not answer in time"));
    });
    const gaveUp = () => {
      if (!responded) resolve(timedOut ? "timed-out" : "no-answer");
    };
    upstream.on("response", (answer) => {
      responded = true;
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.headers));
      pipeline(answer, response, (error) => {
        // The answer is broken off in the middle: the client must not take it for a whole one.
        if (error) response.destroy();
        resolve(error ? "broken-off" : "answered");
      });
    });
    upstream.on("error", () => {
      request.unpipe(upstream);
      gaveUp();
    });
    upstream.on("close", gaveUp);
    response.on("close", () => {
      if (!response.writableFinished) upstream.destroy();
    });
    request.pipe(upstream);
  });
}

/** What App Service adds to each request for the app. Source: "Inspect environment variables and headers". */
export function forwardedHeaders(request: IncomingMessage, site: string): OutgoingHttpHeaders {
  const client = request.socket.remoteAddress ?? "127.0.0.1";
  const before = request.headers["x-forwarded-for"];
  return {
    "x-forwarded-for": before === undefined ? client : `${before}, ${client}`,
    "x-forwarded-proto": "https",
    "x-forwarded-host": request.headers.host,
    "x-client-ip": client,
    "x-arr-log-id": randomUUID(),
    "x-arr-ssl": "2048|256|CN=Kiln sandbox|CN=*.azurewebsites.net",
    "x-original-url": request.url,
    "x-site-deployment-id": site,
    "was-default-hostname": `${site.toLowerCase()}.azurewebsites.net`,
    "disguised-host": request.headers.host,
  };
}

/** The headers that pass a proxy. */
export function endToEnd(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) =>
        value !== undefined && !hopByHop.has(name) && !named.includes(name) && name !== "expect",
    ),
  );
}

function connect(port: number): Promise<net.Socket | "refused" | "no-answer"> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    // Anything else, such as too many open files, says nothing about the app.
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(code === "ECONNREFUSED" || code === "ECONNRESET" ? "refused" : "no-answer"),
    );
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
