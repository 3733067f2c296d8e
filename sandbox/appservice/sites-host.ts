import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Cloud } from "../core/cloud.ts";
import type { CloudError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";
import type { Outcome } from "./counters.ts";
import { forward, forwardedHeaders } from "./forward.ts";
import type { Instance } from "./instance.ts";
import {
  applicationError,
  badGateway,
  gatewayTimeout,
  internalError,
  type Page,
  stopped,
  withoutCode,
} from "./pages.ts";
import type { SiteRuntime } from "./runtime.ts";
import { siteOfHost } from "./state.ts";

/** How often a request that never reached the app is tried again on a new process. */
const maxAttempts = 3;

/**
 * `{app}.azurewebsites.net`: hands requests to the app's process, or answers in its place as App Service does, and
 * counts every answer.
 */
export function createSites(
  cloud: Cloud,
  runtime: SiteRuntime,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void serve(cloud, runtime, request, response);
  };
}

async function serve(
  cloud: Cloud,
  runtime: SiteRuntime,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  cloud.operations.settle();
  const host = request.headers.host ?? "";
  const site = siteOfHost(cloud, host);
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (site === undefined) {
    send(response, { status: 404, html: `No site lives at ${host.replace(/[^\w.:-]/g, "")}.\n` });
    return;
  }
  const settle = counting(runtime, site.name, `${request.method} ${path}`, response);
  const fault = await strike(cloud, request, host, path);
  if (fault !== undefined) {
    if (fault === "lost") response.destroy();
    else response.writeHead(fault.status, fault.headers).end(JSON.stringify(fault.body()));
  } else if (!response.destroyed) {
    await answer(runtime, site, path, request, response).catch((error) => {
      // A fault of the sandbox itself: its own log has the stack.
      console.error(error);
      send(response, internalError);
    });
  }
  settle();
}

async function answer(
  runtime: SiteRuntime,
  site: Resource,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const route = await runtime.route(site.name);
    if (route.kind !== "instance") {
      send(response, pageFor(route.kind, path, site));
      return;
    }
    const release = route.instance.lease();
    try {
      const forwarded = await forward(
        request,
        response,
        route.instance.port,
        forwardedHeaders(request, site.name),
      );
      if (forwarded === "no-answer" && isRepeatable(request) && (await wasKilled(route.instance))) continue;
      if (forwarded === "timed-out") send(response, gatewayTimeout);
      else if (forwarded === "no-answer") send(response, badGateway);
      if (forwarded !== "refused") return;
    } finally {
      release();
    }
    // Nothing listens any more: the process is ending, and what comes next needs a new one.
    await runtime.unreachable(site.name, route.instance);
  }
  send(response, badGateway);
}

/** Whether a request may be sent a second time. Source: RFC 9110, section 9.2.2, for requests without content. */
function isRepeatable({ method, headers }: IncomingMessage): boolean {
  const empty = headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;
  return empty && ["GET", "HEAD", "OPTIONS"].includes(method ?? "");
}

/** Whether somebody killed the process, so that it was not the request's doing that there is no answer. */
async function wasKilled(instance: Instance): Promise<boolean> {
  const exit = await Promise.race([instance.exited, delay(500)]);
  return exit !== undefined && exit.signal !== null;
}

function pageFor(kind: "no-site" | "stopped" | "no-code" | "failed", path: string, site: Resource): Page {
  switch (kind) {
    case "stopped":
      return stopped;
    case "no-code":
      return withoutCode(path, String(site.body.kind ?? "").includes("functionapp"));
    case "failed":
      return applicationError;
    case "no-site":
      return { status: 404, html: "404 Web Site not found.\n" };
  }
}

function send(response: ServerResponse, page: Page): void {
  if (response.destroyed || response.headersSent) return;
  response
    .writeHead(page.status, {
      "content-type": "text/html; charset=utf-8",
      "content-length": Buffer.byteLength(page.html),
    })
    .end(page.html);
}

/** Counts the request once its answer is out or will never be. Call what it returns when the site's side is done. */
function counting(runtime: SiteRuntime, site: string, route: string, response: ServerResponse): () => void {
  let done = false;
  let counted = false;
  const count = (outcome: Outcome) => {
    if (!counted) runtime.count(site, route, outcome);
    counted = true;
  };
  response.on("finish", () => count({ kind: "answered", status: response.statusCode }));
  // Closed before it was finished: by the client, unless the site's side has ended already.
  response.on("close", () => count({ kind: done || response.errored ? "dropped" : "client-aborted" }));
  return () => {
    done = true;
    if (response.destroyed && !response.writableFinished) count({ kind: "dropped" });
  };
}

/** Strikes the injected faults; what is returned ends the request. */
async function strike(
  cloud: Cloud,
  request: IncomingMessage,
  host: string,
  path: string,
): Promise<CloudError | "lost" | undefined> {
  const latency = cloud.timings().request;
  if (latency > 0) await delay(latency / cloud.clock.scale);
  for (const fault of cloud.faults.strike(request.method ?? "GET", host, path)) {
    if (fault.effect === "delay") await fault.wait();
    else return fault.effect === "lost" ? "lost" : fault.error;
  }
  return undefined;
}
